import re
import runpy
from pathlib import Path

import numpy as np
import pytest

from segspark.model.clusters import Centres
from segspark.model.segment_model import SegmentModel
from segspark.model.vector import FeatureVector, ValueRule, VectorColumn
from segspark.session.ivy import EXCLUDED

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"


def test_a_submission_leaves_out_the_jars_that_a_local_session_leaves_out() -> None:
    (excluded,) = re.findall(r"^EXCLUDED='(.*)'$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert tuple(excluded.split(",")) == EXCLUDED


def test_the_page_scores_one_customer_by_a_model_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names = ("recency_days", "frequency_count", "average_order_amount")
    columns = tuple(VectorColumn(ValueRule(name, "none"), 0.0, 90.0, 0.0, 1.0) for name in names)
    clusters = Centres(np.array([[90.0, 1.0, 5.0], [12.0, 4.0, 31.5]]))
    model = SegmentModel("model", "training", "kmeans", FeatureVector(columns), clusters, 1.0)
    (tmp_path / "model.json").write_text(model.to_json(), encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    (tmp_path / "page.py").write_text(code, encoding="utf-8")
    runpy.run_path("page.py")

    assert capsys.readouterr().out.split() == ["1", "1.0", "False"]
