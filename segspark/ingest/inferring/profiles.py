"""What the values of each column of a sample tell about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from segspark.ingest.inferring.numbers import (
    Numbers,
    find_number_style,
    looks_like_number,
    parse_number,
)
from segspark.ingest.inferring.stamps import Stamps, find_stamps

_ENOUGH_RATIO = 0.9
_LONGEST_ID = 64
"""Signs: as many as a SHA-256 in hex has, which is how some sets hide their customers."""

Values = Sequence[str | None]


@dataclass(frozen=True, slots=True)
class SampleColumn:
    """One column of a sample, as it was read.

    Attributes:
        name: The source's own name of it.
        values: One text per row without outer spaces; None: empty.
        kind: What the source itself says that it holds; a text file says text of everything.
    """

    name: str
    values: Values
    kind: Literal["text", "number", "stamp", "other"] = "text"


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of the configuration to be written.

    Attributes:
        value: What is written.
        reason: Why, in words; it becomes a comment. Empty: none is needed.
        is_certain: Whether a person need not look at it.
    """

    value: object
    reason: str = ""
    is_certain: bool = True


@dataclass(frozen=True, slots=True)
class Sample:
    """The first rows of a file.

    Attributes:
        format: Keys of the source's format, in the order to write them.
        columns: The columns; of a file without a header `column_1` and so on.
        row_count: Rows in it.
        is_whole: Whether it is all of the file.
        has_names: Whether the file itself names its columns.
        notes: What else a person should know.
        start: The file's first bytes, unpacked and cut at a line end; empty for files that are
            no text.
    """

    format: Mapping[str, Choice]
    columns: Sequence[SampleColumn]
    row_count: int
    is_whole: bool
    has_names: bool = True
    notes: Sequence[str] = ()
    start: bytes = b""


@dataclass(frozen=True, slots=True)
class Profile:
    """A column and what its values are.

    Attributes:
        name: The source's own name of it.
        values: One text per row; None: empty.
        filled: The texts that are not empty, in order.
        distinct_count: How many different texts there are.
        stamps: How it writes stamps; None: it holds none.
        numbers: One number per row, None where there is none; None: it holds no numbers.
    """

    name: str
    values: Values
    filled: Sequence[str]
    distinct_count: int
    stamps: Stamps | None
    numbers: Sequence[Decimal | None] | None

    @property
    def is_constant(self) -> bool:
        """Whether all filled values are the same."""
        return self.distinct_count <= 1

    @property
    def has_decimals(self) -> bool:
        """Whether any number of it has decimals, be they zeros."""
        return any(
            number is not None and number.as_tuple().exponent != 0 for number in self.numbers or ()
        )

    @property
    def is_id_like(self) -> bool:
        """Whether its values are short, without blanks and, as numbers, whole and not negative."""
        if self.stamps or not self.filled:
            return False
        if self.numbers is not None:
            found = [number for number in self.numbers if number is not None]
            return all(number == int(number) and number >= 0 for number in found)
        return all(len(text) <= _LONGEST_ID and " " not in text for text in self.filled)

    @property
    def is_wordy(self) -> bool:
        """Whether most of its values are several words."""
        return sum(" " in text for text in self.filled) * 2 > len(self.filled)


def profile_columns(columns: Sequence[SampleColumn]) -> tuple[list[Profile], Numbers]:
    """The profile of each column, and the one style in which all of them write numbers."""
    filled = [[text for text in column.values if text is not None] for column in columns]
    stamps = [_stamps(column, texts) for column, texts in zip(columns, filled, strict=True)]
    is_number = [
        column.kind in {"text", "number"}
        and (found is None or found.pattern == "yyyyMMdd")
        and _holds_numbers(texts)
        for column, texts, found in zip(columns, filled, stamps, strict=True)
    ]
    written = [
        texts
        for column, texts, yes in zip(columns, filled, is_number, strict=True)
        if yes and column.kind == "text"
    ]
    style = find_number_style(written)
    plain = find_number_style([])
    profiles = [
        Profile(
            name=column.name,
            values=column.values,
            filled=texts,
            distinct_count=len(set(texts)),
            stamps=found,
            numbers=_parsed(column, style if column.kind == "text" else plain) if yes else None,
        )
        for column, texts, found, yes in zip(columns, filled, stamps, is_number, strict=True)
    ]
    return profiles, style


def _stamps(column: SampleColumn, filled: Sequence[str]) -> Stamps | None:
    if column.kind == "stamp":
        found = find_stamps(filled)
        return Stamps(
            pattern=None,
            reason="the column is of stamps by its type",
            is_certain=True,
            ratio=1.0,
            has_time=bool(found and found.has_time),
            has_offset=bool(found and found.has_offset),
            last_day=found.last_day if found else None,
        )
    return find_stamps(filled) if column.kind == "text" else None


def _holds_numbers(filled: Sequence[str]) -> bool:
    return bool(filled) and sum(map(looks_like_number, filled)) / len(filled) >= _ENOUGH_RATIO


def _parsed(column: SampleColumn, style: Numbers) -> list[Decimal | None]:
    return [None if text is None else parse_number(text, style.style) for text in column.values]


def determines(key: Values, value: Values) -> bool:
    """Whether each repeated key has one value, and keys do repeat."""
    seen: dict[str, str | None] = {}
    repeats = 0
    for one, other in zip(key, value, strict=True):
        if one is None:
            continue
        if one not in seen:
            seen[one] = other
            continue
        repeats += 1
        if seen[one] != other:
            return False
    return repeats > 0
