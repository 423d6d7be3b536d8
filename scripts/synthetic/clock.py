"""The shop's clock: days that sell more last longer.

Seasons, weekdays and hours are a warp of time, not a thinning of orders. A day lasts as long as its
weight, 1 on average, and within it an hour as long as its share. On this clock the process is
exactly Pareto/NBD with the parameters of `truth.json`; on the calendar's it is seasonal. A fit that
measures time by the weights of `truth.json` meets the parameters, one in calendar days nearly.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from scripts.synthetic.request import Request

YEARLY_GROWTH_RATIO = 0.2
"""By what the number of customers who join grows within a year."""
SECONDS_A_DAY = 86_400
_WEEKDAYS = (0.85, 0.85, 0.9, 1.0, 1.2, 1.4, 0.8)
"""From Monday to Sunday."""
_NIGHT_AND_MORNING = (0.2, 0.1, 0.1, 0.1, 0.1, 0.2, 0.5, 1.0, 2.0, 3.5, 5.0, 5.5)
_AFTERNOON_AND_EVENING = (5.5, 5.0, 4.5, 4.5, 5.0, 6.0, 6.5, 6.0, 5.0, 3.5, 2.0, 0.8)
_HOURS = (*_NIGHT_AND_MORNING, *_AFTERNOON_AND_EVENING)
_YEARLY_SWING_RATIO, _YEARLY_PEAK_DAY = 0.15, 335
_HOLIDAY_SEASON = ((11, 24), (12, 24))
_HOLIDAY_FACTOR = 1.6
_CLOSED_DAYS = ((12, 25), (12, 26), (1, 1))
_CLOSED_FACTOR = 0.1


@dataclass(frozen=True, slots=True)
class Clock:
    """Lengths of the days, and when customers join.

    Attributes:
        first_second: Of the history, since 1970.
        weights: Length of each calendar day on the shop's clock.
        starts: When each day begins on the shop's clock, and at last when the history ends.
        joined: Share of the customers who joined before each day begins, and 1.
        hours: Share of a day that is over as each hour begins, and 1.
        months: Month of each calendar day, from 0.
    """

    first_second: int
    weights: NDArray[np.float64]
    starts: NDArray[np.float64]
    joined: NDArray[np.float64]
    hours: NDArray[np.float64]
    months: NDArray[np.int64]

    @property
    def end_second(self) -> int:
        """First second behind the history, since 1970."""
        return self.first_second + len(self.weights) * SECONDS_A_DAY


def make_clock(request: Request) -> Clock:
    """The clock of a history."""
    first = np.datetime64(request.first_day)
    days = first + np.arange(request.days)
    weights = _day_weights(days)
    growth = (1 + YEARLY_GROWTH_RATIO) ** (np.arange(request.days) / 365.25)
    return Clock(
        first_second=int((first - np.datetime64(date(1970, 1, 1))).astype(np.int64))
        * SECONDS_A_DAY,
        weights=weights,
        starts=np.concatenate([[0.0], np.cumsum(weights)]),
        joined=_shares(weights * growth),
        hours=_shares(np.array(_HOURS)),
        months=days.astype("datetime64[M]").astype(np.int64) % 12,
    )


def seconds_at(clock: Clock, times: NDArray[np.float64]) -> NDArray[np.int64]:
    """Times of the shop's clock → seconds since 1970."""
    last = len(clock.weights) - 1
    days = np.minimum(np.searchsorted(clock.starts, times, side="right") - 1, last)
    passed = (times - clock.starts[days]) / clock.weights[days]
    return clock.first_second + days * SECONDS_A_DAY + seconds_of_day(clock, passed)


def seconds_of_day(clock: Clock, passed: NDArray[np.float64]) -> NDArray[np.int64]:
    """Shares of a day that are over → seconds since its midnight."""
    hours = np.interp(passed, clock.hours, np.arange(len(clock.hours), dtype=np.float64))
    return np.minimum((hours * 3_600).astype(np.int64), SECONDS_A_DAY - 1)


def joining_times(random: np.random.Generator, clock: Clock, count: int) -> NDArray[np.float64]:
    """Draw when customers join, in time of the shop's clock."""
    return np.interp(random.random(count), clock.joined, clock.starts)


def _day_weights(days: NDArray[np.datetime64]) -> NDArray[np.float64]:
    """Length of each day: 1 on average, to six digits so that `truth.json` has all of them."""
    years, months = days.astype("datetime64[Y]"), days.astype("datetime64[M]")
    day_of_year = (days - years).astype(np.int64)
    key = (months.astype(np.int64) % 12 + 1) * 100 + (days - months).astype(np.int64) + 1
    weekday = (days.astype(np.int64) + 3) % 7
    wave = np.cos(2 * np.pi * (day_of_year - _YEARLY_PEAK_DAY) / 365.25)
    weights = (1 + _YEARLY_SWING_RATIO * wave) * np.array(_WEEKDAYS)[weekday]
    first, last = (month * 100 + day for month, day in _HOLIDAY_SEASON)
    weights[(key >= first) & (key <= last)] *= _HOLIDAY_FACTOR
    weights[np.isin(key, [month * 100 + day for month, day in _CLOSED_DAYS])] *= _CLOSED_FACTOR
    return np.asarray(np.round(weights / weights.mean(), 6))


def _shares(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cumulative shares, from 0 to 1."""
    cumulative = np.concatenate([[0.0], np.cumsum(weights)])
    return np.asarray(cumulative / cumulative[-1])
