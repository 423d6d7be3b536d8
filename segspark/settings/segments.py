"""How customers are assigned, and what a run must show before it is published."""

from pydantic import Field

from segspark.settings.base import StrictModel


class ExplanationSettings(StrictModel):
    """How a run's segments are explained, on customers that the driver can hold."""

    most_customers: int = Field(default=50_000, ge=100)
    """Of more customers, about so many are looked at, always the same ones."""
    tree_depth: int = Field(default=4, ge=1, le=8)
    """Questions that a rule asks at most."""
    smallest_leaf_ratio: float = Field(default=0.01, gt=0, lt=0.5)
    """Share of the customers that a rule must hold at least; and never fewer than five."""
    seed: int = Field(default=20171, ge=0)
    """Seed of the customers that the rules are tested on."""


class AssignmentSettings(StrictModel):
    """Flags of an assignment, and what explains it."""

    borderline_confidence: float = Field(default=0.1, ge=0, le=1)
    """A customer whose confidence is lower is flagged as borderline."""
    explanation: ExplanationSettings = ExplanationSettings()
    """The rules that tell segments apart, and what else differs between them."""


class AuditSettings(StrictModel):
    """What the audit asks of a run."""

    most_excluded_ratio: float = Field(default=0.5, ge=0, le=1)
    """Share of customers without a segment above which nothing is published."""
    most_borderline_ratio: float = Field(default=0.5, ge=0, le=1)
    """Share of assigned customers on a border above which nothing is published."""
    most_outlier_ratio: float = Field(default=0.1, ge=0, le=1)
    """Share of assigned customers flagged as outliers, those that `training.outliers` sets apart
    among them, above which nothing is published."""
