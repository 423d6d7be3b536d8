"""Tables → files, with every option of the writer fixed, so that equal tables are equal bytes."""

from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

_UNIQUE = ("order_id", "event_id")
"""Texts of which a dictionary would be as long as the column."""
Part = Literal["transactions", "customers", "events", "true_customers"]


def part_path(folder: Path, part: Part, number: int, file_format: str) -> Path:
    """The file of one block of customers."""
    return folder / part / f"part-{number:05d}.{file_format}"


def write_table(table: pa.Table, path: Path) -> None:
    """Write a table as CSV or Parquet, by the path's suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".csv":
        # No text of ours holds a comma or a quote.
        options = pa.csv.WriteOptions(quoting_style="none", quoting_header="none")
        pa.csv.write_csv(table, path, options)
        return
    texts = [
        field.name
        for field in table.schema
        if (pa.types.is_string(field.type) or pa.types.is_dictionary(field.type))
        and field.name not in _UNIQUE
    ]
    pq.write_table(
        table,
        path,
        version="2.6",
        compression="snappy",
        use_dictionary=texts,
        coerce_timestamps="us",
        store_schema=False,
        store_decimal_as_integer=True,
    )
