"""Reading a source's files as they are: raw frames, each row with its file."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pyspark.sql import DataFrame, SparkSession

from segspark.ingest.files.source_files import SourceFile
from segspark.ingest.files.stores import Store
from segspark.ingest.reading.column_files import ColumnKind, column_types, read_column_files
from segspark.ingest.reading.csv_files import csv_columns, delimiter_hint, read_csv
from segspark.ingest.reading.fixed_width_files import read_fixed_width
from segspark.ingest.reading.json_files import is_found, json_columns, json_keys, read_json
from segspark.ingest.reading.mapped_columns import (
    check_mapped,
    check_names,
    required_columns,
    wanted_columns,
)
from segspark.ingest.reading.raw import ADDED, RawRows, quoted
from segspark.ingest.reading.row_files import Origin, folder_columns, literal_address, with_origins
from segspark.settings.formats import CsvFormat, FixedWidthFormat, JsonLinesFormat, OrcFormat
from segspark.settings.sources import Source

_Columns = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Readable:
    """A file that is ready to be read.

    Attributes:
        file: The file.
        store: Where it is.
        address: Where Spark reads its content, as `prepare` gives it.
        batch_id: The batch of its rows.
        delivered_at: When that batch was last written, in UTC.
    """

    file: SourceFile
    store: Store
    address: str
    batch_id: str
    delivered_at: datetime


def read_files(
    spark: SparkSession, source: Source, files: Sequence[Readable], *, name: str
) -> list[RawRows]:
    """All rows of some files of one source.

    Args:
        spark: The session.
        source: How they are to be read.
        files: The prepared files.
        name: The source's name, for messages.

    Returns:
        For each set of columns that files have, in order of the first such file, one row per input
        row: the source's columns, then those of folders such as `day=2026-01-01`, then `ADDED`.

    Raises:
        IngestError: A mapped column is missing, a file names a column twice, is empty or damaged.
    """
    scans: dict[tuple[_Columns, tuple[str, ...]], list[Readable]] = {}
    for readable, columns in zip(files, _all_columns(spark, source, files, name), strict=True):
        folders = tuple(_folders(readable, columns))
        scans.setdefault((columns, folders), []).append(readable)
    return [
        RawRows(
            _raw(_rows(spark, source, columns, members), members, columns, folders),
            tuple(dict.fromkeys(member.batch_id for member in members)),
        )
        for (columns, folders), members in scans.items()
    ]


def require_columns(raw: DataFrame, source: Source, *, name: str) -> None:
    """Check that a table has the mapped columns.

    Args:
        raw: A table of the source.
        source: Its settings.
        name: The source's name.

    Raises:
        IngestError: One is missing, or has a name that segspark adds itself.
    """
    check_names(raw.columns, place=f"source {name}")
    check_mapped(wanted_columns(source), raw.columns, name=name, place="its table")


def _all_columns(
    spark: SparkSession, source: Source, files: Sequence[Readable], name: str
) -> list[_Columns]:
    """Each file's columns with their types, once nothing mapped is missing."""
    if isinstance(source.format, JsonLinesFormat):
        return _json_columns(source, source.format, files, name)
    wanted, all_columns = wanted_columns(source), []
    for readable in files:
        columns = _columns(spark, source, readable)
        own = [column for column, _ in columns]
        check_names(own, place=readable.file.name)
        is_csv = isinstance(source.format, CsvFormat)
        check_mapped(
            wanted,
            [*own, *_folders(readable, columns)],
            name=name,
            place=readable.file.name,
            hint=delimiter_hint(own) if is_csv else "",
        )
        all_columns.append(columns)
    return all_columns


def _json_columns(
    source: Source, json_format: JsonLinesFormat, files: Sequence[Readable], name: str
) -> list[_Columns]:
    """The columns that all files of JSON share, since an object need not have every key.

    For the same reason only a column that no customer, date or product is known without must be
    found, and in one of the files.
    """
    found = [json_keys(each.store, each.file, json_format) for each in files]
    keys = list(dict.fromkeys(key for some in found for key in some))
    folders = {key for each in files for key in folder_columns(each.file.name)}
    wanted = [column for column in wanted_columns(source) if column not in folders]
    place = files[0].file.name if len(files) == 1 else f"{len(files)} files"
    nested = [column for column in wanted if is_found(column, keys)]
    have = list(dict.fromkeys([*keys, *nested, *folders]))
    check_names(wanted, place=f"source {name}: its mapping")
    check_mapped(required_columns(source), have, name=name, place=place)
    return [_texts(json_columns(keys, wanted))] * len(files)


def _columns(spark: SparkSession, source: Source, readable: Readable) -> _Columns:
    file_format = source.format
    if isinstance(file_format, CsvFormat):
        return _texts(csv_columns(readable.store, readable.file, file_format))
    if isinstance(file_format, FixedWidthFormat):
        return _texts(list(file_format.fields))
    return column_types(spark, readable.address, _kind(source), name=readable.file.name)


def _rows(
    spark: SparkSession, source: Source, columns: _Columns, files: Sequence[Readable]
) -> DataFrame:
    """The source's columns, `MALFORMED` and `RAW_ROW`."""
    names = [column for column, _ in columns]
    addresses = [literal_address(readable.address) for readable in files]
    file_format = source.format
    if isinstance(file_format, CsvFormat):
        return read_csv(spark, file_format, names, addresses)
    if isinstance(file_format, JsonLinesFormat):
        return read_json(spark, file_format, names, addresses)
    if isinstance(file_format, FixedWidthFormat):
        return read_fixed_width(spark, file_format, wanted_columns(source), addresses)
    return read_column_files(spark, _kind(source), columns, addresses)


def _raw(
    rows: DataFrame, files: Sequence[Readable], columns: _Columns, folders: Sequence[str]
) -> DataFrame:
    """Add what is known of each row's file, and put the columns in order."""
    origins = [
        Origin(
            each.address,
            each.file.name,
            each.batch_id,
            each.delivered_at,
            tuple(folder_columns(each.file.name)[folder] for folder in folders),
        )
        for each in files
    ]
    own = [quoted(name) for name in (*(column for column, _ in columns), *folders)]
    return with_origins(rows, origins, folders).select(*own, *ADDED)


def _kind(source: Source) -> ColumnKind:
    """What Spark reads: workbooks and databases have been made Parquet."""
    return "orc" if isinstance(source.format, OrcFormat) else "parquet"


def _folders(readable: Readable, columns: _Columns) -> list[str]:
    """The columns that the file gets from its folders: those that it does not have itself."""
    own = {column.casefold() for column, _ in columns}
    return [name for name in folder_columns(readable.file.name) if name.casefold() not in own]


def _texts(columns: Sequence[str]) -> _Columns:
    return tuple((column, "string") for column in columns)
