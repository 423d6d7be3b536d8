"""Lists of as-of dates: each named, or evenly spaced between two."""

import calendar
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Literal

Step = Literal["day", "week", "month"]


def dates_between(first: date, last: date, *, every: Step) -> list[date]:
    """The first date and every one a step later, up to and including the last.

    A month later is the same day of the month; in a shorter one its last day, and where the first
    date ends its month, all of them do.
    """
    return list(_between(first, last, every))


def _between(first: date, last: date, every: Step) -> Iterator[date]:
    number, found = 0, first
    while found <= last:
        yield found
        number += 1
        found = _later(first, number, every)


def _later(first: date, number: int, every: Step) -> date:
    if every != "month":
        return first + timedelta(days=number * (7 if every == "week" else 1))
    months = first.year * 12 + first.month - 1 + number
    year, month = months // 12, months % 12 + 1
    is_end = first.day == _length(first.year, first.month)
    longest = _length(year, month)
    return date(year, month, longest if is_end else min(first.day, longest))


def _length(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]
