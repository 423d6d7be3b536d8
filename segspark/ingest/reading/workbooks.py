"""Excel workbooks as tables of texts."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from segspark.errors import IngestError, SegsparkError
from segspark.ingest.reading.text_tables import TextTable
from segspark.ingest.reading.workbook_cells import Cells, Sheet, open_sheets

_LETTERS = 26
_MOST_NAMES = 10


@contextmanager
def open_workbook(path: Path, *, sheets: Sequence[str], name: str) -> Iterator[TextTable]:
    """The rows of some sheets, one sheet after the other, every cell as its text.

    Each sheet's first row that is not empty names its columns. Rows of empty cells are no rows,
    since workbooks often end in formatted but empty ones. Hidden sheets count as any other. A
    formula counts as the value that was saved with it; programs that compute none leave the cell
    empty here.

    Args:
        path: The workbook on this machine, `.xlsx` or `.xls` whatever its name says.
        sheets: Names of the sheets to read; none: all of them.
        name: What the file is called, for messages.

    Returns:
        The columns and rows of all these sheets; the rows can be read until the block ends.

    Raises:
        IngestError: The file is no workbook or damaged, a named sheet is missing, all are empty, a
            header names a column not at all or twice, or a sheet's columns are not those of the
            first; later, while the rows are read: a value stands beside the columns.
        SetupError: The library for this kind of workbook is not installed.
    """
    with ExitStack() as stack:
        with _damage_told(name):
            there = stack.enter_context(open_sheets(path, name=name))
            chosen = _chosen(there, sheets, name=name)
            columns = _columns(chosen, name=name)
        yield TextTable(columns, _rows(chosen, len(columns), name=name))


@contextmanager
def _damage_told(name: str) -> Iterator[None]:
    try:
        yield
    except SegsparkError:
        raise
    # Both libraries raise whatever comes of damaged bytes.
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise IngestError(
            f"{name}: cannot be read as an Excel workbook ({reason}): save it anew as .xlsx, "
            "without a password"
        ) from error


def _chosen(there: Sequence[Sheet], wanted: Sequence[str], *, name: str) -> list[Sheet]:
    by_name = {sheet.name: sheet for sheet in there}
    missing = [title for title in wanted if title not in by_name]
    if missing:
        more = " and more" if len(by_name) > _MOST_NAMES else ""
        raise IngestError(
            f"{name}: there is no sheet {', '.join(missing)}; there are "
            f"{', '.join(list(by_name)[:_MOST_NAMES])}{more}: correct format.sheets of the source"
        )
    if wanted:
        return [by_name[title] for title in dict.fromkeys(wanted)]
    return list(there)


def _columns(sheets: Sequence[Sheet], *, name: str) -> tuple[str, ...]:
    """The columns that all sheets but empty ones share; of each only the header is read."""
    first: tuple[str, tuple[str, ...]] | None = None
    for sheet in sheets:
        with closing(_filled(sheet)) as rows:
            row = next(rows, None)
        if row is None:
            continue
        columns = _header(*row, f"{name}: sheet {sheet.name}")
        first = first or (sheet.name, columns)
        if columns != first[1]:
            raise IngestError(
                f"{name}: sheet {sheet.name}: its columns ({', '.join(columns)}) are not those of "
                f"sheet {first[0]} ({', '.join(first[1])}): name the sheets of one source in its "
                "format.sheets"
            )
    if first is None:
        raise IngestError(f"{name}: its sheets are empty: send the file again")
    return first[1]


def _rows(sheets: Sequence[Sheet], width: int, *, name: str) -> Iterator[Cells]:
    """The rows below the headers, one sheet after the other."""
    with _damage_told(name):
        for sheet in sheets:
            filled = _filled(sheet)
            next(filled, None)
            yield from _below(filled, width, f"{name}: sheet {sheet.name}")


def _filled(sheet: Sheet) -> Generator[tuple[int, Cells]]:
    """The rows that are not empty, numbered as Excel does."""
    with closing(sheet.rows()) as rows:
        for number, cells in enumerate(rows, start=1):
            if any(cells):
                yield number, cells


def _header(row: int, cells: Cells, place: str) -> tuple[str, ...]:
    names = [(cell or "").strip() for cell in cells]
    while names and not names[-1]:
        names.pop()
    seen: set[str] = set()
    for number, column in enumerate(names):
        cell = f"{_letters(number)}{row}"
        if not column:
            raise IngestError(f"{place}: {cell} is empty and should name a column: name it")
        # Spark's names do not differ by case.
        if column.casefold() in seen:
            raise IngestError(f"{place}: {cell} names the column {column} twice: rename one")
        seen.add(column.casefold())
    return tuple(names)


def _below(filled: Iterator[tuple[int, Cells]], width: int, place: str) -> Iterator[Cells]:
    """The rows below the header, all as wide as it."""
    for row, cells in filled:
        beside = next((i for i in range(width, len(cells)) if cells[i] is not None), None)
        if beside is not None:
            raise IngestError(
                f"{place}: {_letters(beside)}{row} holds {cells[beside]!r} and its column has no "
                "name: name the column, or empty the cell"
            )
        missing = width - len(cells)
        yield [*cells, *[None] * missing] if missing > 0 else cells[:width]


def _letters(number: int) -> str:
    """Excel's name of the column that is `number` places right of the first, such as D."""
    text = ""
    number += 1
    while number:
        number, place = divmod(number - 1, _LETTERS)
        text = chr(ord("A") + place) + text
    return text
