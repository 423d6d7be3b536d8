"""Stamps in texts → the Spark pattern that reads them, and what is doubtful about it."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Literal

_TIME = (
    r"(?:(?P<gap>T|, | )(?P<hour>\d{1,2}):(?P<minute>\d{2})"
    r"(?::(?P<second>\d{2})(?P<fraction>[.,]\d{1,9})?)?(?P<half> ?[AaPp][Mm])?)?"
    r"(?P<offset> ?(?:Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?))?$"
)
_ISO = re.compile(r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})" + _TIME)
_WRITTEN = re.compile(
    r"(?P<first>\d{1,4})(?P<separator>[./ -])(?P<second_part>\d{1,2}|[A-Za-z]{3})(?P=separator)"
    r"(?P<third>\d{4}|\d{1,2})" + _TIME
)
_COMPACT = re.compile(r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})(?P<clock>\d{6})?$")
_EPOCH = re.compile(r"1\d{9}(?:\d{3})?(?:\.0)?$")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_YEAR_DIGITS = 4
_MOST_MONTH = 12
_PLAUSIBLE_YEARS = range(1900, 2101)
_ENOUGH_RATIO = 0.9

Order = Literal["day first", "month first", "year first"]


@dataclass(frozen=True, slots=True)
class Stamps:
    """How a column's stamps are written.

    Attributes:
        pattern: Spark's pattern; None: ISO 8601, or a column that is of stamps by its type.
        reason: Why, in words.
        is_certain: Whether a person need not look at it.
        ratio: Share of the filled values that it reads.
        has_time: Whether the stamps have a time of day.
        has_offset: Whether they state their offset from UTC.
        last_day: Latest day, if any.
    """

    pattern: str | None
    reason: str
    is_certain: bool
    ratio: float
    has_time: bool
    has_offset: bool
    last_day: date | None


def find_stamps(values: Sequence[str]) -> Stamps | None:
    """The one way in which nearly all values are stamps; None: they are no stamps.

    Args:
        values: The filled values in the order of the file, without outer spaces.
    """
    if not values:
        return None
    readings: tuple[Callable[[Sequence[str]], Stamps | None], ...] = (_iso, _compact, _written)
    for reading in readings:
        found = reading(values)
        if found and found.ratio >= _ENOUGH_RATIO:
            return found
    return None


def is_epoch(values: Sequence[str]) -> bool:
    """Whether the values are seconds or milliseconds since 1970, which no pattern reads."""
    return bool(values) and all(_EPOCH.match(value) for value in values)


def _iso(values: Sequence[str]) -> Stamps | None:
    found = [match for match in map(_ISO.match, values) if match]
    # Spark's own reading of ISO texts knows no half of the day and no comma.
    plain = [m for m in found if not m["half"] and m["gap"] != ", " and not _has_comma(m)]
    days = [day for m in plain if (day := _day(m["year"], m["month"], m["day"]))]
    if not days:
        return None
    return Stamps(
        pattern=None,
        reason="stamps are written as ISO 8601",
        is_certain=True,
        ratio=len(days) / len(values),
        has_time=any(m["hour"] for m in plain),
        has_offset=all(m["offset"] for m in plain),
        last_day=max(days),
    )


def _compact(values: Sequence[str]) -> Stamps | None:
    found = [match for match in map(_COMPACT.match, values) if match]
    days = [day for m in found if (day := _day(m["year"], m["month"], m["day"]))]
    clocks = {bool(match["clock"]) for match in found}
    if not days or len(clocks) > 1:
        return None
    return Stamps(
        pattern="yyyyMMddHHmmss" if clocks == {True} else "yyyyMMdd",
        reason="digits that are days of the calendar",
        is_certain=True,
        ratio=len(days) / len(values),
        has_time=clocks == {True},
        has_offset=False,
        last_day=max(days),
    )


def _written(values: Sequence[str]) -> Stamps | None:
    """Stamps with separators in any order: day, month or year first, months as names."""
    matches = [match for match in map(_WRITTEN.match, values) if match]
    if not matches:
        return None
    usual = Counter(map(_shape, matches)).most_common(1)[0][0]
    alike = [match for match in matches if _shape(match) == usual]
    order, reason, is_certain = _find_order(alike)
    days = [day for match in alike if (day := _day_in(match, order))]
    if not days:
        return None
    return Stamps(
        pattern=_date_pattern(alike, order) + _time_pattern(alike),
        reason=reason,
        is_certain=is_certain,
        ratio=len(days) / len(values),
        has_time=any(match["hour"] for match in alike),
        has_offset=all(match["offset"] for match in alike),
        last_day=max(days),
    )


def _shape(match: re.Match[str]) -> tuple[object, ...]:
    """What all stamps of one pattern share."""
    lengths = len(match["first"]) == _YEAR_DIGITS, len(match["third"]) == _YEAR_DIGITS
    is_name = match["second_part"].isalpha()
    return (match["separator"], *lengths, is_name, bool(match["half"]), bool(match["offset"]))


def _find_order(matches: Sequence[re.Match[str]]) -> tuple[Order, str, bool]:
    """Which part is the day: by a value above 12, else by the order of the rows, else by custom."""
    match = matches[0]
    if len(match["first"]) == _YEAR_DIGITS:
        return "year first", "the year comes first", True
    if match["second_part"].isalpha():
        return "day first", "the month is a name", True
    for part, order, words in (
        ("first", "day first", "the first number is above 12 somewhere"),
        ("second_part", "month first", "the second number is above 12 somewhere"),
    ):
        if any(int(m[part]) > _MOST_MONTH for m in matches):
            return ("day first" if order == "day first" else "month first"), words, True
    if match["separator"] == ".":
        return "day first", "dates with points are written day first", True
    return _order_by_rows(matches)


def _order_by_rows(matches: Sequence[re.Match[str]]) -> tuple[Order, str, bool]:
    steps_back = {}
    orders: tuple[Order, Order] = ("day first", "month first")
    for order in orders:
        days = [day for match in matches if (day := _day_in(match, order))]
        steps_back[order] = sum(b < a for a, b in pairwise(days))
    both = "both the first and the second number could be the day"
    if steps_back["day first"] != steps_back["month first"]:
        order = min(orders, key=lambda each: steps_back[each])
        return order, f"{both}; read {order}, the rows are in better order", False
    order = "month first" if matches[0]["half"] else "day first"
    return order, f"{both}; read {order}, by custom only", False


def _day_in(match: re.Match[str], order: Order) -> date | None:
    first, second, third = match["first"], match["second_part"], match["third"]
    if order == "year first":
        return _day(first, second, third)
    if order == "month first":
        return _day(third, first, second)
    return _day(third, second, first)


def _day(year: str, month: str, day: str) -> date | None:
    number = int(year) if len(year) == _YEAR_DIGITS else 2000 + int(year)
    if number not in _PLAUSIBLE_YEARS:
        return None
    named = month.lower()
    if month.isalpha() and named not in _MONTHS:
        return None
    try:
        return date(number, _MONTHS.index(named) + 1 if month.isalpha() else int(month), int(day))
    except ValueError:
        return None


def _date_pattern(matches: Sequence[re.Match[str]], order: Order) -> str:
    separator = matches[0]["separator"]
    parts = ["first", "second_part", "third"]
    letters = {"day first": "dMy", "month first": "Mdy", "year first": "yMd"}[order]
    numbers = [match[part] for match in matches for part in parts]
    is_padded = any(text.startswith("0") for text in numbers)
    written = []
    for part, letter in zip(parts, letters, strict=True):
        texts = [match[part] for match in matches]
        if letter == "y":
            written.append("y" * len(texts[0]))
        elif texts[0].isalpha():
            written.append("MMM")
        else:
            written.append(letter * _width(texts, is_padded=is_padded))
    return separator.join(written)


def _width(texts: Sequence[str], *, is_padded: bool) -> int:
    """Two letters take exactly two digits, one letter takes one or two: two only if sure."""
    return 2 if is_padded and all(len(text) > 1 for text in texts) else 1


def _time_pattern(matches: Sequence[re.Match[str]]) -> str:
    timed = [match for match in matches if match["hour"]]
    if not timed:
        return ""
    half = timed[0]["half"]
    letter = "h" if half else "H"
    hours = [match["hour"] for match in timed]
    width = _width(hours, is_padded=any(hour.startswith("0") for hour in hours))
    gap = timed[0]["gap"]
    text = f"{chr(39)}T{chr(39)}" if gap == "T" else gap
    text += letter * width + ":mm" + _second_pattern(timed)
    if half:
        text += " a" if half.startswith(" ") else "a"
    text += _offset_pattern(timed)
    return text if len(timed) == len(matches) else f"[{text}]"


def _second_pattern(timed: Sequence[re.Match[str]]) -> str:
    seconds = [match for match in timed if match["second"]]
    if not seconds:
        return ""
    fractions = {len(match["fraction"] or " ") - 1 for match in seconds}
    text = ":ss"
    if max(fractions):
        point = "," if any(_has_comma(match) for match in seconds) else "."
        fraction = point + "S" * max(fractions)
        text += fraction if len(fractions) == 1 else f"[{fraction}]"
    return text if len(seconds) == len(timed) else f"[{text}]"


def _offset_pattern(timed: Sequence[re.Match[str]]) -> str:
    offset = timed[0]["offset"]
    if not offset:
        return ""
    space = " " if offset.startswith(" ") else ""
    if offset.strip() in {"UTC", "GMT"}:
        return f"{space}VV"
    return space + ("XXX" if ":" in offset or offset.strip() == "Z" else "XX")


def _has_comma(match: re.Match[str]) -> bool:
    return (match["fraction"] or "").startswith(",")
