"""Reading a source's rows as they are: one frame for all files, each row with its file."""

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlparse

from delta.tables import DeltaTable
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from segspark.errors import IngestError
from segspark.ingest.files import SourceFile, open_content
from segspark.settings.sources import CsvFormat, SourceSettings

BATCH_ID = "__batch_id"
FILE_NAME = "__file_name"
MALFORMED = "__malformed"
"""Added to the source's columns: the row's batch, its file, and the line's text where it does not
have the file's columns (else NULL)."""
_HEADER_BYTES = 1 << 16
_UNIT_SEPARATOR = "\x1f"


def source_columns(raw: DataFrame) -> list[str]:
    """The source's own columns of a frame made here."""
    return [name for name in raw.columns if name not in {BATCH_ID, FILE_NAME, MALFORMED}]


def read_files(
    spark: SparkSession,
    source: SourceSettings,
    files: Sequence[tuple[SourceFile, Path, str]],
    *,
    name: str,
) -> DataFrame:
    """All rows of the files of one source.

    Args:
        spark: The session.
        source: How they are to be read.
        files: Each file with the path of its unpacked bytes and its batch id.
        name: The source's name, for messages.

    Returns:
        One row per input row: the source's columns, then `BATCH_ID`, `FILE_NAME`, `MALFORMED`.

    Raises:
        IngestError: The files' columns differ, or a mapped one is missing.
    """
    paths = [_literal(path) for _, path, _ in files]
    if isinstance(source.format, CsvFormat):
        rows = _read_csv(spark, source.format, [file for file, _, _ in files], paths)
    else:
        rows = spark.read.parquet(*paths).withColumn(MALFORMED, F.lit(None).cast("string"))
    _require_columns(rows, source, name=name)
    names = {str(path.absolute()): (file.name, batch) for file, path, batch in files}
    return _with_batches(rows, names)


def read_table(spark: SparkSession, address: str, *, version: int) -> DataFrame:
    """A Delta table at one version, whatever is written to it meanwhile."""
    return spark.read.format("delta").option("versionAsOf", version).load(address)


def table_version(spark: SparkSession, address: str) -> int:
    """The newest version of a Delta table."""
    return int(DeltaTable.forPath(spark, address).history(1).collect()[0]["version"])


def table_rows(table: DataFrame, source: SourceSettings, *, name: str, batch: str) -> DataFrame:
    """All rows of a table as one batch, in the shape that `read_files` gives."""
    _require_columns(table, source, name=name)
    return table.withColumns(
        {
            BATCH_ID: F.lit(batch),
            FILE_NAME: F.lit(name),
            MALFORMED: F.lit(None).cast("string"),
        }
    )


def _with_batches(rows: DataFrame, names: dict[str, tuple[str, str]]) -> DataFrame:
    """Add the file name and batch id of each row, by the path that Spark read it from."""
    if len(names) == 1:
        name, batch = next(iter(names.values()))
        return rows.withColumns({BATCH_ID: F.lit(batch), FILE_NAME: F.lit(name)})
    spark = rows.sparkSession
    read = [(_path(uri), *names[_path(uri)]) for uri in rows.inputFiles()]
    lookup = spark.createDataFrame(read, f"__path string, {FILE_NAME} string, {BATCH_ID} string")
    path = F.regexp_replace(F.col("_metadata.file_path"), "^file:/*", "/")
    path = F.url_decode(F.replace(path, F.lit("+"), F.lit("%2B")))
    return (
        rows.withColumn("__path", path)
        .join(F.broadcast(lookup), on="__path", how="left")
        # No row may be lost here unseen: one of a file that is not known stops the ingest.
        .withColumn(BATCH_ID, F.coalesce(BATCH_ID, F.raise_error("a row of an unknown file")))
        .drop("__path")
    )


def _require_columns(rows: DataFrame, source: SourceSettings, *, name: str) -> None:
    mapping = source.columns.model_dump(exclude_none=True)
    wanted = [*mapping.pop("discounts"), *mapping.values()]
    have = source_columns(rows)
    missing = [column for column in wanted if column not in have]
    if missing:
        raise IngestError(
            f"source {name}: there is no column {', '.join(missing)}; there are "
            f"{', '.join(have)}: correct sources.{name}.columns, or the delimiter"
        )


