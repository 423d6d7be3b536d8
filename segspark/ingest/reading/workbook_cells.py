"""Cells of Excel workbooks as texts, by openpyxl for `.xlsx` and xlrd for `.xls`."""

import io
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from segspark.errors import SetupError
from segspark.ingest.files.allowances import check_workbook_size

Cells = Sequence[str | None]
_OLD_WORKBOOK = b"\xd0\xcf\x11\xe0"
_MORE_THAN_DOUBLES_TELL = 1e22


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet.

    Attributes:
        name: What its tab says.
        rows: Reads its rows from the first to the last, empty ones too, each as wide as it is.
    """

    name: str
    rows: Callable[[], Generator[Cells]]


@contextmanager
def open_sheets(path: Path, *, name: str) -> Iterator[list[Sheet]]:
    """The sheets in order, hidden ones too, to be read inside the block; charts are none.

    The kind of workbook is told by its bytes, since exports misname them. Whatever the libraries
    make of a damaged workbook comes as they raise it.

    Args:
        path: The workbook on this machine.
        name: What the file is called, for messages.

    Raises:
        IngestError: It unpacks to far more than its size.
        SetupError: The library is not installed.
    """
    with path.open("rb") as stream:
        is_old = stream.read(len(_OLD_WORKBOOK)) == _OLD_WORKBOOK
    if not is_old:
        # The library holds all texts of a workbook in memory.
        check_workbook_size(path, name=name)
    with _old_sheets(path) if is_old else _new_sheets(path) as sheets:
        yield sheets


def cell_text(value: object) -> str | None:
    """The text of a cell: numbers without a needless `.0`, stamps as ISO, an empty cell as None."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        is_whole = value.is_integer() and abs(value) < _MORE_THAN_DOUBLES_TELL
        return str(int(value)) if is_whole else repr(value)
    return _time_text(value) if isinstance(value, date | time | timedelta) else str(value)


def _time_text(value: date | time | timedelta) -> str:
    if isinstance(value, datetime):
        return value.isoformat(" ", "milliseconds" if value.microsecond else "seconds")
    if isinstance(value, date):
        return f"{value.isoformat()} 00:00:00"
    return value.isoformat("seconds") if isinstance(value, time) else _duration(value)


def _duration(value: timedelta) -> str:
    """Hours, minutes and seconds, the hours beyond a day too."""
    minutes, seconds = divmod(round(abs(value).total_seconds()), 60)
    sign = "-" if value < timedelta(0) else ""
    return f"{sign}{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}"


@contextmanager
def _new_sheets(path: Path) -> Iterator[list[Sheet]]:
    try:
        import openpyxl  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise _not_installed("openpyxl") from error
    with path.open("rb") as stream:
        book = openpyxl.load_workbook(stream, read_only=True, data_only=True)
        try:
            yield [_new_sheet(sheet) for sheet in book.worksheets]
        finally:
            book.close()


def _new_sheet(sheet: Any) -> Sheet:  # noqa: ANN401 - of a library that may not be there
    def rows() -> Generator[Cells]:
        # Some programs write a wrong size, beyond which nothing would be read.
        sheet.reset_dimensions()
        for row in sheet.iter_rows(values_only=True):
            yield [cell_text(value) for value in row]

    return Sheet(sheet.title, rows)


@contextmanager
def _old_sheets(path: Path) -> Iterator[list[Sheet]]:
    try:
        import xlrd  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise _not_installed("xlrd") from error
    # Without a log of its own the library prints its remarks, and a file that is cut while it is
    # mapped into memory ends the whole process.
    options = {"logfile": io.StringIO(), "use_mmap": False}
    with xlrd.open_workbook(str(path), on_demand=True, ragged_rows=True, **options) as book:
        yield [_old_sheet(book, number, name) for number, name in enumerate(book.sheet_names())]


def _old_sheet(book: Any, number: int, name: str) -> Sheet:  # noqa: ANN401 - as above
    def rows() -> Generator[Cells]:
        sheet = book.sheet_by_index(number)
        try:
            for row in range(sheet.nrows):
                yield [_old_cell_text(cell, book.datemode) for cell in sheet.row(row)]
        finally:
            book.unload_sheet(number)

    return Sheet(name, rows)


def _old_cell_text(cell: Any, datemode: int) -> str | None:  # noqa: ANN401 - as above
    import xlrd  # noqa: PLC0415 - an extra

    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return cell_text(bool(cell.value))
    if cell.ctype == xlrd.XL_CELL_ERROR:
        return str(xlrd.error_text_from_code[cell.value])
    if cell.ctype == xlrd.XL_CELL_DATE:
        try:
            stamp = xlrd.xldate.xldate_as_datetime(cell.value, datemode)
        except (ValueError, OverflowError):
            return cell_text(cell.value)
        return cell_text(stamp.time() if cell.value < 1 else stamp)
    return cell_text(cell.value)


def _not_installed(library: str) -> SetupError:
    return SetupError(
        f"Excel workbooks need {library}, which is not installed: pip install 'segspark[excel]'"
    )
