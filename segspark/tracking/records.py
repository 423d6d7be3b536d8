"""What a training hands over to be recorded."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from segspark.errors import TrackingError


@dataclass(frozen=True, slots=True)
class CandidateRecord:
    """One clustering that was tried.

    Attributes:
        candidate_id: Name of the candidate within its training.
        algorithm: Family of the clustering, such as `kmeans`.
        segment_count: Number of clusters.
        parameters: What it was fitted with.
        metrics: Finite numbers only; a metric that does not apply is left out.
        is_chosen: Whether it became the training's model.
        reason: Why it was chosen, or why not.

    Raises:
        TrackingError: A metric is NaN or infinite, which MLflow's databases do not all keep.
    """

    candidate_id: str
    algorithm: str
    segment_count: int
    parameters: Mapping[str, str | int | float]
    metrics: Mapping[str, float]
    is_chosen: bool
    reason: str

    def __post_init__(self) -> None:
        wrong = [name for name, value in self.metrics.items() if not math.isfinite(value)]
        if wrong:
            raise TrackingError(
                f"candidate {self.candidate_id} has no finite {', '.join(wrong)}: "
                f"leave out metrics that do not apply"
            )


@dataclass(frozen=True, slots=True)
class TrainingRecord:
    """One training: its inputs, every candidate, the verdict and the model.

    Attributes:
        training_id: Content address of the training; a run in MLflow is found by it.
        model_id: Content address of the chosen model.
        segmentation: Name of the segmentation that the model is for.
        snapshot_id: The features that it was trained on.
        as_of_date: The last day counted in them.
        parameters: Settings of the training.
        table_versions: Delta version of each table that was read, by the table's name.
        verdict: What the selection says about the choice, in sentences.
        candidates: Every candidate, the chosen one among them.
        model_json: The chosen model as `SegmentModel.to_json` wrote it.
        files: Text of what people read of it, such as pictures, by the name of the file.
    """

    training_id: str
    model_id: str
    segmentation: str
    snapshot_id: str
    as_of_date: date
    parameters: Mapping[str, str | int | float]
    table_versions: Mapping[str, int]
    verdict: str
    candidates: tuple[CandidateRecord, ...]
    model_json: str
    files: Mapping[str, str]
