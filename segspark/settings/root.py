"""The whole configuration of one segmentation."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from segspark.settings.base import StrictModel
from segspark.settings.features import FeatureSettings, LedgerSettings
from segspark.settings.lake import LakeSettings, SparkSettings, TrackingSettings
from segspark.settings.lifetime import LifetimeSettings
from segspark.settings.segments import AssignmentSettings, AuditSettings
from segspark.settings.sources import Source
from segspark.settings.training import TrainingSettings

_NAME = re.compile(r"[^\W_][\w.-]{0,63}")


def _check_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(
            "the name of a source has at most 64 letters, digits, dots, hyphens and underscores, "
            "and starts with a letter or digit"
        )
    return name


SourceName = Annotated[str, AfterValidator(_check_name)]
"""It becomes part of addresses, in which other signs would lead elsewhere or fit more."""


class Settings(StrictModel):
    """One segmentation of one lake's customers."""

    segmentation: str = Field(default="default", pattern="^[a-z][a-z0-9_]{0,39}$")
    """Name of the segmentation; it owns configuration, models and publications."""
    lake: LakeSettings = LakeSettings()
    """Where the tables are."""
    spark: SparkSettings = SparkSettings()
    """The local session."""
    tracking: TrackingSettings = TrackingSettings()
    """MLflow."""
    sources: dict[SourceName, Source] = Field(default_factory=dict)
    """Sources by name: of transactions, customers, products or events."""
    ledger: LedgerSettings = LedgerSettings()
    """What counts as a purchase."""
    features: FeatureSettings = FeatureSettings()
    """Customer features."""
    lifetime: LifetimeSettings = LifetimeSettings()
    """Lifetime value and churn."""
    training: TrainingSettings = TrainingSettings()
    """Sweep and selection."""
    assignment: AssignmentSettings = AssignmentSettings()
    """Flags of each assignment."""
    audit: AuditSettings = AuditSettings()
    """Conditions of publication."""
