"""Feature groups beside the core table: seasons, categories, what is known of customers."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field

from segspark.settings.base import StrictModel

_LEAP_YEAR = 2000
_RANGE = re.compile(r"(?:(\d{4})-)?(\d\d-\d\d)\.\.(?:(\d{4})-)?(\d\d-\d\d)")


@dataclass(frozen=True, slots=True)
class DayRange:
    """Days from the first to the last, both within.

    Attributes:
        first: First day; of a range that comes every year, in a leap year.
        last: Last day, likewise; before `first` where the range goes on over New Year.
        is_yearly: Whether it comes every year.
    """

    first: date
    last: date
    is_yearly: bool


def day_ranges(text: str) -> tuple[DayRange, ...]:
    """Read ranges such as `12-24..01-01` or `2026-04-03..2026-04-06`, separated by commas.

    Raises:
        ValueError: One of them cannot be read, or ends before it begins.
    """
    return tuple(_day_range(part.strip()) for part in text.split(","))


def _day_range(text: str) -> DayRange:
    found = _RANGE.fullmatch(text)
    if found is None or (found[1] is None) != (found[3] is None):
        raise ValueError(
            f"{text!r} is no range of days: write 12-01..12-24, which comes every year, or "
            "2026-04-03..2026-04-06"
        )
    is_yearly = found[1] is None
    first = _day(found[1] or f"{_LEAP_YEAR}", found[2])
    last = _day(found[3] or f"{_LEAP_YEAR}", found[4])
    if last < first and not is_yearly:
        raise ValueError(f"{text!r} ends before it begins: exchange its two days")
    return DayRange(first, last, is_yearly)


def _day(year: str, rest: str) -> date:
    try:
        return date.fromisoformat(f"{year}-{rest}")
    except ValueError as error:
        raise ValueError(f"{rest!r} of a range of days is no day of the calendar") from error


def _check_ranges(text: str) -> str:
    day_ranges(text)
    return text


Finite = Annotated[float, Field(allow_inf_nan=False)]
HolidayName = Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,39}$")]
DayRanges = Annotated[str, AfterValidator(_check_ranges)]


class SeasonSettings(StrictModel):
    """When customers buy: shares by month, weekday, part of the day and holiday period."""

    holidays: dict[HolidayName, DayRanges] = Field(default_factory=dict)
    """Name of a holiday period → its days, such as `12-01..12-24`, which come every year, or
    `2025-04-18..2025-04-21, 2026-04-03..2026-04-06`. A day in two periods is of the first one."""


class CategorySettings(StrictModel):
    """What customers prefer: orders, affinity and favourite by category of the products."""

    level: int = Field(default=1, ge=1)
    """Level of the products' categories; 1: the broadest. Without a source of products, the
    product's code is the category."""
    attribute: str | None = None
    """Attribute of the products that is the category in place of a level, such as `brand_name`."""
    prior_weight: float = Field(default=10.0, gt=0)
    """How many orders of an average customer are put beside each customer's own: the higher, the
    less do few orders say."""


class AttributeSettings(StrictModel):
    """Where customers live and buy, and their demographics, for profiles."""

    max_categories: int = Field(default=10, ge=1)
    """So many values of each attribute are kept, the ones that most customers have; the others
    become `other`."""


class EngagementSettings(StrictModel):
    """What customers do and receive beside purchases, from the sources of events."""

    weights: dict[str, Finite] = Field(default_factory=dict)
    """Type of event → what one of today adds to the engagement score; a type that is not named adds
    nothing. Without weights, every event adds 1."""
    half_life_days: float = Field(default=30.0, gt=0, le=36_500)
    """An event so many days ago adds half of that."""
