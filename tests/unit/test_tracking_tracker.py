import json
import logging
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.entities import Run, ViewType
from mlflow.pyfunc import PyFuncModel

import segspark
from segspark.errors import ClusteringError, TrackingError
from segspark.model.clusters import Centres
from segspark.model.segment_model import SegmentModel
from segspark.model.vector import FeatureVector, VectorColumn
from segspark.settings.lake import TrackingSettings
from segspark.tracking.records import CandidateRecord, TrainingRecord
from segspark.tracking.tracker import Tracker

MODEL = SegmentModel(
    model_id="model-a",
    training_id="training-a",
    algorithm="kmeans",
    vector=FeatureVector(
        (
            VectorColumn("recency_days", 0.0, 6.0, 3.0, 1.5),
            VectorColumn("monetary_amount", -np.inf, np.inf, 5.0, 2.0),
        )
    ),
    clusters=Centres(np.array([[0.1, 0.2], [1.0, -1.0], [-1.0, 1.0]])),
    outlier_distance=1.0,
)
CUSTOMERS = pd.DataFrame(
    {
        "customer_id": ["a", "b", "c"],
        "monetary_amount": [Decimal("812.50"), Decimal("0"), Decimal("25000")],
        "recency_days": [3, 150, 7_000_000_000],
    },
    index=[7, 8, 9],
)


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


@pytest.fixture(scope="module")
def served(tracker: Tracker) -> PyFuncModel:
    version = tracker.record_training(training("a"))
    found = tracker.versions.client.get_model_version(tracker.versions.name, version)
    return mlflow.pyfunc.load_model(found.source)


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

    run_id = next(r for r in runs_of(tracker, "training-a") if "training-a" in r.info.run_name)
    folder = lake / "mlartifacts" / run_id.info.run_id / "artifacts"
    assert (folder / "model.json").read_text() == training("a").model_json
    assert (folder / "verdict.txt").read_text().startswith("Four segments.")
    table = json.loads((folder / "candidates.json").read_text())
    assert [row[:4] for row in table["data"]] == [
        ["kmeans-3", "kmeans", 3, False],
        ["kmeans-4", "kmeans", 4, True],
    ]


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


def test_the_registered_model_scores_as_the_model_does(served: PyFuncModel) -> None:
    values = CUSTOMERS[["recency_days", "monetary_amount"]].to_numpy(dtype=np.float64)
    expected = MODEL.score_values(values)

    found = served.predict(CUSTOMERS)

    assert found.index.tolist() == [7, 8, 9]
    assert found["cluster_index"].tolist() == expected.cluster_index.tolist()
    assert found["runner_up_index"].tolist() == expected.runner_up_index.tolist()
    np.testing.assert_array_equal(found["centre_distance"], expected.centre_distance)
    np.testing.assert_array_equal(found["confidence_ratio"], expected.confidence)
    assert found["probability_ratio"].isna().all()
    assert found["is_outlier"].tolist() == MODEL.is_outlier(expected).tolist()
    assert len(set(found["cluster_index"])) > 1


def test_no_customers_give_no_rows(served: PyFuncModel) -> None:
    assert len(served.predict(CUSTOMERS.iloc[:0])) == 0


def test_a_missing_feature_is_told_in_one_sentence_without_the_customers(
    served: PyFuncModel,
) -> None:
    with pytest.raises(ClusteringError) as caught:
        served.predict(CUSTOMERS.drop(columns="recency_days"))

    assert str(caught.value) == (
        "the input has no column recency_days: give the features of the model "
        "(recency_days, monetary_amount) in natural units"
    )


@pytest.mark.parametrize("value", [None, "many", float("nan")])
def test_a_value_that_is_no_number_is_told_in_one_sentence(
    served: PyFuncModel, value: object
) -> None:
    frame = pd.DataFrame({"recency_days": [value], "monetary_amount": [1]})

    with pytest.raises(ClusteringError, match="number"):
        served.predict(frame)


def test_the_registered_model_holds_no_pickle_and_says_what_it_needs(served: PyFuncModel) -> None:
    folder = Path(served._model_impl.context.artifacts["model"]).parents[1]  # noqa: SLF001
    names = {path.name for path in folder.rglob("*")}

    assert not [name for name in names if name.endswith((".pkl", ".pickle", ".joblib"))]
    assert {"input_example.json", "served_model.py", "segment_model.py"} <= names
    needed = (folder / "requirements.txt").read_text().split()
    assert [line.partition("==")[0] for line in needed] == ["mlflow", "numpy", "pandas"]
    assert served.metadata.signature is not None


BLOCK_SPARK = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("pyspark", "delta", "py4j"):
            raise ImportError(name)
sys.meta_path.insert(0, Block())
"""
LOAD_ELSEWHERE = f"""{BLOCK_SPARK}
import mlflow, pandas
model = mlflow.pyfunc.load_model(sys.argv[1])
found = model.predict(pandas.DataFrame({{"recency_days": [3], "monetary_amount": [812.5]}}))
assert not [n for n in sys.modules if n.partition(".")[0] in ("pyspark", "delta", "py4j")]
assert sys.modules["segspark"].__file__.endswith("/code/segspark/__init__.py")
assert "segspark.settings" not in sys.modules
print(found["cluster_index"].tolist()[0], found["centre_distance"].tolist()[0].hex())
"""


def test_the_registered_model_loads_where_neither_segspark_nor_spark_is_installed(
    tracker: Tracker, tmp_path: Path
) -> None:
    version = tracker.record_training(training("a"))
    source = tracker.versions.client.get_model_version("segspark-default", version).source

    found = subprocess.run(
        [sys.executable, "-c", LOAD_ELSEWHERE, source],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "MLFLOW_DISABLE_TELEMETRY": "true"},
    )

    expected = MODEL.score_values(np.array([[3.0, 812.5]]))
    answer = f"{expected.cluster_index[0]} {float(expected.centre_distance[0]).hex()}"
    assert found.stdout.strip() == answer, found.stderr


BUILD_FROM_ZIP = """
import sys
from pathlib import Path
import segspark
from segspark.tracking.packaging import build_model_folder
assert ".zip" in segspark.__file__
build_model_folder(sys.argv[1], folder=Path("."), run_id="r", logged_model_id="m-1",
                   artifact_uri="file:///x")
"""


def test_the_model_is_built_from_a_zip_as_well(tmp_path: Path) -> None:
    package = Path(str(segspark.__file__)).parent
    with zipfile.ZipFile(tmp_path / "segspark.zip", "w") as archive:
        for file in package.rglob("*.py"):
            archive.write(file, Path("segspark") / file.relative_to(package))

    found = subprocess.run(
        [sys.executable, "-c", BUILD_FROM_ZIP, MODEL.to_json()],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(tmp_path / "segspark.zip")},
    )

    assert found.returncode == 0, found.stderr
    assert (tmp_path / "saved" / "code" / "segspark" / "model" / "segment_model.py").is_file()


def test_the_tracker_is_imported_without_mlflow() -> None:
    program = "import sys, segspark.tracking.tracker; sys.exit('mlflow' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
