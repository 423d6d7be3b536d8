"""How a source is to be read: file kinds, tables and databases."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from segspark.settings.base import Location, StrictModel, is_reference

Encoding = Literal["UTF-8", "ISO-8859-1", "US-ASCII", "UTF-16", "windows-1252"]


class CsvFormat(StrictModel):
    """A delimited text file. Gzip, zstd and ZIP around any file are recognised by their bytes."""

    kind: Literal["csv"]
    """Picks this format."""
    delimiter: str = Field(default=",", min_length=1, max_length=4)
    """What stands between two fields; `\\t` for a tab."""
    quote: str = Field(default='"', max_length=1)
    """What surrounds a field that holds the delimiter; empty: fields are never quoted."""
    escape: str = Field(default='"', max_length=1)
    """What stands before a quote inside a quoted field."""
    encoding: Encoding = "UTF-8"
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


class JsonLinesFormat(StrictModel):
    """A text file with one JSON object a line.

    A mapped name may lead into nested objects, such as `customer.id`.
    """

    kind: Literal["json"]
    """Picks this format."""
    encoding: Encoding = "UTF-8"
    """How the bytes are to be read."""


def _check_places(places: tuple[int, int]) -> tuple[int, int]:
    first, last = places
    if not 1 <= first <= last:
        raise ValueError("give the first and the last place of the field, counted from 1")
    return places


Places = Annotated[tuple[int, int], Field(strict=False), AfterValidator(_check_places)]


class FixedWidthFormat(StrictModel):
    """A text file whose fields stand at fixed places of each line, without a header."""

    kind: Literal["fixed_width"]
    """Picks this format."""
    fields: dict[str, Places] = Field(min_length=1)
    """Name of each field → its first and last place, counted from 1, such as `[1, 6]`."""
    encoding: Encoding = "UTF-8"
    """How the bytes are to be read."""


class ParquetFormat(StrictModel):
    """A Parquet file or folder."""

    kind: Literal["parquet"]
    """Picks this format."""


class OrcFormat(StrictModel):
    """An ORC file or folder."""

    kind: Literal["orc"]
    """Picks this format."""


class ExcelFormat(StrictModel):
    """An Excel workbook, `.xlsx` or `.xls`; needs `pip install 'segspark[excel]'`."""

    kind: Literal["excel"]
    """Picks this format."""
    sheets: tuple[str, ...] = Field(default=(), strict=False)
    """Sheets to read; they must have the same columns. Empty: all of them, hidden ones too."""


class SqliteFormat(StrictModel):
    """One table or view of an SQLite database file."""

    kind: Literal["sqlite"]
    """Picks this format."""
    table: str = Field(min_length=1)
    """Name of the table or view."""


class DeltaFormat(StrictModel):
    """A Delta table, read at its newest version."""

    kind: Literal["delta"]
    """Picks this format."""
    watermark_column: str | None = None
    """Column that only grows, such as a load time or a number: each ingest takes the rows above
    the highest value taken before. None: the whole table is one content."""


class JdbcFormat(StrictModel):
    """A table or view of a database; `location` is its address, such as `jdbc:postgresql://…`."""

    kind: Literal["jdbc"]
    """Picks this format."""
    table: str = Field(pattern=r"^[A-Za-z_][\w$]*(\.[A-Za-z_][\w$]*){0,2}$")
    """Name of the table or view, with its schema where it needs one."""
    user: Location | None = None
    """Who logs in, such as `${SHOP_USER}`."""
    password: Location | None = None
    """A reference such as `${SHOP_PASSWORD}`; a password itself does not belong in a file."""
    watermark_column: str | None = None
    """Column that only grows, such as a load time or a number: each ingest takes the rows above
    the highest value taken before. None: the whole table is one content."""
    partition_column: str | None = None
    """A numeric, date or time column by whose range the read is split."""
    partitions: int = Field(default=1, ge=1, le=64)
    """Connections that read at once; more than one needs `partition_column`."""
    fetch_rows: int = Field(default=10_000, ge=1)
    """Rows that come in one answer of the database."""

    @model_validator(mode="after")
    def _a_split_has_a_column(self) -> Self:
        if self.partitions > 1 and self.partition_column is None:
            raise ValueError("partitions above 1 needs partition_column")
        if self.password is not None and not is_reference(self.password):
            raise ValueError("password must be a reference such as ${SHOP_PASSWORD}")
        return self


TextFormat = CsvFormat | JsonLinesFormat | FixedWidthFormat
FileFormat = TextFormat | ParquetFormat | OrcFormat | ExcelFormat | SqliteFormat
TableFormat = DeltaFormat | JdbcFormat
SourceFormat = Annotated[FileFormat | TableFormat, Field(discriminator="kind")]
