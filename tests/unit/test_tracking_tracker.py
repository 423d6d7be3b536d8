import logging
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.entities import Run, ViewType

from segspark.errors import TrackingError
from segspark.settings.lake import TrackingSettings
from segspark.tracking.records import CandidateRecord, TrainingRecord
from segspark.tracking.tracker import Tracker
from tests.tracked import MODEL


def candidate(segment_count: int, *, is_chosen: bool) -> CandidateRecord:
    return CandidateRecord(
        candidate_id=f"kmeans-{segment_count}",
        algorithm="kmeans",
        segment_count=segment_count,
        parameters={"seed": 7, "tolerance": 0.5},
        metrics={"silhouette": segment_count / 10},
        is_chosen=is_chosen,
        reason="chosen" if is_chosen else "lower silhouette",
    )


def training(letter: str) -> TrainingRecord:
    return TrainingRecord(
        training_id=f"training-{letter}",
        model_id=f"model-{letter}",
        segmentation="default",
        snapshot_id="snapshot-1",
        as_of_date=date(2026, 11, 1),
        parameters={"seed": 7},
        table_versions={"customer_features": 4},
        verdict="Four segments. No structure beyond chance.",
        candidates=(candidate(3, is_chosen=False), candidate(4, is_chosen=True)),
        model_json=replace(MODEL, model_id=f"model-{letter}").to_json(),
        files={"verdict.txt": "Four segments.\n", "elbow.svg": "<svg/>"},
    )


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake whose path a careless URL would break."""
    return tmp_path_factory.mktemp("a lake") / "é #1"


@pytest.fixture(scope="module")
def tracker(lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tracker]:
    """One store for all tests, since creating it takes seconds; nothing else may be written."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.chdir(tmp_path_factory.mktemp("elsewhere"))
        opened = Tracker.open(
            TrackingSettings(location=""), lake_folder=lake, segmentation="default"
        )
        yield opened
        assert list(Path.cwd().iterdir()) == []


def runs_of(tracker: Tracker, training_id: str, *, view: int = ViewType.ACTIVE_ONLY) -> list[Run]:
    return list(
        tracker.runs.client.search_runs(
            [tracker.runs.experiment_id], f"tags.`segspark.training_id` = '{training_id}'", view
        )
    )


def alias(tracker: Tracker, name: str) -> str:
    client = tracker.versions.client
    return str(client.get_model_version_by_alias(tracker.versions.name, name).version)


def test_a_training_is_one_parent_run_with_a_child_for_each_candidate(tracker: Tracker) -> None:
    tracker.record_training(training("a"))

    runs = {run.info.run_name: run for run in runs_of(tracker, "training-a")}
    parent, child = runs.pop("2026-11-01 training-a"), runs["kmeans-3"]
    assert set(runs) == {"kmeans-3", "kmeans-4"}
    assert {run.data.tags["mlflow.parentRunId"] for run in runs.values()} == {parent.info.run_id}
    assert parent.data.tags["delta.version.customer_features"] == "4"
    assert parent.data.tags["segspark.snapshot_id"] == "snapshot-1"
    assert parent.data.tags["segspark.as_of_date"] == "2026-11-01"
    assert parent.data.tags["segspark.verdict"].startswith("Four segments.")
    assert parent.data.metrics == {"silhouette": 0.4}
    assert child.data.tags["segspark.reason"] == "lower silhouette"
    assert child.data.metrics == {"silhouette": 0.3}
    assert child.data.params == {
        "algorithm": "kmeans",
        "segment_count": "3",
        "seed": "7",
        "tolerance": "0.5",
    }
    assert {run.info.status for run in [parent, child]} == {"FINISHED"}


def test_the_files_of_a_training_lie_in_the_lake(tracker: Tracker, lake: Path) -> None:
    tracker.record_training(training("a"))

    parent = tracker.runs.finished("training-a")
    assert parent is not None
    folder = lake / "mlartifacts" / parent.info.run_id / "artifacts"
    assert (folder / "model.json").read_text() == training("a").model_json
    for name, text in training("a").files.items():
        assert (folder / name).read_bytes() == text.encode()


def test_recording_a_training_again_changes_nothing(tracker: Tracker) -> None:
    first = tracker.record_training(training("a"))
    before = [run.to_dictionary() for run in runs_of(tracker, "training-a", view=ViewType.ALL)]

    assert tracker.record_training(training("a")) == first
    after = [run.to_dictionary() for run in runs_of(tracker, "training-a", view=ViewType.ALL)]
    assert after == before


