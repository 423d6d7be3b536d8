"""Workbooks become tables of texts: what Excel shows, without what Excel adds."""

import random
import struct
import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path

import openpyxl
import pytest
import xlwt

from segspark.errors import IngestError, SetupError
from segspark.ingest.reading.workbook_cells import cell_text
from segspark.ingest.reading.workbooks import open_workbook

Rows = Sequence[Sequence[object]]
Write = Callable[..., Path]
HEADER = ("who", "at", "paid")
stamp = datetime.fromisoformat


def xlsx(path: Path, sheets: Mapping[str, Rows], hidden: Sequence[str] = ()) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        sheet.sheet_state = "hidden" if title in hidden else "visible"
        for row in rows:
            sheet.append(list(row))
    book.save(path)
    return path


def xls(path: Path, sheets: Mapping[str, Rows], hidden: Sequence[str] = ()) -> Path:
    book = xlwt.Workbook()
    stamp = xlwt.easyxf(num_format_str="YYYY-MM-DD HH:MM:SS")
    for title, rows in sheets.items():
        sheet = book.add_sheet(title)
        sheet.visibility = int(title in hidden)
        for place, row in enumerate(rows):
            for column, value in enumerate(row):
                if value is not None:
                    style = (stamp,) if isinstance(value, date) else ()
                    sheet.write(place, column, value, *style)
    book.save(str(path))
    return path


def read(path: Path, *sheets: str) -> tuple[tuple[str, ...], list[tuple[str | None, ...]]]:
    with open_workbook(path, sheets=sheets, name="shop.xlsx") as found:
        return found.columns, [tuple(row) for row in found.rows]


@pytest.mark.parametrize("write", [xlsx, xls])
def test_both_kinds_of_workbook_give_the_same_texts(tmp_path: Path, write: Write) -> None:
    rows = [
        ("who", "at", "units", "price", "new", "note"),
        (17850, stamp("2010-12-01T08:26"), 6, 2.55, True, "mug"),
        (17850.0, stamp("2010-12-01"), -1, 0.1, False, None),
    ]
    assert read(write(tmp_path / "a", {"one": rows})) == (
        ("who", "at", "units", "price", "new", "note"),
        [
            ("17850", "2010-12-01 08:26:00", "6", "2.55", "true", "mug"),
            ("17850", "2010-12-01 00:00:00", "-1", "0.1", "false", None),
        ],
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12345678901234567, "12345678901234567"),
        (536365.0, "536365"),
        (-0.0, "0"),
        (1e15, "1000000000000000"),
        (2.55, "2.55"),
        (1e-7, "1e-07"),
        (True, "true"),
        (" spaced ", " spaced "),
        ("#N/A", "#N/A"),
        ("", None),
        (None, None),
        (date(2010, 12, 1), "2010-12-01 00:00:00"),
        (stamp("2010-12-01T08:26:00.250"), "2010-12-01 08:26:00.250"),
        (time(8, 26), "08:26:00"),
        (timedelta(hours=30, minutes=5), "30:05:00"),
        (timedelta(minutes=-5), "-00:05:00"),
    ],
)
def test_a_cell_becomes_its_text(value: object, text: str | None) -> None:
    assert cell_text(value) == text


@pytest.mark.parametrize("mode", [0, 1])
def test_dates_of_both_calendars_of_old_workbooks_are_the_same(tmp_path: Path, mode: int) -> None:
    book = xlwt.Workbook()
    book.dates_1904 = bool(mode)
    sheet = book.add_sheet("one")
    style = xlwt.easyxf(num_format_str="YYYY-MM-DD")
    day = (stamp("2010-12-01") - stamp("1904-01-01")).days + (0 if mode else 1462)
    sheet.write(0, 0, "at")
    sheet.write(1, 0, day + 0.5, style)
    sheet.write(2, 0, 0.25, xlwt.easyxf(num_format_str="HH:MM"))
    book.save(str(tmp_path / "a.xls"))
    assert read(tmp_path / "a.xls")[1] == [("2010-12-01 12:00:00",), ("06:00:00",)]


