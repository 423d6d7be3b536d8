"""What MLflow keeps of a training, and where it keeps it."""

from datetime import date
from typing import Any

from segspark.clustering.embedded_fits import Embeddings
from segspark.clustering.results import CandidateResult
from segspark.clustering.sweep import Sweep
from segspark.model.segment_model import SegmentModel
from segspark.model.vector import FeatureVector
from segspark.pipeline.candidate_figures import candidate_figures
from segspark.pipeline.picturing import pictures_of
from segspark.pipeline.stage import Workspace
from segspark.tables.manifest import StageRun, table_versions
from segspark.tracking.records import CandidateRecord, TrainingRecord
from segspark.tracking.tracker import Tracker


def open_tracker(workspace: Workspace) -> Tracker:
    """MLflow as the settings name it."""
    settings = workspace.settings
    return Tracker.open(
        settings.tracking,
        lake_folder=workspace.lake.local_folder,
        segmentation=settings.segmentation,
    )


def training_record(
    workspace: Workspace, run: StageRun, model: SegmentModel, sweep: Sweep, as_of: date
) -> TrainingRecord:
    """Everything that MLflow keeps of a training.

    Args:
        workspace: The surroundings.
        run: The training.
        model: The chosen model.
        sweep: Every candidate.
        as_of: Last day counted.
    """
    settings, lake = workspace.settings, workspace.lake
    return TrainingRecord(
        training_id=run.stage_id,
        model_id=model.model_id,
        segmentation=settings.segmentation,
        snapshot_id=run.input_ids[0],
        as_of_date=as_of,
        parameters=_flat(settings.training.model_dump(mode="json"))
        | _fitted(model.vector, sweep.embeddings),
        table_versions=table_versions(lake, run.reads),
        verdict=sweep.selection.verdict,
        candidates=tuple(_candidate_record(row) for row in sweep.selection.rows),
        model_json=model.to_json(),
        pictures=pictures_of(sweep),
    )


def _fitted(vector: FeatureVector, embeddings: Embeddings) -> dict[str, str | int | float]:
    """What the settings alone do not tell: a recipe's columns, and what components explain."""
    fitted: dict[str, str | int | float] = {"vector.columns": ", ".join(vector.names)}
    for method, embedding in embeddings.items():
        fitted[f"embeddings.{method.value}.components"] = embedding.component_count
        fitted[f"embeddings.{method.value}.explained_ratio"] = embedding.explained_ratio
    return fitted


def _candidate_record(row: CandidateResult) -> CandidateRecord:
    metrics = candidate_figures(row) | {"elapsed_seconds": row.fitted.seconds}
    parameters: dict[str, str | int | float] = {
        "embedding": row.candidate.embedding.value,
        "restarts": row.fitted.restarts,
    }
    if row.candidate.covariance is not None:
        parameters["covariance"] = row.candidate.covariance.value
    return CandidateRecord(
        candidate_id=row.candidate_id,
        algorithm=row.candidate.algorithm.value,
        segment_count=row.candidate.segment_count,
        parameters=parameters,
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
