"""Parts of a table, as the conditions that Delta takes."""

from collections.abc import Mapping, Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.errors import StorageError
from segspark.tables.contract import TableContract

Slice = Mapping[str, str | Sequence[str]]
"""Rows that belong together: column → value, or the values it may have."""


def day_bounds(contract: TableContract, changes: DataFrame) -> list[str] | None:
    """Between which days of the table's `apart_by` the changes lie; None: there are none."""
    if contract.apart_by is None:
        return None if changes.isEmpty() else []
    day = contract.apart_by
    found = changes.agg(F.min(day).alias("first"), F.max(day).alias("last")).collect()[0]
    if found["first"] is None:
        return None
    return [f"t.{day} BETWEEN DATE'{found['first']}' AND DATE'{found['last']}'"]


def predicate(contract: TableContract, rows: Slice, prefix: str = "") -> str:
    """The slice as SQL text, its values quoted: `replaceWhere` takes no other."""
    known = {column.name for column in contract.columns}
    if not rows or not known.issuperset(rows):
        raise StorageError(f"{contract.name}: a slice names columns of the table")
    return " AND ".join(
        f"{prefix}{column} IN ({_quoted(values)})" for column, values in rows.items()
    )


def _quoted(values: str | Sequence[str]) -> str:
    texts = [values] if isinstance(values, str) else list(values)
    escaped = [text.replace("\\", "\\\\").replace("'", "\\'") for text in texts]
    return ", ".join(f"'{text}'" for text in escaped)
