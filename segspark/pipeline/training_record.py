"""What MLflow keeps of a training, and where it keeps it."""

from datetime import date
from typing import Any

from segspark.model.segment_model import SegmentModel
from segspark.pipeline.stage import Workspace
from segspark.pipeline.training_report import report_of
from segspark.pipeline.tried_candidates import Trained, TriedCandidate
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
    workspace: Workspace, run: StageRun, model: SegmentModel, trained: Trained, as_of: date
) -> TrainingRecord:
    """Everything that MLflow keeps of a training.

    Args:
        workspace: The surroundings.
        run: The training.
        model: The chosen model.
        trained: What came of it.
        as_of: Last day counted.
    """
    settings, lake = workspace.settings, workspace.lake
    return TrainingRecord(
        training_id=run.stage_id,
        model_id=model.model_id,
        segmentation=settings.segmentation,
        snapshot_id=run.input_ids[0],
        as_of_date=as_of,
        parameters=_flat(settings.training.model_dump(mode="json")) | _fitted(trained),
        table_versions=table_versions(lake, run.reads),
        verdict=trained.verdict,
        candidates=tuple(map(_candidate_record, trained.tried)),
        model_json=model.to_json(),
        files=report_of(trained, run.stage_id),
    )


def _fitted(trained: Trained) -> dict[str, str | int | float]:
    """What the settings alone do not tell: recipe and columns, and what components explain."""
    plan = trained.plan
    fitted: dict[str, str | int | float] = {
        "vector.recipe": plan.settings.recipe,
        "vector.columns": ", ".join(plan.fit.vector.names),
    }
    for method, embedding in trained.sweep.embeddings.items():
        fitted[f"embeddings.{method.value}.components"] = embedding.component_count
        fitted[f"embeddings.{method.value}.explained_ratio"] = embedding.explained_ratio
    return fitted


def _candidate_record(tried: TriedCandidate) -> CandidateRecord:
    row, candidate = tried.row, tried.candidate
    metrics = tried.figures | {"elapsed_seconds": row.fitted.seconds}
    parameters: dict[str, str | int | float] = {
        "recipe": tried.recipe,
        "embedding": candidate.embedding.value,
        "restarts": row.fitted.restarts,
    }
    if candidate.covariance is not None:
        parameters["covariance"] = candidate.covariance.value
    return CandidateRecord(
        candidate_id=tried.candidate_id,
        algorithm=candidate.algorithm.value,
        segment_count=candidate.segment_count,
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
