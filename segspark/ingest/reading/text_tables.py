"""Tables of texts: what workbooks and databases become, since Spark cannot read them itself."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

_BATCH_ROWS = 50_000


@dataclass(frozen=True, slots=True)
class TextTable:
    """Rows that are read one by one, and once.

    Attributes:
        columns: Their names.
        rows: As many values each as there are columns; None where there is no value.
    """

    columns: tuple[str, ...]
    rows: Iterable[Sequence[str | None]]


def write_text_table(table: TextTable, stream: BinaryIO) -> None:
    """Write the rows as Parquet of strings, holding a bounded number of them at a time."""
    schema = pa.schema([(name, pa.string()) for name in table.columns])
    rows = iter(table.rows)
    with pq.ParquetWriter(stream, schema) as writer:
        while batch := list(islice(rows, _BATCH_ROWS)):
            values = zip(*batch, strict=True)
            arrays = [pa.array(column, pa.string()) for column in values]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
