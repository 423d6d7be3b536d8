"""Bytes of an unknown text file → encoding, delimiter, quotes, header, rows."""

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from segspark.errors import IngestError
from segspark.ingest.inferring.known_columns import is_known_name
from segspark.ingest.inferring.numbers import looks_like_number
from segspark.ingest.inferring.stamps import find_stamps

_MARKS = (
    (codecs.BOM_UTF8, "UTF-8"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_DELIMITERS = (";", "\t", "|", "^", ",")
_QUOTINGS = (('"', '"'), ('"', "\\"), ("", '"'))
_LOOKED_AT = 1 << 18
_ENOUGH_RATIO = 0.8
_CLEARLY_BETTER = 0.02
_ALL_BUT_FEW = 0.98
_MANY_NULS = 0.2


@dataclass(frozen=True, slots=True)
class Encoded:
    """How the bytes are to be read.

    Attributes:
        name: As the settings have it.
        reason: Why, in words.
        is_certain: Whether a person need not look at it.
        text: The bytes as text, without a byte order mark.
    """

    name: str
    reason: str
    is_certain: bool
    text: str


@dataclass(frozen=True, slots=True)
class Delimited:
    """How the lines are to be split.

    Attributes:
        delimiter: What stands between two fields.
        quote: What surrounds a field; empty: nothing does.
        escape: What stands before a quote inside a quoted field.
        ratio: Share of the rows that have the usual number of fields.
        is_clean: Whether all quotes surround whole fields.
        rows: All rows, the header among them.
    """

    delimiter: str
    quote: str
    escape: str
    ratio: float
    is_clean: bool
    rows: list[list[str]]


def decode(start: bytes, *, where: str) -> Encoded:
    """Find the encoding of a text's first bytes; a character cut at their end is dropped.

    Raises:
        IngestError: They are no text that could be read.
    """
    for mark, name in _MARKS:
        if start.startswith(mark):
            body = _decoded(start[len(mark) :], _python_name(mark, name), errors="replace")
            return Encoded(name, "byte order mark", is_certain=True, text=body or "")
    halves = start[::2].count(0), start[1::2].count(0)
    if max(halves) > _MANY_NULS * len(start) / 2:
        raise IngestError(
            f"{where}: seems to be UTF-16 without its mark, or no text at all: save it as UTF-8"
        )
    text = _decoded(start, "utf-8", errors="strict")
    if text is not None:
        return Encoded("UTF-8", "all bytes are UTF-8", is_certain=True, text=text)
    text = _decoded(start, "windows-1252", errors="strict")
    if text is not None:
        return Encoded("windows-1252", "not UTF-8", is_certain=True, text=text)
    text = _decoded(start, "latin-1", errors="replace") or ""
    return Encoded("ISO-8859-1", "neither UTF-8 nor windows-1252", is_certain=False, text=text)


def find_delimiter(text: str) -> Delimited | None:
    """The delimiter and quotes that give most rows the same number of fields; None: there are none.

    Quotes are respected, so that a delimiter inside of them does not count.
    """
    start = text[:_LOOKED_AT]
    start = start[: start.rfind("\n") + 1] or start
    best: tuple[tuple[float, ...], Delimited] | None = None
    for delimiter in _DELIMITERS:
        splits = [_split(start, delimiter, *quoting) for quoting in _QUOTINGS]
        # The usual quotes, unless others fit clearly better.
        split = splits[0]
        for other in splits[1:]:
            if other.ratio > split.ratio + _CLEARLY_BETTER or _has_stray_quotes(split, other):
                split = other
        fields = len(split.rows[0]) if split.rows else 0
        rank = (round(split.ratio - _foreign_ratio(split), 2), fields)
        if fields > 1 and split.ratio >= _ENOUGH_RATIO and (best is None or rank > best[0]):
            best = (rank, split)
    if best is None:
        return None
    return _split(text, best[1].delimiter, best[1].quote, best[1].escape)


def has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names the columns: by usual names, else by types unlike the rest's."""
    first, rest = [cell.strip() for cell in rows[0]], rows[1:]
    if any(looks_like_number(cell) or find_stamps([cell]) for cell in first if cell):
        return False
    known = sum(is_known_name(cell) for cell in first)
    if known > 1 or not rest:
        return True
    columns = [[row[i].strip() for row in rest if i < len(row)] for i in range(len(first))]
    typed = [_is_typed([cell for cell in column if cell]) for column in columns]
    if any(typed):
        return True
    repeats = any(cell in column for cell, column in zip(first, columns, strict=True))
    return len(set(first)) == len(first) and not repeats


def find_places(text: str) -> list[tuple[int, int]] | None:
    """First and last place of each field, where blanks stand at the same places of all lines.

    A gap goes to the field that can grow into it: to the right one, if the left one always ends
    at the same place.
    """
    lines = [line for line in text[:_LOOKED_AT].splitlines() if line.strip()]
    width = max(map(len, lines), default=0)
    filled = [any(len(line) > i and not line[i].isspace() for line in lines) for i in range(width)]
    runs = [match.span() for match in re.finditer("x+", "".join("x" if f else " " for f in filled))]
    if len(runs) < 2 or len(lines) < 2:  # noqa: PLR2004 - a table has more than one of both
        return None
    if sum(len(line) > runs[-1][0] for line in lines) < _ENOUGH_RATIO * len(lines):
        return None
    places, start = [], 0
    for number, (_, end) in enumerate(runs):
        following = runs[number + 1][0] if number + 1 < len(runs) else end
        ends_alike = all(len(line) >= end and not line[end - 1].isspace() for line in lines)
        last = end if ends_alike else following
        places.append((start + 1, last))
        start = last
    return places


def cut_places(text: str, places: Sequence[tuple[int, int]]) -> list[list[str]]:
    """The fields of each line that is not blank."""
    lines = [line for line in text.splitlines() if line.strip()]
    return [[line[first - 1 : last].strip() for first, last in places] for line in lines]


def _python_name(mark: bytes, name: str) -> str:
    if name == "UTF-8":
        return "utf-8"
    return "utf-16-le" if mark == codecs.BOM_UTF16_LE else "utf-16-be"


def _decoded(start: bytes, name: str, *, errors: str) -> str | None:
    try:
        return codecs.getincrementaldecoder(name)(errors).decode(start, final=False)
    except UnicodeDecodeError:
        return None


def _split(text: str, delimiter: str, quote: str, escape: str) -> Delimited:
    rows = _rows(text, delimiter, quote, escape, is_strict=True)
    is_clean = rows is not None
    if rows is None:
        rows = _rows(text, delimiter, quote, escape, is_strict=False) or []
    widths = Counter(map(len, rows))
    usual, count = widths.most_common(1)[0] if widths else (0, 0)
    ratio = count / len(rows) if rows else 0.0
    if rows and len(rows[0]) != usual:
        ratio /= 2  # the first line is the one that must fit
    return Delimited(delimiter, quote, escape, ratio, is_clean, rows)


def _rows(
    text: str, delimiter: str, quote: str, escape: str, *, is_strict: bool
) -> list[list[str]] | None:
    """The rows that are not blank; None where the quotes are not as they should be."""
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter,
        quotechar=quote or None,
        quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
        doublequote=escape == '"',
        escapechar=None if escape == '"' else escape,
        strict=is_strict,
    )
    try:
        return [row for row in reader if row]
    except csv.Error:
        return None


def _has_stray_quotes(quoted: Delimited, plain: Delimited) -> bool:
    """Whether quotes join lines that are rows of their own without them."""
    joins = any("\n" in cell for row in quoted.rows for cell in row)
    return (
        joins
        and not quoted.is_clean
        and not plain.quote
        and plain.ratio >= max(quoted.ratio, _ALL_BUT_FEW)
    )


def _foreign_ratio(split: Delimited) -> float:
    """Share of the fields that hold another strong delimiter, as where the wrong one was taken."""
    others = set(";\t|^") - {split.delimiter}
    fields = sum(map(len, split.rows)) or 1
    return sum(bool(others & set(cell)) for row in split.rows for cell in row) / fields


def _is_typed(values: Sequence[str]) -> bool:
    """Whether nearly all values are numbers or stamps."""
    if not values:
        return False
    numbers = sum(map(looks_like_number, values))
    return numbers / len(values) >= _ENOUGH_RATIO or find_stamps(values) is not None
