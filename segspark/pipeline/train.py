"""Stage: a snapshot of features → candidates, a chosen model, an MLflow record."""

from datetime import date
from typing import Any

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from segspark.clustering.engine import SweepEngine
from segspark.clustering.selection import CandidateResult
from segspark.clustering.sparkml import SparkMLEngine
from segspark.clustering.sweep import Sweep, run_sweep
from segspark.clustering.vectorise import fit_vector, vector_column
from segspark.errors import StageError
from segspark.features.eligibility import eligible, with_vector_eligibility
from segspark.model.segment_model import SegmentModel
from segspark.model.vector import FeatureVector
from segspark.pipeline.features import read_snapshot, snapshot_of
from segspark.pipeline.stage import StageResult, Workspace, run_stage
from segspark.settings.root import Settings
from segspark.tables.engine_errors import engine_sentences
from segspark.tables.features import CUSTOMER_FEATURES
from segspark.tables.ids import content_id
from segspark.tables.lake import Lake
from segspark.tables.manifest import Outcome, StageRun, table_versions
from segspark.tables.segments import SEGMENT_CANDIDATES, SEGMENT_MODELS
from segspark.tracking.records import CandidateRecord, TrainingRecord
from segspark.tracking.tracker import Tracker

STAGE = "train"
_TRAINING_VERSION = 1
"""Raised when the same features and settings would give another model."""


def train(workspace: Workspace, *, as_of: date, snapshot_id: str | None = None) -> StageResult:
    """Try the configured candidates on a snapshot and keep the chosen model.

    Args:
        workspace: The surroundings.
        as_of: Last day counted in the features.
        snapshot_id: Features to train on; None: those of this date and configuration.

    Raises:
        StageError: There is no such snapshot.
        ClusteringError: The snapshot cannot be clustered as asked.
    """
    lake, settings = workspace.lake, workspace.settings
    snapshot = snapshot_id or snapshot_of(workspace, as_of=as_of)
    training_id = training_id_of(settings, snapshot)
    run = StageRun(
        stage=STAGE,
        stage_id=training_id,
        segmentation=settings.segmentation,
        as_of_date=as_of,
        input_ids=(snapshot,),
        reads=(CUSTOMER_FEATURES,),
        config=settings.model_dump(mode="json", include={"training"}),
    )

    def work() -> Outcome:
        columns = settings.training.vector.columns
        features = eligible(with_vector_eligibility(read_snapshot(lake, snapshot), columns=columns))
        # Before the sweep: a server that is down must not cost one.
        tracker = open_tracker(workspace)
        with engine_sentences("training", error=StageError):
            vector = fit_vector(features, settings.training.vector)
            sweep = _sweep(workspace, features, vector)
        model = _keep(workspace, run, vector, sweep, as_of)
        workspace.progress.step("train: recording the candidates in MLflow")
        version = tracker.record_training(_record(workspace, run, model, sweep, as_of))
        rows = sweep.selection.rows
        return Outcome(
            summary=f"{sweep.selection.chosen.candidate_id} of {len(rows)} candidates",
            rows_in={CUSTOMER_FEATURES.name: features.count()},
            rows_out={SEGMENT_CANDIDATES.name: len(rows), SEGMENT_MODELS.name: 1},
            audit={"verdict": sweep.selection.verdict, "mlflow_model_version": version},
        )

    return run_stage(workspace, run, work)


def find_model(lake: Lake, training_id: str) -> Row | None:
    """The model that a training chose, or None where there was no such training."""
    return lake.read(SEGMENT_MODELS).filter(F.col("training_id") == training_id).first()


def training_id_of(settings: Settings, snapshot_id: str) -> str:
    """Id of the training that the settings make of a snapshot."""
    config = settings.training.model_dump(mode="json")
    return content_id("training", settings.segmentation, snapshot_id, config, _TRAINING_VERSION)


def _engine() -> SweepEngine:
    """The engine of `training.sweep.engine`; there is one so far."""
    return SparkMLEngine()


def _sweep(workspace: Workspace, features: DataFrame, vector: FeatureVector) -> Sweep:
    points = features.select("customer_id", vector_column(vector).alias("vector"))

    def progress(done: int, total: int, name: str) -> None:
        workspace.progress.step(f"train: candidate {done} of {total}, {name}")

    return run_sweep(points, workspace.settings.training, engine=_engine(), progress=progress)