def test_error_cells_keep_their_text(tmp_path: Path) -> None:
    new = xlsx(tmp_path / "a.xlsx", {"one": [("who",), ("#N/A",)]})
    old = xlwt.Workbook()
    sheet = old.add_sheet("one")
    sheet.write(0, 0, "who")
    sheet.row(1).set_cell_error(0, "#N/A!")
    old.save(str(tmp_path / "a.xls"))
    assert read(new) == read(tmp_path / "a.xls") == (("who",), [("#N/A",)])


def test_a_formula_without_a_saved_value_is_empty(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "a", {"one": [HEADER, ("7", "=NOW()", 5)]})
    assert read(path)[1] == [("7", None, "5")]


@pytest.mark.parametrize("write", [xlsx, xls])
def test_empty_rows_and_columns_around_the_table_are_none(tmp_path: Path, write: Write) -> None:
    blank = (None, None, None, None, None)
    rows = [blank, (*HEADER, "", None), ("7", "x", 5), blank, ("8", None, None), ("",) * 5, blank]
    assert read(write(tmp_path / "a", {"one": rows})) == (
        HEADER,
        [("7", "x", "5"), ("8", None, None)],
    )


@pytest.mark.parametrize("write", [xlsx, xls])
def test_all_sheets_are_read_hidden_ones_too_or_those_that_are_named(
    tmp_path: Path, write: Write
) -> None:
    sheets = {
        "May": [HEADER, ("1", "x", "1")],
        "empty": [],
        "old": [HEADER, ("2", "x", "1")],
        "June": [HEADER, ("3", "x", "1")],
    }
    path = write(tmp_path / "a", sheets, hidden=["old"])
    assert [row[0] for row in read(path)[1]] == ["1", "2", "3"]
    assert [row[0] for row in read(path, "old", "May")[1]] == ["2", "1"]


def test_a_missing_sheet_is_named_with_those_that_are_there(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "a", {"May": [HEADER], "June": [HEADER]})
    with pytest.raises(IngestError, match="there is no sheet July; there are May, June: correct"):
        read(path, "May", "July")


@pytest.mark.parametrize("write", [xlsx, xls])
def test_sheets_with_other_columns_are_refused_before_a_row_is_read(
    tmp_path: Path, write: Write
) -> None:
    path = write(tmp_path / "a", {"May": [HEADER, ("1", "x", 1)], "notes": [("text",), ("hello",)]})
    with (
        pytest.raises(
            IngestError,
            match=r"sheet notes: its columns \(text\) are not those of sheet May \(who, at, paid\)",
        ),
        open_workbook(path, sheets=(), name="shop.xlsx"),
    ):
        pass


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        (("who", "at", "paid", None, "note"), r"shop\.xlsx: sheet one: D1 is empty and should"),
        (("who", "at", "paid", "Who"), "sheet one: D1 names the column Who twice"),
        ((*(f"c{n}" for n in range(27)), "c0"), "AB1 names the column c0 twice"),
    ],
)
def test_a_header_cell_that_names_no_column_of_its_own_is_refused(
    tmp_path: Path, header: Sequence[object], sentence: str
) -> None:
    with pytest.raises(IngestError, match=sentence):
        read(xlsx(tmp_path / "a", {"one": [header, ("7",)]}))


def test_a_value_beside_the_named_columns_is_refused(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "a", {"one": [HEADER, ("7", "x", 5), ("8", "x", 5, None, "see mail")]})
    with pytest.raises(IngestError, match="E3 holds 'see mail' and its column has no name"):
        read(path)


def test_a_wrong_size_in_the_workbook_does_not_cut_it(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "a.xlsx", {"one": [HEADER, ("7", "x", 5)]})
    wrong = tmp_path / "b.xlsx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(wrong, "w") as new:
        for member in old.namelist():
            content = old.read(member)
            new.writestr(member, content.replace(b'ref="A1:C2"', b'ref="A1"'))
    assert read(wrong) == (HEADER, [("7", "x", "5")])


def with_member(path: Path, name: str, content: bytes) -> Path:
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as book:
        book.writestr(name, content)
    return path


def test_a_workbook_that_unpacks_to_far_more_than_its_size_is_refused(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "a.xlsx", {"one": [HEADER, ("7", "x", 5)]})
    assert read(with_member(path, "xl/note.xml", b" " * (99 << 20)))[1] == [("7", "x", "5")]
    with_member(path, "xl/sharedStrings2.xml", b" " * (2 << 20))
    with pytest.raises(IngestError) as refused:
        read(path)
    assert str(refused.value) == (
        "shop.xlsx: unpacks to more than 200 times its size, as an archive made to fill a disk "
        "does: save it anew"
    )


