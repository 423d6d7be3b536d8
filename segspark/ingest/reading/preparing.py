"""Making files such that Spark can read them: unpacked, in UTF-8, workbooks as Parquet."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from segspark.ingest.files.source_files import SourceFile, local_copy, open_content, unpack
from segspark.ingest.files.stores import Store, is_hidden, refusals
from segspark.ingest.reading.nanoseconds import has_nanoseconds, write_as_microseconds
from segspark.ingest.reading.sqlite_files import open_sqlite
from segspark.ingest.reading.text_lines import write_as_utf8
from segspark.ingest.reading.text_tables import TextTable, write_text_table
from segspark.ingest.reading.workbooks import open_workbook
from segspark.settings.formats import ExcelFormat, FileFormat, SqliteFormat
from segspark.tables.ids import content_hash

_SUFFIXES = {
    "csv": ".csv",
    "json": ".json",
    "fixed_width": ".txt",
    "parquet": ".parquet",
    "orc": ".orc",
}
# By these Spark takes a file's bytes for packed, whatever they are.
_PACKED_SUFFIXES = frozenset({".gz", ".bz2", ".deflate", ".lz4", ".snappy", ".zst", ".zstd"})


def prepare(
    file: SourceFile, *, store: Store, staging: Store, folder: str, file_format: FileFormat
) -> str:
    """The address at which Spark can read a file's content.

    Args:
        file: A file of a source.
        store: Where it is.
        staging: Where copies go.
        folder: Address of a folder of that store.
        file_format: How the content is to be read.

    Returns:
        The file's own address where Spark can read it in place, else that of a copy: unpacked, in
        UTF-8 instead of UTF-16, with microseconds instead of nanoseconds; of workbooks and
        databases a Parquet file of strings.

    Raises:
        IngestError: The file cannot be read, or holds what Spark cannot.
        SetupError: A library for it is not installed.
    """
    # Equal contents under two names are two files, and each row must lead to its own.
    own = f"{folder}/{content_hash(file.name)[:16]}"
    target = f"{own}/{file.content_hash[:32]}"
    if isinstance(file_format, ExcelFormat | SqliteFormat):
        address = f"{target}.parquet"
        with (
            open_text_table(file, store, file_format) as table,
            refusals(address),
            staging.create(address) as stream,
        ):
            write_text_table(table, stream)
        return address
    suffix = _SUFFIXES[file_format.kind]
    if getattr(file_format, "encoding", None) == "UTF-16":
        address = f"{target}{suffix}"
        with (
            open_content(store, file) as content,
            refusals(address),
            staging.create(address) as stream,
        ):
            write_as_utf8(content, stream, name=file.name)
        return address
    address, where = file.found.address, store
    if file.is_packed or _misleads_spark(address):
        address, where = unpack(store, file, staging, own, suffix), staging
    if file_format.kind == "parquet" and has_nanoseconds(where, address, name=file.name):
        copy = f"{target}-us.parquet"
        write_as_microseconds(where, address, staging, copy)
        return copy
    return address


@contextmanager
def open_text_table(
    file: SourceFile, store: Store, file_format: ExcelFormat | SqliteFormat
) -> Iterator[TextTable]:
    """A workbook or database, wherever it is, as `open_workbook` or `open_sqlite` give it."""
    with tempfile.TemporaryDirectory(prefix="segspark-") as folder:
        path = local_copy(store, file, Path(folder), f".{file_format.kind}")
        if isinstance(file_format, ExcelFormat):
            with open_workbook(path, sheets=file_format.sheets, name=file.name) as table:
                yield table
        else:
            with open_sqlite(path, table=file_format.table, name=file.name) as table:
                yield table


def _misleads_spark(address: str) -> bool:
    """Whether its name alone keeps Spark from reading a file: hidden, packed, or with a colon."""
    name = PurePosixPath(address).name
    is_packed = PurePosixPath(name).suffix.lower() in _PACKED_SUFFIXES
    return ":" in name or is_packed or is_hidden(name)
