"""Nasty rows as the bytes of files, by writers that know nothing of segspark."""

import csv
import gzip
import io
import json
import random
import sqlite3
import zipfile
from collections.abc import Callable, Sequence
from contextlib import closing

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

from tests.nasty_rows import NastyRow, Style, columns


def written(rows: Sequence[NastyRow], style: Style) -> bytes:
    """The content of one file, not packed."""
    lines = [row.cells for row in rows for _ in range(row.copies)]
    random.Random(len(lines)).shuffle(lines)  # noqa: S311 - an order
    tables = {"excel": _workbook, "parquet": _parquet, "sqlite": _database}
    if style.kind in tables:
        return tables[style.kind](lines)
    makers: dict[str, Callable[[Sequence[tuple[str, ...]], Style], str]] = {"json": _json_lines}
    content = makers.get(style.kind, _csv)(lines, style)
    mark = "\ufeff" if style.has_mark and style.encoding == "UTF-8" else ""
    return (mark + content).encode(style.encoding)


def _json_lines(lines: Sequence[tuple[str, ...]], style: Style) -> str:
    objects = [dict(zip(columns(), line, strict=True)) for line in lines]
    texts = [json.dumps(one, ensure_ascii=style.quote_all) for one in objects]
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


def _parquet(lines: Sequence[tuple[str, ...]]) -> bytes:
    texts = zip(*lines, strict=True)
    table = pa.table({name: list(cells) for name, cells in zip(columns(), texts, strict=True)})
    target = io.BytesIO()
    pq.write_table(table, target)
    return target.getvalue()


def _database(lines: Sequence[tuple[str, ...]]) -> bytes:
    with closing(sqlite3.connect(":memory:")) as database:
        names = ", ".join(f'"{name}" TEXT' for name in columns())
        database.execute(f"CREATE TABLE lines ({names})")
        marks = ", ".join("?" * len(columns()))
        database.executemany(f"INSERT INTO lines VALUES ({marks})", lines)  # noqa: S608 - marks only
        database.commit()
        return database.serialize()


def packed(content: bytes, style: Style) -> bytes:
    """The content as it is sent."""
    if style.packing == "gzip":
        return gzip.compress(content)
    if style.packing == "zstd":
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, "zstd") as stream:
            stream.write(content)
        return bytes(sink.getvalue())
    if style.packing == "zip":
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("deep/lines", content)
        return target.getvalue()
    return content
