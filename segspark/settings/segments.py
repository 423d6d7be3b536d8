"""How customers are assigned, and what a run must show before it is published."""

from pydantic import Field

from segspark.settings.base import StrictModel


class AssignmentSettings(StrictModel):
    """Flags of an assignment."""

    borderline_confidence: float = Field(default=0.1, ge=0, le=1)
    """A customer whose confidence is lower is flagged as borderline."""


class AuditSettings(StrictModel):
    """What the audit asks of a run."""

    most_excluded_ratio: float = Field(default=0.5, ge=0, le=1)
    """Share of customers without a segment above which nothing is published."""
    most_borderline_ratio: float = Field(default=0.5, ge=0, le=1)
    """Share of assigned customers on a border above which nothing is published."""
    most_outlier_ratio: float = Field(default=0.1, ge=0, le=1)
    """Share of assigned customers far from every segment above which nothing is published."""
