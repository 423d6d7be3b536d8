"""A look at a file tells its columns and whether it has rows, or why it cannot be read."""

import gzip
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlwt
from pyarrow import orc

from segspark.errors import IngestError
from segspark.ingest.files.local_store import LocalStore
from segspark.ingest.files.source_files import SourceFile, find_files, look_inside
from segspark.ingest.reading.file_columns import Look, columns_by_file, look_at
from segspark.ingest.reading.raw import texts
from segspark.settings.formats import FileFormat
from tests.readables import file_source

HEADER = ("who", "at", "paid")
Write = Callable[[Path, int], None]


def _csv(path: Path, row_count: int) -> None:
    path.write_text("\n".join([",".join(HEADER), *["7,x,1"] * row_count, ""]), encoding="utf-8")


def _arrow(row_count: int) -> pa.Table:
    return pa.table({name: pa.array(["x"] * row_count, pa.string()) for name in HEADER})


def _sqlite(path: Path, row_count: int) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (who, at, paid)")
    connection.executemany("INSERT INTO t VALUES (?, ?, ?)", [("x" * 999, "x", "1")] * row_count)
    connection.commit()
    connection.close()


def _xlsx(path: Path, row_count: int) -> None:
    book = openpyxl.Workbook()
    for row in (HEADER, *[("7", "x", 1)] * row_count):
        book.worksheets[0].append(list(row))
    book.save(path)


def _xls(path: Path, row_count: int) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("one")
    for place, row in enumerate((HEADER, *[("7", "x", 1)] * row_count)):
        for column, value in enumerate(row):
            sheet.write(place, column, value)
    book.save(str(path))


KINDS: dict[str, tuple[dict[str, Any], Write]] = {
    "csv": ({"kind": "csv"}, _csv),
    "parquet": ({"kind": "parquet"}, lambda path, n: pq.write_table(_arrow(n), path)),
    "orc": ({"kind": "orc"}, lambda path, n: orc.write_table(_arrow(n), str(path))),
    "sqlite": ({"kind": "sqlite", "table": "t"}, _sqlite),
    "xlsx": ({"kind": "excel"}, _xlsx),
    "xls": ({"kind": "excel"}, _xls),
}


def looked_at(path: Path, file_format: dict[str, Any]) -> Look:
    """What a look at the one file at a path gives."""
    (file,) = inside(path, file_format)
    return look_at(file, store=LocalStore(), file_format=_format(file_format))


def inside(path: Path, file_format: dict[str, Any]) -> list[SourceFile]:
    """The files at a path."""
    (found,) = find_files(LocalStore(), "shop", str(path))
    return look_inside(LocalStore(), found, _format(file_format))


def _format(file_format: dict[str, Any]) -> FileFormat:
    found: FileFormat = file_source("in", file_format).format  # type: ignore[assignment]
    return found


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("row_count", [0, 1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_a_look_tells_the_columns_and_whether_there_are_rows_packed_or_not(
    tmp_path: Path, kind: str, row_count: int, pack: Callable[[bytes], bytes]
) -> None:
    file_format, write = KINDS[kind]
    path = tmp_path / "in"
    write(path, row_count)
    path.write_bytes(pack(path.read_bytes()))
    assert looked_at(path, file_format) == Look(texts(HEADER), row_count > 0)


@pytest.mark.parametrize(
    ("text", "has_rows"),
    [
        ("who,at\r\n\r\n \t\r\n", False),
        ("\n\nwho,at\n", False),
        ("who,at", False),
        ("who,at\n,\n", True),
        ("\n\nwho,at\n\n7,x\n", True),
        ("who,at\n" + "\n" * (1 << 20), True),
    ],
)
def test_lines_of_blanks_below_a_header_are_no_rows_as_far_as_the_first_mebibyte_tells(
    tmp_path: Path, text: str, *, has_rows: bool
) -> None:
    (tmp_path / "in").write_bytes(text.encode())
    assert looked_at(tmp_path / "in", {"kind": "csv"}).has_rows == has_rows


@pytest.mark.parametrize("multiline", [False, True])
def test_a_quote_that_a_header_leaves_open_takes_in_the_next_line_only_where_values_may(
    tmp_path: Path, *, multiline: bool
) -> None:
    (tmp_path / "in").write_bytes(b'who,at,"note\n1",paid\n')
    found = looked_at(tmp_path / "in", {"kind": "csv", "multiline": multiline})
    header = ["who", "at", "note\n1", "paid"] if multiline else ["who", "at", "note"]
    assert found.has_rows == (not multiline)
    assert [name.strip() for name, _ in found.columns] == header


def test_a_delimiter_of_two_signs_divides_the_header(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("who||at||paid\n7||x||1\n", encoding="utf-8")
    found = looked_at(tmp_path / "in", {"kind": "csv", "delimiter": "||"})
    assert found == Look(texts(HEADER), has_rows=True)


def test_every_line_of_json_or_of_a_file_without_a_header_is_a_row(tmp_path: Path) -> None:
    (tmp_path / "in").write_text('{"who":"7","at":"x"}\n', encoding="utf-8")
    assert looked_at(tmp_path / "in", {"kind": "json"}) == Look(texts(["who", "at"]), has_rows=True)
    plain = {"kind": "csv", "header": False, "column_names": ["a", "b"]}
    assert looked_at(tmp_path / "in", plain) == Look(texts(["a", "b"]), has_rows=True)
    fixed = {"kind": "fixed_width", "fields": {"a": [1, 2], "b": [3, 4]}}
    assert looked_at(tmp_path / "in", fixed) == Look(texts(["a", "b"]), has_rows=True)


def test_a_column_that_a_folder_names_need_not_be_in_the_file() -> None:
    source = file_source("in", "csv")
    found = {"at=2026-01-01/a": texts(["who", "paid"]), "b": texts(HEADER)}
    assert columns_by_file(source, found, name="shop") == found
    with pytest.raises(IngestError) as refused:
        columns_by_file(source, {"at/a": texts(["who", "paid"])}, name="shop")
    assert str(refused.value) == (
        "source shop: at/a: there is no column at; there are who, paid: correct "
        "sources.shop.columns or the file"
    )


def test_files_of_json_share_their_columns_and_one_of_them_must_have_what_is_required() -> None:
    source = file_source("in", "json")
    found = columns_by_file(source, {"a": texts(["who"]), "b": texts(["at", "note"])}, name="shop")
    assert found == dict.fromkeys("ab", texts(["who", "at", "note", "paid"]))
    with pytest.raises(IngestError, match="source shop: 2 files: there is no column at; there"):
        columns_by_file(source, {"a": texts(["who"]), "b": texts(["note"])}, name="shop")
