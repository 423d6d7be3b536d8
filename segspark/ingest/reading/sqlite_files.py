"""Tables of SQLite database files as tables of texts."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from segspark.errors import IngestError, first_names
from segspark.ingest.files.stores import FoundFile, refusals
from segspark.ingest.reading.text_tables import TextTable

_BATCH_ROWS = 10_000
_MOST_NAMES = 10
_LOCK_SECONDS = 5.0
_BESIDE = ("-wal", "-journal")
_LOG_PLACE, _LOG = 18, b"\2"
"""Where the header says whether changes go to a write-ahead log first, and how."""


def databases(files: Sequence[FoundFile]) -> list[FoundFile]:
    """The files that are databases: without what SQLite keeps beside them under their names."""
    beside = {f"{file.label}{ending}" for file in files for ending in (*_BESIDE, "-shm")}
    return [file for file in files if file.label not in beside]


@contextmanager
def open_sqlite(path: Path, *, table: str, name: str) -> Iterator[TextTable]:
    """One table or view, every value as its text.

    Args:
        path: The database on this machine; it is not written to.
        table: Name of the table or view, as the database has it.
        name: What the file is called, for messages.

    Returns:
        Integers and texts as they are, floating-point numbers as the shortest text that means
        them, NULL as None; its rows can be read until the block ends.

    Raises:
        IngestError: The file is no database, damaged or locked, has changes beside it, or has no
            such table; later, while the rows are read: a value is binary or no UTF-8.
    """
    with refusals(name):
        _check_nothing_beside(path, name=name)
        address = _address(path)
    try:
        connection = sqlite3.connect(address, uri=True, timeout=_LOCK_SECONDS)
    except sqlite3.Error as error:
        raise _refusal(name, error) from error
    try:
        found = _table(connection, table, name=name)
        _check_whole(connection, path, name=name)
        yield found
    except sqlite3.Error as error:
        raise _refusal(name, error) from error
    finally:
        connection.close()


def _check_nothing_beside(path: Path, *, name: str) -> None:
    """Refuse a database with a journal: what it says of the rows is not in the bytes of the file.

    A log of changes to come holds rows that the file lacks, and a journal of changes under way or
    broken off takes back rows that it has. One that is done with is empty or begins with zeros.
    """
    place = path.resolve()
    for ending in _BESIDE:
        beside = place.with_name(place.name + ending)
        if beside.is_file() and _first_bytes(beside, 1) not in {b"", b"\0"}:
            raise IngestError(
                f"{name}: has changes beside it, in {beside.name}, that are under way: close the "
                "program that writes to it, or send a copy made by VACUUM INTO"
            )


def _address(path: Path) -> str:
    """The database as SQLite takes it, read only."""
    has_log = _first_bytes(path, _LOG_PLACE + 1).endswith(_LOG)
    # Else SQLite would make files beside a database with a log of its own, even to read it.
    option = "&immutable=1" if has_log else ""
    return f"file:{quote(str(path.absolute()))}?mode=ro{option}"


def _first_bytes(path: Path, count: int) -> bytes:
    with path.open("rb") as stream:
        return stream.read(count)


def _check_whole(connection: sqlite3.Connection, path: Path, *, name: str) -> None:
    """Refuse a file cut within its last page, which SQLite would fill up with zeros.

    Its header, with the size of a page, must have been read.
    """
    (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
    if path.stat().st_size % page_bytes:
        raise IngestError(f"{name}: ends within a page of the database: send it again, whole")


def _table(connection: sqlite3.Connection, table: str, *, name: str) -> TextTable:
    found = connection.execute(
        "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') "
        "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
    )
    names = [str(row[0]) for row in found]
    if table not in names:
        shown = first_names(names, most=_MOST_NAMES) or "none"
        raise IngestError(
            f"{name}: there is no table or view {table!r}; there are {shown}: correct "
            "format.table of the source"
        )
    identifier = table.replace('"', '""')
    cursor = connection.execute(f'SELECT * FROM "{identifier}"')  # noqa: S608 - quoted, and there
    columns = tuple(str(column[0]) for column in cursor.description)
    return TextTable(columns, _rows(cursor, columns, f"{name}: table {table}"))


def _rows(cursor: sqlite3.Cursor, columns: Sequence[str], place: str) -> Iterator[list[str | None]]:
    while batch := cursor.fetchmany(_BATCH_ROWS):
        for row in batch:
            yield [_text(value, f"{place}: column {columns[i]}") for i, value in enumerate(row)]


def _text(value: object, place: str) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        raise IngestError(f"{place}: holds binary data: leave it out by a view, and name the view")
    return repr(value)


def _refusal(name: str, error: sqlite3.Error) -> IngestError:
    reason = str(error)
    if "locked" in reason or "busy" in reason:
        return IngestError(f"{name}: is locked by a program that writes to it: try again later")
    if "decode to UTF-8" in reason:
        return IngestError(
            f"{name}: a text is not UTF-8 ({reason}): correct it, or leave its column out by a view"
        )
    return IngestError(
        f"{name}: cannot be read as an SQLite database ({reason}): send the file again"
    )
