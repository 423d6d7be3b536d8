"""Ways to divide the days of a calendar, in days since 1970-01-01."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from segspark.settings.behaviour import DayRange, SeasonSettings, day_ranges

Days = NDArray[np.int64]

NO_HOLIDAY = ""
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_THURSDAY = _WEEKDAYS.index("thursday")


@dataclass(frozen=True, slots=True)
class Calendar:
    """A way to divide days.

    Attributes:
        name: Kind of season.
        levels: Its levels; one without a name is compared with the others and not told.
        level: Days → number of each one's level.
    """

    name: str
    levels: tuple[str, ...]
    level: Callable[[Days], Days]

    def time(self, first_days: Days, last_day: int) -> Days:
        """How many days each level has from each of these days to the last, both counted.

        Returns:
            Shape (days, levels); zeros for a day after the last.
        """
        begin = min(int(first_days.min(initial=last_day)), last_day)
        levels = self.level(np.arange(begin, last_day + 1))
        is_level = levels[:, np.newaxis] == np.arange(len(self.levels))
        nothing = np.zeros((1, len(self.levels)), dtype=np.int64)
        until_the_end = np.concatenate([is_level[::-1].cumsum(axis=0)[::-1], nothing])
        found: Days = until_the_end[first_days - begin]
        return found


def calendars(settings: SeasonSettings) -> tuple[Calendar, ...]:
    """The ways to divide days, in which parts of the day have no part."""
    ranges = [day_ranges(text) for text in settings.holidays.values()]
    return (
        Calendar("month", _MONTHS, lambda days: _months(days) % len(_MONTHS)),
        Calendar("weekday", _WEEKDAYS, lambda days: (days + _THURSDAY) % len(_WEEKDAYS)),
        Calendar("holiday", (*settings.holidays, NO_HOLIDAY), partial(_period, ranges)),
    )


def _period(holidays: Sequence[Sequence[DayRange]], days: Days) -> Days:
    """Number of the first period that each day is in; of a day in none, the number after them."""
    of_year = (_months(days) % len(_MONTHS) + 1) * 100 + _days_of_month(days)
    found = np.full(len(days), len(holidays), dtype=np.int64)
    for number, ranges in reversed(list(enumerate(holidays))):
        for each in ranges:
            found[_is_in(each, days, of_year)] = number
    return found


def _is_in(each: DayRange, days: Days, of_year: Days) -> NDArray[np.bool_]:
    if not each.is_yearly:
        dates = days.astype("datetime64[D]")
        return (dates >= np.datetime64(each.first)) & (dates <= np.datetime64(each.last))
    first, last = (day.month * 100 + day.day for day in (each.first, each.last))
    after, before = of_year >= first, of_year <= last
    found: NDArray[np.bool_] = after & before if first <= last else after | before
    return found


def _months(days: Days) -> Days:
    """Months since January 1970."""
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def _days_of_month(days: Days) -> Days:
    dates = days.astype("datetime64[D]")
    found: Days = (dates - dates.astype("datetime64[M]")).astype(np.int64) + 1
    return found
