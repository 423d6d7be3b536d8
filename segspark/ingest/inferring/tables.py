"""The first rows of Parquet, ORC, Excel and SQLite files as columns of texts."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import orc

from segspark.errors import IngestError, SegsparkError
from segspark.ingest.inferring.known_columns import is_known_name
from segspark.ingest.inferring.profiles import SampleColumn
from segspark.ingest.reading.sqlite_files import open_sqlite
from segspark.ingest.reading.workbook_cells import Cells, Sheet, open_sheets

_MOST_ROWS = 10_000
_EXACT_BELOW = 1e15
"""Whole numbers below it are floats to the last digit."""


@dataclass(frozen=True, slots=True)
class TableRows:
    """The first rows of a file that is no text.

    Attributes:
        format: Keys of the source's format.
        columns: The columns.
        row_count: Rows in it.
        is_whole: Whether it is all of the file.
        notes: What else a person should know.
    """

    format: dict[str, object]
    columns: Sequence[SampleColumn]
    row_count: int
    is_whole: bool
    notes: Sequence[str] = ()


def read_table_rows(plain: Path, *, kind: str, name: str) -> TableRows:
    """Read at most 10,000 rows; of several tables or sheets those of the most telling one.

    Args:
        plain: The file, unpacked.
        kind: parquet, orc, excel or sqlite.
        name: What the file is called, for messages.

    Raises:
        IngestError: It is damaged.
        SetupError: A library for it is not installed.
    """
    readers: dict[str, Callable[[Path], TableRows]] = {
        "parquet": _parquet,
        "orc": _orc,
        "excel": partial(_excel, name=name),
        "sqlite": _sqlite,
    }
    try:
        return readers[kind](plain)
    except SegsparkError:
        raise
    # The libraries raise whatever comes of damaged bytes.
    except Exception as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise IngestError(
            f"{name}: cannot be read as {kind} ({reason[0]}): send the file again"
        ) from error


def first_batch(path: Path, *, kind: str) -> pa.RecordBatch | None:
    """At most 10,000 rows of a Parquet or ORC file; None: it has none."""
    if kind == "parquet":
        with pq.ParquetFile(path) as file:
            return next(file.iter_batches(batch_size=_MOST_ROWS), None)
    file = orc.ORCFile(path)
    return file.read_stripe(0).slice(0, _MOST_ROWS) if file.nstripes else None


def _parquet(path: Path) -> TableRows:
    return _arrow("parquet", path, pq.read_metadata(path).num_rows)


def _orc(path: Path) -> TableRows:
    return _arrow("orc", path, orc.ORCFile(path).nrows)


def _arrow(kind: str, path: Path, count: int) -> TableRows:
    batch = first_batch(path, kind=kind)
    if batch is None:
        return TableRows({"kind": kind}, (), 0, is_whole=True)
    columns = []
    for column in batch.schema:
        dtype = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        values = [_text(value) for value in batch.column(column.name).to_pylist()]
        columns.append(SampleColumn(column.name, values, _arrow_kind(dtype)))
    return TableRows({"kind": kind}, columns, batch.num_rows, is_whole=count <= batch.num_rows)


def _arrow_kind(dtype: pa.DataType) -> Any:  # noqa: ANN401 - one of the literals of SampleColumn
    types = pa.types
    if types.is_string(dtype) or types.is_large_string(dtype):
        return "text"
    if types.is_timestamp(dtype) or types.is_date(dtype):
        return "stamp"
    is_number = types.is_integer(dtype) or types.is_floating(dtype) or types.is_decimal(dtype)
    return "number" if is_number else "other"


def _excel(path: Path, *, name: str) -> TableRows:
    """All sheets that have the columns of the most telling one; cells come as texts."""
    with open_sheets(path, name=name) as sheets:
        tables = {sheet.name: _filled(sheet) for sheet in sheets}
    headers = {name: _header(rows) for name, rows in tables.items() if len(rows) > 1}
    if not headers:
        return TableRows({"kind": "excel"}, (), 0, is_whole=True)
    best = max(headers, key=lambda name: sum(map(is_known_name, headers[name])))
    alike = [name for name, header in headers.items() if header == headers[best]]
    others = [name for name, rows in tables.items() if rows and name not in alike]
    form: dict[str, object] = {"kind": "excel"}
    notes = []
    if others:
        form["sheets"] = alike
        notes.append(f"sheets with other columns are left out: {', '.join(others)}")
    rows = tables[best][1:]
    columns = [
        SampleColumn(name, [_text(row[i]) if i < len(row) else None for row in rows])
        for i, name in enumerate(headers[best])
    ]
    return TableRows(form, columns, len(rows), is_whole=len(rows) < _MOST_ROWS, notes=notes)


def _filled(sheet: Sheet) -> list[Cells]:
    return list(islice((cells for cells in sheet.rows() if any(cells)), _MOST_ROWS + 1))


def _header(rows: Sequence[Cells]) -> list[str]:
    return [(cell or "").strip() for cell in rows[0]]


def _sqlite(path: Path) -> TableRows:
    """The table or view with most usual names; values come as texts."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
        found = database.execute(
            "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') "
            "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
        )
        names = [str(name) for (name,) in found]
    tables = {name: _sqlite_rows(path, name) for name in names}
    if not tables:
        return TableRows({"kind": "sqlite"}, (), 0, is_whole=True)
    best = max(tables, key=lambda name: sum(map(is_known_name, tables[name][0])))
    columns, rows = tables[best]
    others = [name for name in names if name != best]
    notes = [f"other tables and views are left out: {', '.join(others)}"] if others else []
    cells = [SampleColumn(name, [_text(row[i]) for row in rows]) for i, name in enumerate(columns)]
    form: dict[str, object] = {"kind": "sqlite", "table": best}
    return TableRows(form, cells, len(rows), is_whole=len(rows) < _MOST_ROWS, notes=notes)


def _sqlite_rows(path: Path, table: str) -> tuple[tuple[str, ...], list[Sequence[str | None]]]:
    with open_sqlite(path, table=table, name=path.name) as found:
        return found.columns, list(islice(found.rows, _MOST_ROWS))


def _text(value: object) -> str | None:
    """A cell as text without outer spaces; None for an empty one and for no number."""
    if value is None or value != value:  # noqa: PLR0124 - not a number
        return None
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value == int(value) and abs(value) < _EXACT_BELOW:
        return str(int(value))
    return str(value).strip() or None
