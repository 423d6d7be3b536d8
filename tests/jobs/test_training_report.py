"""What people read of a training, beside the lake and in MLflow."""

from pathlib import Path

import numpy as np
import pytest

from segspark.pipeline.train import train
from segspark.pipeline.training_record import open_tracker
from segspark.tables.segments import SEGMENT_CANDIDATES, SEGMENT_MODELS
from tests.jobs.conftest import Reopened
from tests.jobs.planted import AS_OF, trained
from tests.jobs.reading import rows_of


def test_the_report_of_a_training_is_the_same_beside_the_lake_and_in_mlflow(
    copy: Reopened, tmp_path: Path
) -> None:
    here = copy(training=trained(algorithms=["kmeans", "ward"]))

    training_id = train(here, as_of=AS_OF).stage_id

    folder, runs = here.lake.local_folder, open_tracker(here).runs
    parent = runs.finished(training_id)
    assert folder is not None
    assert parent is not None
    report = {path.name: path.read_bytes() for path in (folder / "reports" / training_id).iterdir()}
    # The experiment of a copied lake keeps its files where the first lake is.
    (tmp_path / "downloaded").mkdir()
    artifacts = Path(
        runs.client.download_artifacts(parent.info.run_id, "", str(tmp_path / "downloaded"))
    )
    assert report == {name: (artifacts / name).read_bytes() for name in report}
    pictures = {"elbow.svg", "silhouette.svg", "segments.svg", "dendrogram-ward.svg"}
    tables = {"candidates.csv", "micro_clusters.csv"}
    assert set(report) == {"verdict.txt", *tables, *pictures}
    assert {path.name for path in artifacts.iterdir()} == {*report, "model.json"}

    (model,) = rows_of(here.lake, SEGMENT_MODELS, training_id=training_id)
    rows = rows_of(here.lake, SEGMENT_CANDIDATES, training_id=training_id)
    assert report["verdict.txt"].decode() == model["verdict"] + "\n"
    assert report["candidates.csv"].decode().count("\n") == 1 + len(rows)
    for row in rows:
        jaccards = row["segment_stability_jaccards"]
        assert len(jaccards) == row["segment_count"]
        assert row["stability_jaccard"] == pytest.approx(np.mean(jaccards))
        assert row["lowest_stability_jaccard"] == min(jaccards)
        assert row["segment_time_stability_jaccards"] is None
