"""The bytes of files of every kind with one good line, whole or locked by a password."""

import io
import json
import sqlite3
import struct
from collections.abc import Callable

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import xlwt
from msoffcrypto.format.ooxml import OOXMLFile
from pyarrow import orc
from xlwt.CompoundDoc import XlsDoc

from tests.hostile import LINE, text
from tests.packed import zipped
from tests.purchases import HEADER


def arrow_table() -> pa.Table:
    """`LINE` as a table of texts."""
    names = HEADER.split(",")
    return pa.table({name: [field] for name, field in zip(names, LINE.split(","), strict=True)})


def parquet_file(rows: pa.Table) -> bytes:
    """These rows as Parquet."""
    stream = io.BytesIO()
    pq.write_table(rows, stream)
    return stream.getvalue()


def orc_file() -> bytes:
    """`LINE` as ORC."""
    stream = io.BytesIO()
    orc.write_table(arrow_table(), stream)
    return stream.getvalue()


def sqlite_file() -> bytes:
    """`LINE` in the table `lines` of a database."""
    connection = sqlite3.connect(":memory:")
    columns = HEADER.replace("order", '"order"')
    connection.execute(f"CREATE TABLE lines ({columns})")
    connection.execute("INSERT INTO lines VALUES (?, ?, ?, ?, ?, ?)", LINE.split(","))
    connection.commit()
    return connection.serialize()


def xlsx() -> bytes:
    """`LINE` as a workbook."""
    book, stream = openpyxl.Workbook(), io.BytesIO()
    for row in (HEADER, LINE):
        book.worksheets[0].append(row.split(","))
    book.save(stream)
    return stream.getvalue()


def xls() -> bytes:
    """`LINE` as a workbook of before 2007."""
    book, stream = xlwt.Workbook(), io.BytesIO()
    sheet = book.add_sheet("one")
    for place, row in enumerate((HEADER, LINE)):
        for column, value in enumerate(row.split(",")):
            sheet.write(place, column, value)
    book.save(stream)
    return stream.getvalue()


GOOD_FILES: dict[str, Callable[[], bytes]] = {
    "csv": lambda: text(LINE),
    "json": lambda: json.dumps(dict(zip(HEADER.split(","), LINE.split(","), strict=True))).encode(),
    "parquet": lambda: parquet_file(arrow_table()),
    "orc": orc_file,
    "sqlite": sqlite_file,
    "excel": xlsx,
}


def locked_zip() -> bytes:
    """A ZIP whose member says that it is protected by a password."""
    packed = bytearray(zipped(("a.csv", text(LINE))))
    struct.pack_into("<H", packed, 6, 1)
    struct.pack_into("<H", packed, packed.index(b"PK\x01\x02") + 8, 1)
    return bytes(packed)


def locked_xlsx() -> bytes:
    """A workbook that an independent library encrypted with a password, as Excel does."""
    stream = io.BytesIO()
    OOXMLFile(io.BytesIO(xlsx())).encrypt("secret", stream)
    return stream.getvalue()


def locked_xls() -> bytes:
    """A workbook of before 2007 that says, where Excel does, that what follows is encrypted."""
    book, stream = xlwt.Workbook(), io.BytesIO()
    book.add_sheet("one")
    content = book.get_biff_data()
    # Records are a number, a length and so many bytes; FILEPASS comes second.
    behind_start = 4 + struct.unpack_from("<H", content, 2)[0]
    filepass = struct.pack("<HHHHH48x", 0x2F, 54, 1, 1, 1)
    XlsDoc().save(stream, content[:behind_start] + filepass + content[behind_start:])
    return stream.getvalue()
