"""What a file tells before its rows are read: its columns, and whether it has rows."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from segspark.ingest.files.source_files import SourceFile, local_copy, open_content
from segspark.ingest.files.stores import Store
from segspark.ingest.reading.column_files import column_kind, read_footer
from segspark.ingest.reading.csv_files import delimiter_hint, read_header
from segspark.ingest.reading.json_files import is_found, json_columns, json_keys
from segspark.ingest.reading.mapped_columns import (
    check_mapped,
    check_names,
    required_columns,
    wanted_columns,
)
from segspark.ingest.reading.preparing import open_text_table
from segspark.ingest.reading.raw import Columns, texts
from segspark.ingest.reading.row_files import folder_columns
from segspark.settings.formats import (
    CsvFormat,
    ExcelFormat,
    FileFormat,
    FixedWidthFormat,
    JsonLinesFormat,
    SqliteFormat,
)
from segspark.settings.sources import Source


@dataclass(frozen=True, slots=True)
class Look:
    """What a file tells of itself.

    Attributes:
        columns: Its columns with their types; of JSON, the keys that come first.
        has_rows: Whether it holds a row; True where only reading it through would tell.
    """

    columns: Columns
    has_rows: bool


def look_at(file: SourceFile, *, store: Store, file_format: FileFormat) -> Look:
    """Open a file and read its header, its footer or its first row, but not all of its rows.

    A footer stands at the end of its file, so packed Parquet and ORC files are unpacked for it. A
    sheet of an old workbook, and a sorted view of a database, are worked out before a row comes.

    Args:
        file: A file of a source.
        store: Where it is.
        file_format: How its content is to be read.

    Raises:
        IngestError: It is damaged, or names no columns.
        SetupError: A library for it is not installed.
    """
    if isinstance(file_format, CsvFormat):
        header, has_rows = read_header(store, file, file_format)
        return Look(texts(header), has_rows)
    # Their texts are known not to be blank, and every line that is not is a row.
    if isinstance(file_format, JsonLinesFormat):
        return Look(texts(json_keys(store, file, file_format)), has_rows=True)
    if isinstance(file_format, FixedWidthFormat):
        return Look(texts(file_format.fields), has_rows=True)
    if isinstance(file_format, ExcelFormat | SqliteFormat):
        with open_text_table(file, store, file_format) as table:
            return Look(texts(table.columns), next(iter(table.rows), None) is not None)
    with _open_anywhere(file, store) as stream:
        columns, row_count = read_footer(stream, column_kind(file_format), name=file.name)
    return Look(columns, row_count > 0)


def columns_by_file(
    source: Source, columns: Mapping[str, Columns], *, name: str
) -> dict[str, Columns]:
    """The columns that files have in a frame, once nothing mapped is missing.

    Args:
        source: Its settings.
        columns: File name → its columns, as `look_at` gives them.
        name: The source's name.

    Returns:
        File name → columns; files of JSON share theirs, since an object need not have every key.

    Raises:
        IngestError: A mapped column is missing, or a file names a column twice.
    """
    if isinstance(source.format, JsonLinesFormat):
        return dict.fromkeys(columns, _json_columns(source, columns, name))
    wanted = wanted_columns(source)
    for file_name, found in columns.items():
        own = [column for column, _ in found]
        check_names(own, place=file_name)
        check_mapped(
            wanted,
            [*own, *added_by_folders(file_name, found)],
            name=name,
            place=file_name,
            hint=delimiter_hint(own) if isinstance(source.format, CsvFormat) else "",
        )
    return dict(columns)


def added_by_folders(file_name: str, columns: Columns) -> list[str]:
    """The columns that a file gets from its folders: those that it does not have itself."""
    own = {column.casefold() for column, _ in columns}
    return [name for name in folder_columns(file_name) if name.casefold() not in own]


def _json_columns(source: Source, columns: Mapping[str, Columns], name: str) -> Columns:
    """The columns that all files of JSON share.

    As an object need not have every key, only a column that no customer, date or product is known
    without must be found, and in one of the files.
    """
    keys = list(dict.fromkeys(key for found in columns.values() for key, _ in found))
    folders = {key for file_name in columns for key in folder_columns(file_name)}
    wanted = [column for column in wanted_columns(source) if column not in folders]
    place = next(iter(columns)) if len(columns) == 1 else f"{len(columns)} files"
    nested = [column for column in wanted if is_found(column, keys)]
    have = list(dict.fromkeys([*keys, *nested, *folders]))
    check_names(wanted, place=f"source {name}: its mapping")
    check_mapped(required_columns(source), have, name=name, place=place)
    return texts(json_columns(keys, wanted))


@contextmanager
def _open_anywhere(file: SourceFile, store: Store) -> Iterator[BinaryIO]:
    """The file's bytes, unpacked, to be read from any place."""
    if not file.is_packed:
        with open_content(store, file) as stream:
            yield stream
        return
    with (
        tempfile.TemporaryDirectory(prefix="segspark-") as folder,
        local_copy(store, file, Path(folder), "").open("rb") as stream,
    ):
        yield stream
