"""What a user writes about a source of purchases: where it is, what its columns mean, its rules."""

import re
from enum import StrEnum
from typing import Annotated, Literal, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, model_validator

from segspark.settings.base import Location, StrictModel


class LineKind(StrEnum):
    """What a line of a receipt is."""

    SALE = "sale"
    RETURN = "return"
    CANCELLATION = "cancellation"
    FEE = "fee"
    POSTAGE = "postage"
    VOUCHER = "voucher"
    SAMPLE = "sample"
    ADJUSTMENT = "adjustment"
    WRITE_OFF = "write_off"


class Sign(StrEnum):
    """The sign of a quantity or an amount."""

    NEGATIVE = "negative"
    ZERO = "zero"
    POSITIVE = "positive"


def _check_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name!r} is no time zone of the IANA database, such as Europe/London")
    return name


def _check_pattern(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}") from error
    return pattern


Zone = Annotated[str, AfterValidator(_check_zone)]
Pattern = Annotated[str, AfterValidator(_check_pattern)]


class CsvFormat(StrictModel):
    """A delimited text file; gzip and ZIP around it are recognised by their first bytes."""

    kind: Literal["csv"]
    """Picks this format."""
    delimiter: str = Field(default=",", min_length=1, max_length=4)
    """What stands between two fields; `\\t` for a tab."""
    quote: str = Field(default='"', max_length=1)
    """What surrounds a field that holds the delimiter; empty: fields are never quoted."""
    escape: str = Field(default='"', max_length=1)
    """What stands before a quote inside a quoted field."""
    encoding: Literal["UTF-8", "ISO-8859-1", "US-ASCII", "UTF-16", "windows-1252"] = "UTF-8"
    """How the bytes are to be read."""
    header: bool = True
    """Whether the first line names the columns; if not, `column_names` does."""
    column_names: tuple[str, ...] = Field(default=(), strict=False)
    """The columns in order, for a file without a header."""
    multiline: bool = False
    """Whether quoted fields may hold line breaks; such a file is read by one task."""

    @model_validator(mode="after")
    def _names_come_once(self) -> Self:
        if self.header and self.column_names:
            raise ValueError("column_names is for files without a header: set header to false")
        if not self.header and not self.column_names:
            raise ValueError("without a header, column_names must name the columns in order")
        return self


class ParquetFormat(StrictModel):
    """A Parquet file or folder."""

    kind: Literal["parquet"]
    """Picks this format."""


class DeltaFormat(StrictModel):
    """A Delta table, read at its newest version."""

    kind: Literal["delta"]
    """Picks this format."""


class ColumnMapping(StrictModel):
    """Which source column holds what; names are the source's own."""

    customer_id: str
    """Who bought; empty for a guest."""
    transaction_at: str
    """When, as a stamp, a date or a text in `timestamp_format`."""
    order_id: str | None = None
    """The receipt; without one, a customer's lines of one day are one order."""
    product_id: str | None = None
    """What was bought."""
    description: str | None = None
    """The product in words."""
    quantity: str | None = None
    """Units, negative where they came back; without it every line is one unit."""
    unit_price: str | None = None
    """Price of one unit; give this or `line_amount`."""
    line_amount: str | None = None
    """Money of the whole line; give this or `unit_price`."""
    discounts: tuple[str, ...] = Field(default=(), strict=False)
    """Columns that hold discounts as positive money; they are added up."""
    country: str | None = None
    """Country of the customer or the order."""
    store_id: str | None = None
    """Shop or channel of the order."""

    @model_validator(mode="after")
    def _money_comes_once(self) -> Self:
        if (self.unit_price is None) == (self.line_amount is None):
            raise ValueError("give exactly one of unit_price and line_amount")
        if self.unit_price is not None and self.quantity is None:
            raise ValueError("unit_price needs quantity, or there is no money of the line")
        return self


class CustomerIdRules(StrictModel):
    """How one customer's differently written ids become one."""

    strip_spaces: bool = True
    """Drop spaces around the id."""
    drop_zero_decimals: bool = True
    """Read `12345.0` as `12345`, as exports through floating point leave it."""
    letter_case: Literal["keep", "upper", "lower"] = "keep"
    """Whether ids that differ by case only are one."""
    guest_ids: tuple[str, ...] = Field(default=(), strict=False)
    """Ids that stand for nobody, such as `0` or `GUEST`; an empty id always does."""


class LineKindRule(StrictModel):
    """Lines that meet every condition given are of this kind; the first rule that fits wins."""

    kind: LineKind = Field(strict=False)
    """What such a line is."""
    order_id_matches: Pattern | None = None
    """A regular expression found in the order id."""
    product_id_matches: Pattern | None = None
    """A regular expression found in the product id."""
    description_matches: Pattern | None = None
    """A regular expression found in the description."""
    quantity: Sign | None = Field(default=None, strict=False)
    """Sign of the quantity."""
    line_amount: Sign | None = Field(default=None, strict=False)
    """Sign of the line's money."""

    @model_validator(mode="after")
    def _has_a_condition(self) -> Self:
        if not self.model_dump(exclude={"kind"}, exclude_none=True):
            raise ValueError("a rule needs at least one condition beside its kind")
        return self


class SourceSettings(StrictModel):
    """One source of purchase lines."""

    location: Location
    """A file, a folder or a glob, at a path that every executor sees; of a Delta table any address
    that Spark can read. `package:name/path` is a file that an installed Python package ships. A
    relative one is taken from where the job runs."""
    format: CsvFormat | ParquetFormat | DeltaFormat = Field(discriminator="kind")
    """How it is to be read."""
    columns: ColumnMapping
    """Which of its columns holds what."""
    timestamp_format: str | None = None
    """Pattern of a textual stamp, such as `yyyy-MM-dd HH:mm:ss`; none: ISO 8601."""
    stamp_zone: Zone = "UTC"
    """Zone in which the stamps are written."""
    business_zone: Zone = "UTC"
    """Zone whose calendar days count."""
    currency: str = Field(pattern="^[A-Z]{3}$")
    """ISO 4217 code of all amounts; it must be the lake's."""
    discounts_deducted: bool = True
    """Whether the amounts are already net of `columns.discounts`."""
    customer_ids: CustomerIdRules = CustomerIdRules()
    """How customer ids are normalised."""
    line_kinds: tuple[LineKindRule, ...] = Field(default=(), strict=False)
    """Business rules; a line that none fits is a return if its quantity or money is negative,
    a sample if its money is zero, else a sale."""
    changed_file: Literal["refuse", "replace"] = "refuse"
    """What to do with a file whose content changed since it was ingested under the same name."""
    most_rejected_ratio: float = Field(default=0.05, ge=0, le=1)
    """Share of refused rows above which the whole source is refused."""
