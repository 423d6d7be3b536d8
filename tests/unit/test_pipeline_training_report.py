import csv
from io import StringIO
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from pyspark.sql import DataFrame

from scripts.benchmarks.planted_customers import separated
from segspark.clustering import sweep
from segspark.clustering.engine import candidates_of
from segspark.clustering.sweep import run_sweep
from segspark.clustering.vector_fit import VectorFit
from segspark.errors import StageError
from segspark.model.micro_clusters import MicroClusterModel
from segspark.model.vector import FeatureVector
from segspark.pipeline.training_plan import TrainingPlan
from segspark.pipeline.training_report import report_of, write_report
from segspark.pipeline.tried_candidates import Trained
from segspark.settings.training import (
    Algorithm,
    SelectionSettings,
    SweepSettings,
    TrainingSettings,
)
from tests.point_blocks import held_in_memory

POINTS = separated().points


def trained(*algorithms: Algorithm) -> Trained:
    settings = TrainingSettings(
        sweep=SweepSettings(
            algorithms=algorithms, fewest_segments=4, most_segments=4, micro_cluster_count=50
        ),
        selection=SelectionSettings(
            structureless_draws=2, structureless_customers=100, stability_resamples=0
        ),
    )
    plan = TrainingPlan(
        settings.vector, (), VectorFit(FeatureVector(()), ()), candidates_of(settings.sweep)
    )
    points = cast("DataFrame", POINTS)
    return Trained(plan, run_sweep(points, plan.sweep, settings, progress=lambda _: None))


def test_micro_clusters_are_told_with_their_customers_and_how_wide_they_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sweep, "point_blocks", held_in_memory)
    found = trained(Algorithm.WARD, Algorithm.KMEANS)
    model = found.sweep.selection.rows[0].fitted.clusters
    assert isinstance(model, MicroClusterModel)
    squared = np.square(POINTS[:, None] - model.micro.centres).sum(axis=2)
    nearest = squared.argmin(axis=1)

    lines = list(csv.DictReader(StringIO(report_of(found, "training-1")["micro_clusters.csv"])))

    assert {line["candidate_id"] for line in lines} == {"ward-4"}
    assert sum(int(line["customer_count"]) for line in lines) == len(POINTS)
    for place, line in enumerate(lines):
        own = squared[nearest == place, place]
        assert int(line["micro_cluster_index"]) == place
        assert int(line["customer_count"]) == len(own)
        assert float(line["radius"]) == pytest.approx(np.sqrt(own.mean()), rel=1e-9, abs=1e-12)
        segments = model.assign(POINTS[nearest == place])
        assert set(segments.tolist()) == {int(line["cluster_index"])}


def test_without_micro_clusters_there_is_no_file_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "point_blocks", held_in_memory)

    assert "micro_clusters.csv" not in report_of(trained(Algorithm.KMEANS), "training-1")


def test_a_report_is_files_of_the_training_in_a_local_lake(tmp_path: Path) -> None:
    for text in ("<svg>old</svg>", "<svg/>"):
        write_report({"elbow.svg": text}, tmp_path, "training-abc")

    assert (tmp_path / "reports" / "training-abc" / "elbow.svg").read_text() == "<svg/>"
    write_report({"elbow.svg": "<svg/>"}, None, "abc")


def test_a_place_that_cannot_be_written_to_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("in the way")

    with pytest.raises(StageError, match="the report of the training cannot be written"):
        write_report({"elbow.svg": "<svg/>"}, tmp_path, "abc")
