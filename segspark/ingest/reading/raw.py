"""Raw rows: what reading gives to parsing, whatever they were read from.

A raw frame has the source's own columns, then the columns named here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

BATCH_ID = "__batch_id"
"""The row's batch."""
FILE_NAME = "__file_name"
"""The file that held it, as the books call it."""
DELIVERED_AT = "__delivered_at"
"""When that file was last written: what lies far behind it is in the future."""
MALFORMED = "__malformed"
"""The line's text where it does not have the file's columns, else NULL."""
RAW_ROW = "__raw_row"
"""The whole line where the columns do not tell all of it, as for JSON, else NULL."""
AS_JSON = {
    "ignoreNullFields": "false",
    "timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSS",
    "timestampNTZFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSS",
}
"""How a row is written out whole: with its NULLs, and stamps to the microsecond."""
ADDED = (BATCH_ID, FILE_NAME, DELIVERED_AT, MALFORMED, RAW_ROW)
Columns = tuple[tuple[str, str], ...]
"""Names of columns with their types, in order."""


@dataclass(frozen=True, slots=True)
class RawRows:
    """Raw rows that share their columns.

    Attributes:
        frame: A raw frame.
        batch_ids: The batches that its rows are of.
    """

    frame: DataFrame
    batch_ids: tuple[str, ...]


def source_columns(raw: DataFrame) -> list[str]:
    """The source's own columns."""
    return [name for name in raw.columns if name not in ADDED]


def with_file(
    rows: DataFrame, *, batch_id: str, file_name: str, delivered_at: datetime
) -> DataFrame:
    """Rows of one file or table in the raw form."""
    return rows.withColumns(
        {
            BATCH_ID: F.lit(batch_id),
            FILE_NAME: F.lit(file_name),
            DELIVERED_AT: F.lit(delivered_at),
            MALFORMED: F.lit(None).cast("string"),
            RAW_ROW: F.lit(None).cast("string"),
        }
    )


def quoted(name: str) -> Column:
    """A source's column, whatever its name holds."""
    return F.col(f"`{name.replace('`', '``')}`")


def texts(names: Iterable[str]) -> Columns:
    """Columns of texts."""
    return tuple((name, "string") for name in names)


def as_text(column: Column) -> Column:
    """A field as text without outer spaces; an empty one is NULL."""
    return F.nullif(F.trim(column.cast("string")), F.lit(""))
