import io
import json
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scripts.benchmarks.sweep import main
from scripts.benchmarks.sweep_points import (
    draw_points,
    feature_names,
    read_points,
    write_points,
)
from scripts.benchmarks.sweep_scoring import one_customer_us, scoring_model
from scripts.benchmarks.workers import serve
from segspark.model.clusters import Centres
from segspark.model.segment_model import SegmentModel


def test_drawn_customers_are_scaled_and_the_same_each_time() -> None:
    points = draw_points(2000, 3)
    assert np.array_equal(points, draw_points(2000, 3))
    assert points.mean(axis=0) == pytest.approx([3, 3, 3])
    assert points.std(axis=0) == pytest.approx([1, 1, 1])


def test_some_drawn_customers_are_far_out() -> None:
    points = draw_points(5000, 8)
    assert (np.abs(points - 3).max(axis=1) > 5).mean() > 0.002


def test_the_table_has_an_id_and_a_column_of_numbers_for_each_feature(tmp_path: Path) -> None:
    path = write_points(tmp_path / "points.parquet", customers=1200, features=2)
    schema = pq.read_schema(path)
    assert schema.names == ["customer_id", *feature_names(2)]
    assert schema.types == [pa.string(), pa.float64(), pa.float64()]
    assert np.array_equal(read_points(path), draw_points(1200, 2))


def test_one_customer_takes_the_median_round_without_the_one_that_warms_up() -> None:
    model = scoring_model(Centres(np.array([[0.0], [1.0]])), names=["feature_1"])
    # Start and end of each round: 1 s to warm up, then 0.01, 0.02 and 0.5 s of ten customers.
    ticks = iter([0.0, 1.0, 1.0, 1.01, 2.0, 2.02, 3.0, 3.5])
    found = one_customer_us(model, rounds=3, repeats=10, clock=lambda: next(ticks))
    assert found == pytest.approx(2000)


def test_the_model_that_scores_reaches_spark_as_text() -> None:
    model = scoring_model(Centres(np.array([[0.0], [1.0]])), names=["feature_1"])
    again = SegmentModel.from_json(model.to_json())
    assert again.score_values(np.array([[0.9]])).cluster_index.tolist() == [1]


def test_a_worker_says_that_it_is_ready_and_answers_line_by_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO('{"value": 2}\n{"value": 3}\n'))
    serve(lambda command: {"double": 2 * command["value"]})
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line) for line in lines] == [{"ready": True}, {"double": 4}, {"double": 6}]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("--fewest 5 --most 4", "--fewest and --most go from 2 up to 50, the fewest first"),
        ("--fewest 1", "--fewest and --most go from 2 up to 50, the fewest first"),
        ("--customers 10", "--customers and --scored take 1000 or more"),
        ("--rounds 0", "--rounds and --features take 1 or more"),
        ("--heap much", "--heap is a number and m or g, such as 2g"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_a_sentence(
    given: str,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["sweep", *given.split()])
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().err.endswith(f"error: {sentence}\n")