def test_a_part_of_a_workbook_does_not_hide_beside_what_packs_badly(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "a.xlsx", {"one": [HEADER, ("7", "x", 5)]})
    with_member(path, "xl/media/photo.jpg", random.Random(1).randbytes(1 << 20))  # noqa: S311 - noise
    with_member(path, "xl/note.xml", b" " * (101 << 20))
    assert path.stat().st_size * 200 > 102 << 20
    with pytest.raises(IngestError, match="unpacks to more than 200 times its size"):
        read(path)


def test_a_size_that_a_workbook_declares_and_does_not_keep_hides_nothing(tmp_path: Path) -> None:
    path = with_member(xlsx(tmp_path / "a.xlsx", {"one": [HEADER]}), "xl/note.xml", b" " * 9999)
    packed = bytearray(path.read_bytes())
    # The unpacked size stands 24 bytes into the last record of the archive's directory.
    struct.pack_into("<L", packed, packed.rindex(b"PK\x01\x02") + 24, 14)
    path.write_bytes(packed)
    with pytest.raises(IngestError, match=r"shop\.xlsx: is damaged \(.*xl/note\.xml\): send"):
        read(path)


@pytest.mark.parametrize("start", [b"<html><table>", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1"])
def test_what_is_no_workbook_is_refused(tmp_path: Path, start: bytes) -> None:
    (tmp_path / "a.xlsx").write_bytes(start + b"x" * 5000)
    with pytest.raises(IngestError, match=r"shop\.xlsx: cannot be read as an Excel workbook"):
        read(tmp_path / "a.xlsx")


def test_a_workbook_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "a.xlsx", {"one": [HEADER, *[("7", "x", n) for n in range(1000)]]})
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(IngestError, match="cannot be read as an Excel workbook"):
        read(path)


def with_rows_last(book: bytes) -> bytes:
    """An old workbook whose stream of rows is its file's end, as other programs than xlwt write it.

    It has one sector of the table that chains sectors, and one directory.
    """
    sectors = [book[at : at + 512] for at in range(512, len(book), 512)]
    (directory,), (table,) = struct.unpack_from("<i", book, 48), struct.unpack_from("<i", book, 76)
    order = [*range(table, len(sectors)), *range(table)]
    moved = {old: new for new, old in enumerate(order)}
    chained = struct.unpack("<128i", sectors[table])
    following = [chained[old] for old in order] + [-1] * (128 - len(order))
    sectors[table] = struct.pack("<128i", *(moved.get(old, old) for old in following))
    changed = bytearray(book[:512] + b"".join(sectors[old] for old in order))
    struct.pack_into("<i", changed, 48, moved[directory])
    struct.pack_into("<i", changed, 76, moved[table])
    # The stream's first sector stands in the second entry of the directory.
    struct.pack_into("<i", changed, 512 * (moved[directory] + 1) + 128 + 116, moved[0])
    return bytes(changed)


@pytest.mark.parametrize("layout", [bytes, with_rows_last])
def test_an_old_workbook_cut_anywhere_is_refused_or_lacks_no_row(
    tmp_path: Path, layout: Callable[[bytes], bytes]
) -> None:
    path = xls(tmp_path / "a.xls", {"one": [HEADER, *[("7", f"x{n}", n) for n in range(40)]]})
    whole = layout(path.read_bytes())
    path.write_bytes(whole)
    rows = read(path)
    assert len(rows[1]) == 40
    for length in range(512, len(whole), 29):
        path.write_bytes(whole[:length])
        try:
            assert read(path) == rows
        except IngestError:
            continue


def test_a_workbook_of_empty_sheets_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IngestError, match=r"shop\.xlsx: its sheets are empty"):
        read(xlsx(tmp_path / "a", {"one": [], "two": [(None, "")]}))


@pytest.mark.parametrize(("write", "library"), [(xlsx, "openpyxl"), (xls, "xlrd")])
def test_a_missing_library_is_named_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Write, library: str
) -> None:
    path = write(tmp_path / "a", {"one": [HEADER]})
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(SetupError, match=rf"need {library}, .*pip install 'segspark\[excel\]'"):
        read(path)
