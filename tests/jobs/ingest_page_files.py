"""Files that the page docs/ingest.md reads and that no text editor writes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import xlwt
from pyarrow import orc

from tests.jobs.ingest_page_growing import NOON
from tests.packed import gzipped, zipped, zstd

HEADER = ("Customer", "Date", "Units", "Price")
"""Of the page's workbooks."""


def write_orc(*rows: tuple[int | None, str, float]) -> None:
    """Write the ORC file of the page: customer, order and money, at noon by a clock."""
    who, order, amount = zip(*rows, strict=True)
    at = pa.array([NOON] * len(rows), pa.timestamp("us"))
    orc.write_table(pa.table({"who": who, "order": order, "at": at, "amount": amount}),
                    "archive.orc")  # fmt: skip


def write_workbook(
    sheets: Mapping[str, Sequence[tuple[Any, ...]]], *, other: tuple[str, str]
) -> None:
    """Write the page's workbook: sheets with a header and rows, and one with nothing but a text."""
    book = openpyxl.Workbook()
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in (HEADER, *rows):
            sheet.append(row)
    name, text = other
    book.create_sheet(name).append((text,))
    book.remove(book.worksheets[0])
    book.save("fair.xlsx")


def write_old_workbook(*rows: tuple[Any, ...]) -> None:
    """Write the page's `.xls`, with its header; a stamp becomes a cell of that type."""
    book = xlwt.Workbook()
    sheet = book.add_sheet("Sales")
    as_date = xlwt.easyxf(num_format_str="YYYY-MM-DD HH:MM")
    for place, row in enumerate((HEADER, *rows)):
        for column, value in enumerate(row):
            style = (as_date,) if value is NOON else ()
            sheet.write(place, column, value, *style)
    book.save("market.xls")


def pack(first: bytes, second: bytes, *others: bytes) -> None:
    """Write the page's folder of packed files: a gzip, a zstd and a ZIP with all the others."""
    folder = Path("received")
    folder.mkdir()
    (folder / "1.csv.gz").write_bytes(gzipped(first))
    (folder / "2.csv.zst").write_bytes(zstd(second))
    members = ((f"{number}.csv", content) for number, content in enumerate(others, start=3))
    (folder / "april.zip").write_bytes(zipped(*members))
