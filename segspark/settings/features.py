"""What counts as a purchase, and which features are built from it."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from segspark.settings.base import StrictModel
from segspark.settings.behaviour import (
    AttributeSettings,
    CategorySettings,
    EngagementSettings,
    SeasonSettings,
)
from segspark.settings.rules import LineKind

KindName = Annotated[LineKind, Field(strict=False)]
"""A kind of line, written as its name."""
_FUNCTION = r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*$"


class LedgerSettings(StrictModel):
    """What enters the ledgers of customer days and of events."""

    sources: tuple[str, ...] = Field(default=(), strict=False)
    """Names of the sources of purchases and of events that count; empty: all."""
    purchase_kinds: tuple[KindName, ...] = Field(default=(LineKind.SALE,), strict=False)
    """Kinds of line that, with money above zero, make a purchase; a `sample` does without money,
    so name it where free lines are purchases, too."""
    return_kinds: tuple[KindName, ...] = Field(
        default=(LineKind.RETURN, LineKind.CANCELLATION), strict=False
    )
    """Kinds of line that, with money below zero, undo one."""
    exact_duplicates: Literal["once", "all"] = "once"
    """Whether lines and events that are equal in every column count once or each time."""
    return_matching: Literal["oldest", "nearest"] = "oldest"
    """Which purchase of the same customer, product and price a return undoes first: `oldest`, the
    first bought that is not undone yet, or `nearest`, the last bought before the return."""

    @model_validator(mode="after")
    def _kinds_are_disjoint(self) -> Self:
        both = set(self.purchase_kinds) & set(self.return_kinds)
        if both:
            raise ValueError(f"{', '.join(sorted(both))} cannot be both purchase and return")
        return self


class ScoreCuts(StrictModel):
    """Fixed cuts of the RFM scores, four rising numbers each."""

    recency_days: tuple[float, float, float, float] = Field(strict=False)
    """A customer scores 5 up to and including the first cut, 1 above the last."""
    frequency_count: tuple[float, float, float, float] = Field(strict=False)
    """A customer scores 1 up to and including the first cut, 5 above the last."""
    monetary_amount: tuple[float, float, float, float] = Field(strict=False)
    """As for frequency."""

    @field_validator("*")
    @classmethod
    def _rise(cls, cuts: tuple[float, ...]) -> tuple[float, ...]:
        if list(cuts) != sorted(cuts):
            raise ValueError("cuts must not fall")
        return cuts


class CustomFeature(StrictModel):
    """A feature of your own: a nullable double column of `customer_features`."""

    name: str = Field(pattern="^[a-z][a-z0-9_]{0,62}$")
    """Name of the column; its unit belongs at its end, such as `_days` or `_ratio`."""
    unit: str = Field(min_length=1)
    """What it is measured in."""
    description: str = Field(min_length=1)
    """What it means, one sentence."""
    expression: str | None = Field(default=None, min_length=1)
    """Spark SQL over the other columns of the same customer, such as
    `spend_30_days_amount / nullif(monetary_amount, 0)`."""
    function: str | None = Field(default=None, pattern=_FUNCTION)
    """In place of an expression: a Python function, written `package.module:function`, that takes
    a mapping from names to the columns and returns a column."""

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if (self.expression is None) == (self.function is None):
            raise ValueError("give exactly one of expression and function")
        return self


class FeatureSettings(StrictModel):
    """Customer features as of a date."""

    monetary: Literal["net", "gross"] = "net"
    """`net`: what returns undo stops counting, in days, orders and money; `gross`: returns are
    ignored, the recipe of most published tables."""
    observation_days: int | None = Field(default=None, ge=1, le=36_500)
    """Length of the RFM observation window, ending on the as-of date; none: everything."""
    score_cuts: ScoreCuts | None = None
    """Cuts of the RFM scores; none: quintiles of the day, recorded with the run."""
    score_cuts_as_of: date | None = Field(default=None, strict=False)
    """Day whose quintiles score every later day, too, so that scores can be compared; its features
    are built first."""
    windows_days: tuple[Annotated[int, Field(ge=1, le=3660)], ...] = Field(
        default=(7, 30, 90), strict=False
    )
    """Lengths of the windows of recent days, rising; each has its columns."""
    custom: tuple[CustomFeature, ...] = Field(default=(), strict=False)
    """Features of your own."""
    seasons: SeasonSettings = SeasonSettings()
    """When customers buy."""
    categories: CategorySettings | None = None
    """What customers prefer; none: not worked out, since it reads the lines."""
    attributes: AttributeSettings | None = None
    """Country, region, store and demographics; none: not worked out, since it reads the lines."""
    engagement: EngagementSettings | None = None
    """Windows of events and the engagement score; none: not worked out."""

    @field_validator("windows_days")
    @classmethod
    def _windows_rise(cls, days: tuple[int, ...]) -> tuple[int, ...]:
        if list(days) != sorted(set(days)):
            raise ValueError("windows rise, and each comes once")
        return days

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.score_cuts is not None and self.score_cuts_as_of is not None:
            raise ValueError("give score_cuts or score_cuts_as_of, not both")
        names = [feature.name for feature in self.custom]
        if len(set(names)) < len(names):
            raise ValueError("each custom feature has a name of its own")
        return self
