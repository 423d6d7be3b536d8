"""Rows of nasty values: how they are written, and what each must become."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from tests.purchases import HEADER

CENT = Decimal("0.0001")
LEAST_TOO_LARGE = Decimal(10) ** 14
ATTRIBUTES = ("order", "what", "note")
"""Columns that a source of customers takes as they are."""
MARKER = re.compile(r"K\d+-\d+K")
"""Stands in every row of a file, and in no other; equal rows share one."""
NASTY = (
    "😀👩‍👩‍👧", "שלום", "\u202eevil\u202c", "'; DROP TABLE transactions; --", '=cmd|" /C calc"!A0',
    "${HOME}", "{{7*7}}", "<script>", "../../etc/passwd", "%s%n$1\\1`", "NULL", "NaN", "\\N", "#",
    "#N/A", '"', '""', "a,b;c\td|e", "\\", '\\"', "é", "ß€", "\u00a0", "\u2028", "\x85", "\x0b",
    "_x000D_", "007", "-5", "true", "1e5", "12345678901234567890123", " x ", "\ufeff", "0",
)  # fmt: skip
TABLES = ("excel", "parquet", "orc", "sqlite", "delta")
"""Kinds that hold cells, not text."""
KINDS = ("csv", "multiline", "json", "fixed_width", *TABLES)
RAGGED = ("csv", "multiline", "fixed_width")
"""Kinds whose rows may have too few fields."""
PACKINGS = ("none", "gzip", "zip", "zstd")
FIELD_WIDTH = 50
"""Characters of a field at a fixed place: no cell is longer, and a blank stands before it."""
LINE_BREAKS = ("two\nlines", "\n", '"\n"', "x\n\ny")
LOST_IDS = ("1.23E+11", "4e+15", " 9.999E+20 ", "1,23457E+11")
STAMPS = (
    "2026-03-01 10:00:00", "2026-03-01T10:00:00Z", "2026-03-01T10:00:00+02:00",
    "2026-03-01 10:00:00.123456", " 2024-02-29 ", "1980-01-02", "2025-10-26 02:30:00",
    "2025-12-31 23:59:59",
)  # fmt: skip
NO_STAMPS = (
    "", " ", "soon", "2026-02-30", "2023-02-29 10:00:00", "2026-13-01", "10:00:00", "40513",
    "2026-03-01 25:00:00", "1970-01-01", "2999-01-01", "01.03.2026", "20260301", "NULL",
)  # fmt: skip
SKIPPED_IN_BERLIN = "2026-03-29 02:30:00"
NO_NUMBERS = (
    "", " ", "many", "1-2", "--5", "0x10", "1e99", "1E-50000000", "1" * 40, "0." + "1" * 40,
    "1.23456", "1,23456", "NaN", "Infinity", "5 5", "5€5", "12.345.67", "1'000", "$5", "⁵", "5%",
    "1e", ".", ",", "100000000000000",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Style:
    """How the files of a source are written, as its settings say it.

    Attributes:
        packing: Of the first file; each other file has the next of `PACKINGS`.
        quote_all: Quotes around each field of a CSV; only ASCII in JSON.
    """

    kind: str
    delimiter: str
    encoding: str
    line_end: str
    packing: str
    quote_all: bool
    has_mark: bool
    is_european: bool
    zone: str

    def settings(self) -> dict[str, Any]:
        """What of a source depends on it."""
        formats: dict[str, dict[str, Any]] = {
            "csv": {
                "kind": "csv",
                "delimiter": self.delimiter.replace("\t", "\\t"),
                "encoding": self.encoding,
            },
            "json": {"kind": "json", "encoding": self.encoding},
            "fixed_width": {
                "kind": "fixed_width",
                "encoding": self.encoding,
                "fields": {
                    name: [number * FIELD_WIDTH + 1, (number + 1) * FIELD_WIDTH]
                    for number, name in enumerate(columns())
                },
            },
            "sqlite": {"kind": "sqlite", "table": "lines"},
        }
        formats["multiline"] = {**formats["csv"], "multiline": True}
        numbers: dict[str, Any] = {}
        if self.is_european:
            numbers = {
                "decimal_separator": ",",
                "thousands_separator": ".",
                "currency_signs": ["€", "EUR"],
                "accounting_negatives": True,
            }
        return {
            "format": formats.get(self.kind, {"kind": self.kind}),
            "numbers": numbers,
            "stamp_zone": self.zone,
        }


@dataclass(frozen=True, slots=True)
class NastyRow:
    """A row as it is written, and what it must become.

    Attributes:
        cells: In order of the columns; more or fewer than these for a ragged row.
        copies: How often it is written.
        amount: Its money as a purchase; None where it must be refused as one.
        customer_id: Of a good row; None for a guest.
        at: Instant of a good row.
    """

    cells: tuple[str, ...]
    copies: int
    amount: Decimal | None
    customer_id: str | None
    at: datetime | None

    @property
    def marker(self) -> str:
        """What tells the row apart."""
        return self.cells[2]

    def as_purchase(self) -> tuple[Any, ...] | None:
        """Customer, money and microseconds since 1970; None where it must be refused."""
        if self.amount is None or self.at is None:
            return None
        since = self.at - datetime(1970, 1, 1, tzinfo=UTC)
        micros = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
        return self.customer_id, self.amount, micros

    def as_customer(self) -> tuple[Any, ...] | None:
        """Customer and the other texts by name; None where it must be refused."""
        if len(self.cells) != len(columns()):
            return None
        if self.customer_id is None or self.cells[0] in LOST_IDS:
            return None
        texts = {name: text.strip(" ") for name, text in zip(columns(), self.cells, strict=True)}
        return self.customer_id, {name: texts[name] for name in ATTRIBUTES if texts[name]}


def columns() -> list[str]:
    """The header of all files."""
    return [*HEADER.split(","), "note"]


@st.composite
def styles(draw: st.DrawFn, /, kind: str, **fixed: Any) -> Style:  # noqa: ANN401 - of any field
    """A way to write files of one kind; what is not `fixed` is drawn."""
    encodings = ["UTF-8", "UTF-16", "ISO-8859-1", "windows-1252", "US-ASCII"]
    drawn = Style(
        kind=kind,
        delimiter=draw(st.sampled_from([",", ";", "\t", "|", "||"])) if kind == "csv" else ",",
        encoding="UTF-8" if kind in TABLES else draw(st.sampled_from(encodings)),
        line_end=draw(st.sampled_from(["\n", "\r\n"])),
        packing=draw(st.sampled_from(PACKINGS)),
        quote_all=draw(st.booleans()),
        has_mark=draw(st.booleans()),
        is_european=draw(st.booleans()),
        zone=draw(st.sampled_from(["UTC", "Europe/Berlin"])),
    )
    return replace(drawn, **fixed)


@st.composite
def files(draw: st.DrawFn, style: Style, *, fewest: int = 1) -> list[list[NastyRow]]:
    """The rows of up to three files, or of one table of Delta."""
    number_of_files = 1 if style.kind == "delta" else draw(st.integers(fewest, 3))
    return [
        [draw(_rows(style, f"K{number}-{row}K")) for row in range(draw(st.integers(1, 9)))]
        for number in range(number_of_files)
    ]


@st.composite
def _rows(draw: st.DrawFn, style: Style, marker: str) -> NastyRow:
    units, quantity = draw(_numbers(style))
    price, unit_price = draw(_numbers(style))
    stamp, at = draw(_stamps(style))
    who = draw(_texts(style, *LOST_IDS))
    what, note = draw(_texts(style, *LOST_IDS)), draw(_texts(style))
    amount = _amount(quantity, unit_price)
    is_ragged = style.kind in RAGGED and draw(st.integers(0, 9)) == 0
    if at is None or who in LOST_IDS or what in LOST_IDS or is_ragged:
        amount = None
    cells: tuple[str, ...] = (who, stamp, marker, what, units, price, note)
    if is_ragged:
        # What stands behind the last place of a fixed field is no fault.
        more = [] if style.kind == "fixed_width" else [(*cells, "more")]
        cells = draw(st.sampled_from([cells[:5], *more]))
    copies = draw(st.sampled_from([1, 1, 1, 2, 3]))
    return NastyRow(cells, copies, amount, customer_of(who), at)


def _texts(style: Style, *more: str) -> st.SearchStrategy[str]:
    known = [*NASTY, *more, *(() if style.kind in {"csv", "fixed_width", "excel"} else LINE_BREAKS)]
    plain = st.text("aZ09 .,;|\t\"'\\é€😀ש=-{}", max_size=12)
    return st.one_of(st.just(""), st.sampled_from(known), plain).map(lambda s: _writable(s, style))


def _writable(text: str, style: Style) -> str:
    """The text without what the file could not hold."""
    text = text.encode(style.encoding, "ignore").decode(style.encoding)
    if style.kind == "excel":
        text = "".join(sign for sign in text if sign >= " " or sign in "\t\n")
    # Several signs cannot be quoted by Python's writer.
    return text.replace("|", "") if len(style.delimiter) > 1 else text


@st.composite
def _numbers(draw: st.DrawFn, style: Style) -> tuple[str, Decimal | None]:
    """A number as written, and its value; None where it must be refused."""
    if draw(st.integers(0, 5)) == 0:
        # Without its sign, 5€5 would be a number.
        writable = [text for text in NO_NUMBERS if _writable(text, style) == text]
        return draw(st.sampled_from(writable)), None
    digits = draw(st.one_of(st.integers(-999, 999), st.integers(-(10**9), 10**9)))
    value = Decimal(digits).scaleb(-draw(st.integers(0, 4)))
    text = f"{value:,f}" if style.is_european and draw(st.booleans()) else f"{value:f}"
    if value == 0 and draw(st.booleans()):
        text = "-0.00"
    if not style.is_european:
        return draw(st.sampled_from([text, f" {text} "])), value
    text = text.translate(str.maketrans(",.", ".,"))
    if text.startswith("-"):
        text = draw(st.sampled_from([text, f"({text[1:]})", f"{text[1:]}-"]))
    signs = [text, f"{text} EUR", f"€{text}", f" {text} "]
    return _writable(draw(st.sampled_from(signs)), style), value


@st.composite
def _stamps(draw: st.DrawFn, style: Style) -> tuple[str, datetime | None]:
    if draw(st.integers(0, 5)) == 0:
        return draw(st.sampled_from(NO_STAMPS)), None
    text = draw(st.sampled_from([*STAMPS, SKIPPED_IN_BERLIN]))
    if text == SKIPPED_IN_BERLIN:
        return text, None if style.zone != "UTC" else datetime(2026, 3, 29, 2, 30, tzinfo=UTC)
    at = datetime.fromisoformat(text.strip())
    return text, (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(style.zone))).astimezone(UTC)


def _amount(quantity: Decimal | None, price: Decimal | None) -> Decimal | None:
    if quantity is None or price is None:
        return None
    amount = (quantity * price).quantize(CENT, rounding=ROUND_HALF_UP)
    return None if abs(amount) >= LEAST_TOO_LARGE else amount


def customer_of(text: str) -> str | None:
    """The normalised id by the defaults; None for a guest."""
    stripped = text.strip(" ")
    return re.sub(r"^(-?[0-9]+)\.0+$", r"\1", stripped) or None
