"""Reading a source's files as they are: raw frames, each row with its file."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pyspark.sql import DataFrame, SparkSession

from segspark.ingest.files.source_files import SourceFile
from segspark.ingest.reading.column_files import column_kind, read_column_files
from segspark.ingest.reading.csv_files import read_csv
from segspark.ingest.reading.file_columns import added_by_folders, columns_by_file
from segspark.ingest.reading.fixed_width_files import read_fixed_width
from segspark.ingest.reading.json_files import read_json
from segspark.ingest.reading.mapped_columns import check_mapped, check_names, wanted_columns
from segspark.ingest.reading.raw import ADDED, Columns, RawRows, quoted
from segspark.ingest.reading.row_files import Origin, folder_columns, literal_address, with_origins
from segspark.settings.formats import CsvFormat, FixedWidthFormat, JsonLinesFormat
from segspark.settings.sources import Source


@dataclass(frozen=True, slots=True)
class Readable:
    """A file that is ready to be read.

    Attributes:
        file: The file.
        columns: What `look_at` found in it.
        address: Where Spark reads its content, as `prepare` gives it.
        batch_id: The batch of its rows.
        delivered_at: When that batch was last written, in UTC.
    """

    file: SourceFile
    columns: Columns
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
        IngestError: A mapped column is missing, or a file names a column twice.
    """
    scans: dict[tuple[Columns, tuple[str, ...]], list[Readable]] = {}
    mapped = columns_by_file(source, {each.file.name: each.columns for each in files}, name=name)
    for readable in files:
        columns = mapped[readable.file.name]
        folders = tuple(added_by_folders(readable.file.name, columns))
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


def _rows(
    spark: SparkSession, source: Source, columns: Columns, files: Sequence[Readable]
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
    return read_column_files(spark, column_kind(file_format), columns, addresses)


def _raw(
    rows: DataFrame, files: Sequence[Readable], columns: Columns, folders: Sequence[str]
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