def test_a_training_that_was_killed_before_its_model_is_made_anew(tracker: Tracker) -> None:
    parent = tracker.runs.start(training("killed-early"))
    tracker.runs.add_candidate(training("killed-early").candidates[0], parent=parent)

    tracker.record_training(training("killed-early"))

    active = runs_of(tracker, "training-killed-early")
    assert len(active) == 3
    assert {run.info.status for run in active} == {"FINISHED"}
    left = tracker.runs.client.get_run(parent.info.run_id)
    assert (left.info.lifecycle_stage, left.info.status) == ("deleted", "KILLED")


def test_a_version_of_a_training_that_was_killed_is_not_left_behind(tracker: Tracker) -> None:
    record = training("killed-late")
    half = tracker.versions.register(record, parent=tracker.runs.start(record))

    version = tracker.record_training(record)

    found = tracker.versions.client.search_model_versions("tags.training_id='training-killed-late'")
    assert [str(one.version) for one in found] == [version]
    assert version != half
    assert alias(tracker, "candidate") == version


def test_the_version_names_its_model_training_and_run(tracker: Tracker) -> None:
    version = tracker.record_training(training("a"))

    found = tracker.versions.client.get_model_version("segspark-default", version)
    assert found.tags == {
        "model_id": "model-a",
        "training_id": "training-a",
        "run_id": found.run_id,
    }
    assert found.run_id in {run.info.run_id for run in runs_of(tracker, "training-a")}


def test_the_aliases_move_to_what_was_recorded_and_published_last(tracker: Tracker) -> None:
    a, b = tracker.record_training(training("a")), tracker.record_training(training("b"))

    assert alias(tracker, "candidate") == b
    assert tracker.mark_published("model-b") == b
    assert tracker.mark_published("model-a") == a
    assert tracker.mark_published("model-a") == a
    assert (alias(tracker, "published"), alias(tracker, "candidate")) == (a, b)
    assert tracker.model_address() == "models:/segspark-default@published"
    assert tracker.model_address("candidate") == "models:/segspark-default@candidate"


def test_a_model_that_was_never_registered_cannot_be_published(tracker: Tracker) -> None:
    with pytest.raises(TrackingError, match=r"model model-x is no version of segspark-default at "):
        tracker.mark_published("model-x")


def test_a_deleted_experiment_is_refused_in_a_sentence(tracker: Tracker, lake: Path) -> None:
    settings = TrackingSettings(location="", experiment="gone")
    opened = Tracker.open(settings, lake_folder=lake, segmentation="default")
    tracker.runs.client.delete_experiment(opened.runs.experiment_id)

    with pytest.raises(TrackingError, match=r"gone/default at sqlite:.* restore it there"):
        Tracker.open(settings, lake_folder=lake, segmentation="default")


def test_the_tracking_address_and_logging_of_the_process_stay_as_they_are(
    tracker: Tracker, capfd: pytest.CaptureFixture[str]
) -> None:
    address, level = mlflow.get_tracking_uri(), logging.getLogger("mlflow").level

    tracker.record_training(training("c"))

    assert (mlflow.get_tracking_uri(), mlflow.active_run()) == (address, None)
    assert logging.getLogger("mlflow").level == level
    assert capfd.readouterr() == ("", "")


def test_a_metric_that_is_not_finite_is_refused() -> None:
    with pytest.raises(TrackingError, match=r"kmeans-3 has no finite silhouette: leave out"):
        replace(candidate(3, is_chosen=False), metrics={"silhouette": float("nan"), "sse": 1.0})


def test_the_published_model_is_loaded_by_its_address(
    tracker: Tracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracker.record_training(training("a"))
    tracker.mark_published("model-a")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracker.place.address)

    loaded = mlflow.pyfunc.load_model(tracker.model_address())

    found = loaded.predict(pd.DataFrame({"recency_days": [3], "monetary_amount": [812]}))
    expected = MODEL.score_values(np.array([[3.0, 812.0]]))
    assert found["cluster_index"].tolist() == expected.cluster_index.tolist()


def test_the_tracker_is_imported_without_mlflow() -> None:
    program = "import sys, segspark.tracking.tracker; sys.exit('mlflow' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
