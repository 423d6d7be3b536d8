"""Figures of batches, and what became of them: rows of `ingest_quality`."""

from collections.abc import Mapping
from dataclasses import dataclass

from segspark.settings.sources import Alarm

DISTINCT_ERROR_RATIO = 0.02
"""Relative standard error with which different values are counted."""
ALARM_OF: Mapping[str, Alarm] = {
    "volume": "volume",
    "completeness": "completeness",
    "distinct": "distinct",
    "mean": "mean",
    "share": "mean",
    "refused": "refused",
    "new_values": "new_values",
    "columns": "columns",
}
"""Metric → alarm; a share is the mean of yes and no. Other metrics are for information only."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a batch, as it was counted.

    Attributes:
        batch_id: The batch.
        metric: As in `ingest_quality`.
        column_name: What it is about; empty for the whole batch.
        value: The figure, or None.
        text_value: Dates in ISO, JSON of values or names, or None.
    """

    batch_id: str
    metric: str
    column_name: str
    value: float | None
    text_value: str | None = None


@dataclass(frozen=True, slots=True)
class QualityRow:
    """One row of `ingest_quality`; the fields are its columns, in order."""

    batch_id: str
    source: str
    metric: str
    column_name: str
    value: float | None
    text_value: str | None
    usual_low: float | None
    usual_high: float | None
    history_batch_count: int
    is_alarm: bool