def _literal(path: Path) -> str:
    """The path as Spark takes it: with the signs of its patterns taken literally."""
    return re.sub(r"[\[\]{}*?]", r"\\\g<0>", str(path.absolute()))


def _path(uri: str) -> str:
    return unquote(urlparse(uri).path)


def _read_csv(
    spark: SparkSession, csv_format: CsvFormat, files: Sequence[SourceFile], paths: list[str]
) -> DataFrame:
    columns = _columns(csv_format, files)
    fields = [T.StructField(name, T.StringType()) for name in [*columns, MALFORMED]]
    is_windows = csv_format.encoding == "windows-1252"
    rows = (
        spark.read.schema(T.StructType(fields))
        .option("sep", csv_format.delimiter)
        .option("quote", csv_format.quote)
        .option("escape", csv_format.escape)
        .option("encoding", "ISO-8859-1" if is_windows else csv_format.encoding)
        .option("header", csv_format.header)
        # Spark finds no line ends in UTF-16 but in a file read whole.
        .option("multiLine", csv_format.multiline or csv_format.encoding == "UTF-16")
        .option("mode", "PERMISSIVE")
        .option("columnNameOfCorruptRecord", MALFORMED)
        .csv(paths)
    )
    return rows.withColumns(_from_windows(rows)) if is_windows else rows


def _from_windows(rows: DataFrame) -> dict[str, Column]:
    """Texts of windows-1252, which Spark does not know, that were read as ISO-8859-1."""
    theirs = bytes(range(0x80, 0xA0)).decode("ISO-8859-1")
    ours = bytes(range(0x80, 0xA0)).decode("windows-1252", errors="replace")
    pairs = [(a, b) for a, b in zip(theirs, ours, strict=True) if b != "\ufffd"]
    old, new = ("".join(side) for side in zip(*pairs, strict=True))
    return {name: F.translate(F.col(_quoted(name)), old, new) for name in rows.columns}


def _columns(csv_format: CsvFormat, files: Sequence[SourceFile]) -> list[str]:
    """The columns that all files share; read here, since Spark takes any header by position."""
    if not csv_format.header:
        return list(csv_format.column_names)
    headers = {file.name: _header(file, csv_format) for file in files}
    first_name, first = next(iter(headers.items()))
    for name, header in headers.items():
        if header != first:
            raise IngestError(
                f"{name}: its columns ({', '.join(header)}) are not those of {first_name} "
                f"({', '.join(first)}): make them two sources"
            )
    return first


def _header(file: SourceFile, csv_format: CsvFormat) -> list[str]:
    with open_content(file) as stream:
        start = stream.read(_HEADER_BYTES)
    if not start.strip():
        raise IngestError(f"{file.name}: is empty: send the file again")
    text = io.StringIO(start.decode(csv_format.encoding, errors="replace").lstrip("\ufeff"))
    delimiter = csv_format.delimiter.replace("\\t", "\t")
    if len(delimiter) > 1:  # more than the csv module can
        text, delimiter = (
            io.StringIO(text.read().replace(delimiter, _UNIT_SEPARATOR)),
            _UNIT_SEPARATOR,
        )
    reader = csv.reader(text, delimiter=delimiter, quotechar=csv_format.quote or None)
    header = next(reader)
    twice = {name for name in header if header.count(name) > 1}
    if twice:
        raise IngestError(f"{file.name}: names the column {', '.join(sorted(twice))} twice")
    return header


def _quoted(name: str) -> str:
    return f"`{name.replace('`', '``')}`"


def quoted(name: str) -> Column:
    """A source's column, whatever its name holds."""
    return F.col(f"`{name.replace('`', '``')}`")


def as_text(column: Column) -> Column:
    """A field as text without outer spaces; an empty one is NULL."""
    return F.nullif(F.trim(column.cast("string")), F.lit(""))