def _keep(
    workspace: Workspace, run: StageRun, vector: FeatureVector, sweep: Sweep, as_of: date
) -> SegmentModel:
    """Write the candidates and the model."""
    lake, settings = workspace.lake, workspace.settings
    chosen, snapshot_id = sweep.selection.chosen, run.input_ids[0]
    model = SegmentModel(
        model_id=content_id("model", run.stage_id, chosen.candidate_id),
        training_id=run.stage_id,
        algorithm=chosen.candidate.algorithm.value,
        vector=vector,
        clusters=sweep.clusters,
        outlier_distance=sweep.outlier_distance,
    )
    model_values = (
        model.model_id,
        run.stage_id,
        settings.segmentation,
        snapshot_id,
        as_of,
        model.algorithm,
        model.clusters.k,
        model.to_json(),
        sweep.selection.verdict,
    )
    candidates = [_candidate_values(run.stage_id, row, sweep) for row in sweep.selection.rows]
    rows = {"training_id": run.stage_id}
    spark = lake.spark
    lake.replace(
        SEGMENT_CANDIDATES, spark.createDataFrame(candidates, SEGMENT_CANDIDATES.schema), rows
    )
    lake.replace(SEGMENT_MODELS, spark.createDataFrame([model_values], SEGMENT_MODELS.schema), rows)
    return model


def open_tracker(workspace: Workspace) -> Tracker:
    """MLflow as the settings name it."""
    settings = workspace.settings
    return Tracker.open(
        settings.tracking,
        lake_folder=workspace.lake.local_folder,
        segmentation=settings.segmentation,
    )


def _candidate_values(training_id: str, row: CandidateResult, sweep: Sweep) -> tuple[object, ...]:
    found, fitted = row.evidence, row.fitted
    return (
        training_id,
        row.candidate_id,
        row.candidate.algorithm.value,
        row.candidate.segment_count,
        found.cluster_count if found else None,
        row.silhouette,
        row.structureless.mean if row.structureless else None,
        row.gain,
        found.davies_bouldin if found else None,
        found.calinski_harabasz if found else None,
        found.within_cluster_sum if found else None,
        found.smallest_share if found else None,
        found.largest_share if found else None,
        fitted.log_likelihood,
        row.is_chosen,
        row.candidate == sweep.selection.plain_maximum.candidate,
        row.reason,
        fitted.seconds,
    )


def _record(
    workspace: Workspace, run: StageRun, model: SegmentModel, sweep: Sweep, as_of: date
) -> TrainingRecord:
    settings, lake = workspace.settings, workspace.lake
    return TrainingRecord(
        training_id=run.stage_id,
        model_id=model.model_id,
        segmentation=settings.segmentation,
        snapshot_id=run.input_ids[0],
        as_of_date=as_of,
        parameters=_flat(settings.training.model_dump(mode="json")),
        table_versions=table_versions(lake, run.reads),
        verdict=sweep.selection.verdict,
        candidates=tuple(_candidate_record(row) for row in sweep.selection.rows),
        model_json=model.to_json(),
    )


def _candidate_record(row: CandidateResult) -> CandidateRecord:
    found = row.evidence
    metrics: dict[str, float | None] = {
        "silhouette": row.silhouette,
        "silhouette_gain": row.gain,
        "log_likelihood": row.fitted.log_likelihood,
        "elapsed_seconds": row.fitted.seconds,
    }
    if found is not None:
        metrics |= {
            "davies_bouldin": found.davies_bouldin,
            "calinski_harabasz": found.calinski_harabasz,
            "within_cluster_sum": found.within_cluster_sum,
            "smallest_segment_ratio": found.smallest_share,
            "largest_segment_ratio": found.largest_share,
        }
    return CandidateRecord(
        candidate_id=row.candidate_id,
        algorithm=row.candidate.algorithm.value,
        segment_count=row.candidate.segment_count,
        parameters={"restarts": row.fitted.restarts},
        metrics={name: value for name, value in metrics.items() if value is not None},
        is_chosen=row.is_chosen,
        reason=row.reason,
    )


def _flat(settings: dict[str, Any], lead: str = "") -> dict[str, str | int | float]:
    """Nested settings as dotted keys, as MLflow lists parameters."""
    flat: dict[str, str | int | float] = {}
    for key, value in settings.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{lead}{key}.")
        else:
            flat[f"{lead}{key}"] = value if isinstance(value, int | float) else str(value)
    return flat
