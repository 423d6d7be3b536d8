"""Nasty rows as the bytes of files, by writers that know nothing of segspark."""

import csv
import io
import json
import random
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import orc

from tests.nasty_rows import FIELD_WIDTH, PACKINGS, TABLES, NastyRow, Style, columns
from tests.packed import gzipped, streamed_zstd, zipped


def written(rows: Sequence[NastyRow], style: Style) -> bytes:
    """The content of one file, not packed."""
    lines = [row.cells for row in rows for _ in range(row.copies)]
    random.Random(len(lines)).shuffle(lines)  # noqa: S311 - an order
    tables = {"excel": _workbook, "orc": _orc, "sqlite": _database}
    if style.kind in TABLES:
        # A table of Delta is a Parquet file, and a log beside it.
        return tables.get(style.kind, _parquet)(lines)
    makers: dict[str, Callable[[Sequence[tuple[str, ...]], Style], str]] = {
        "json": _json_lines,
        "fixed_width": _fixed_width,
    }
    content = makers.get(style.kind, _csv)(lines, style)
    mark = "\ufeff" if style.has_mark and style.encoding == "UTF-8" else ""
    return (mark + content).encode(style.encoding)


def _json_lines(lines: Sequence[tuple[str, ...]], style: Style) -> str:
    objects = [dict(zip(columns(), line, strict=True)) for line in lines]
    texts = [json.dumps(one, ensure_ascii=style.quote_all) for one in objects]
    return "".join(f"{text}{style.line_end}" for text in texts)


def _fixed_width(lines: Sequence[tuple[str, ...]], style: Style) -> str:
    texts = ["".join(f" {cell}".ljust(FIELD_WIDTH) for cell in line) for line in lines]
    return "".join(f"{text}{style.line_end}" for text in texts)


def _csv(lines: Sequence[tuple[str, ...]], style: Style) -> str:
    # Python's writer takes one sign only, which stands in no cell.
    delimiter = style.delimiter if len(style.delimiter) == 1 else "\x1f"
    target = io.StringIO(newline="")
    writer = csv.writer(
        target,
        delimiter=delimiter,
        lineterminator=style.line_end,
        quoting=csv.QUOTE_ALL if style.quote_all else csv.QUOTE_MINIMAL,
    )
    writer.writerows([columns(), *lines])
    return target.getvalue().replace(delimiter, style.delimiter)


def _workbook(lines: Sequence[tuple[str, ...]]) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for number, line in enumerate([columns(), *lines], start=1):
        for place, text in enumerate(line, start=1):
            cell = sheet.cell(number, place)
            cell.value = text or None
            if text:
                cell.data_type = "s"
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def _arrow(lines: Sequence[tuple[str, ...]]) -> pa.Table:
    texts = zip(*lines, strict=True)
    return pa.table({name: list(cells) for name, cells in zip(columns(), texts, strict=True)})


def _parquet(lines: Sequence[tuple[str, ...]]) -> bytes:
    target = io.BytesIO()
    pq.write_table(_arrow(lines), target)
    return target.getvalue()


def _orc(lines: Sequence[tuple[str, ...]]) -> bytes:
    target = io.BytesIO()
    orc.write_table(_arrow(lines), target)
    return target.getvalue()


def _database(lines: Sequence[tuple[str, ...]]) -> bytes:
    with closing(sqlite3.connect(":memory:")) as database:
        names = ", ".join(f'"{name}" TEXT' for name in columns())
        database.execute(f"CREATE TABLE lines ({names})")
        marks = ", ".join("?" * len(columns()))
        database.executemany(f"INSERT INTO lines VALUES ({marks})", lines)  # noqa: S608 - marks only
        database.commit()
        return database.serialize()


def write_source(contents: Sequence[bytes], style: Style, folder: Path) -> Path:
    """Write the contents as they are sent, `0`, `1` and so on; returns the source's location."""
    folder.mkdir()
    if style.kind == "delta":
        (content,) = contents
        _write_delta(content, folder / "0")
        return folder / "0"
    first = PACKINGS.index(style.packing)
    for number, content in enumerate(contents):
        packing = PACKINGS[(first + number) % len(PACKINGS)]
        (folder / f"{number}").write_bytes(_packed(content, packing))
    return folder


def _write_delta(content: bytes, folder: Path) -> None:
    """A Delta table of one Parquet file, by its protocol."""
    fields = [
        {"name": name, "type": "string", "nullable": True, "metadata": {}} for name in columns()
    ]
    actions: list[dict[str, Any]] = [
        {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}},
        {
            "metaData": {
                "id": "00000000-0000-0000-0000-000000000000",
                "format": {"provider": "parquet", "options": {}},
                "schemaString": json.dumps({"type": "struct", "fields": fields}),
                "partitionColumns": [],
                "configuration": {},
            }
        },
        {
            "add": {
                "path": "rows.parquet",
                "partitionValues": {},
                "size": len(content),
                "modificationTime": 0,
                "dataChange": True,
            }
        },
    ]
    (folder / "_delta_log").mkdir(parents=True)
    (folder / "rows.parquet").write_bytes(content)
    log = "".join(f"{json.dumps(action)}\n" for action in actions)
    (folder / "_delta_log" / f"{0:020}.json").write_text(log)


def _packed(content: bytes, packing: str) -> bytes:
    if packing == "gzip":
        return gzipped(content)
    if packing == "zstd":
        return streamed_zstd(content)
    if packing == "zip":
        return zipped(("deep/lines", content))
    return content
