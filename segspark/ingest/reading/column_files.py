"""Parquet and ORC files, which know their own columns."""

import re
from collections.abc import Sequence
from typing import BinaryIO, Literal

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import orc
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from segspark.errors import IngestError
from segspark.ingest.reading.raw import MALFORMED, RAW_ROW, Columns, quoted
from segspark.settings.formats import FileFormat, OrcFormat, TableFormat

ColumnKind = Literal["parquet", "orc"]


def column_kind(file_format: FileFormat | TableFormat) -> ColumnKind:
    """What Spark reads: workbooks and databases have been made Parquet."""
    return "orc" if isinstance(file_format, OrcFormat) else "parquet"


def read_footer(stream: BinaryIO, kind: ColumnKind, *, name: str) -> tuple[Columns, int]:
    """The columns of one file with their types, and how many rows it has.

    Args:
        stream: Its bytes, to be read from any place.
        kind: What it is.
        name: What the file is called, for messages.

    Raises:
        IngestError: It is no such file, or damaged.
    """
    try:
        if kind == "parquet":
            parquet = pq.ParquetFile(stream)
            schema, row_count = parquet.schema_arrow, parquet.metadata.num_rows
        else:
            orc_file = orc.ORCFile(stream)
            schema, row_count = orc_file.schema, orc_file.nrows
    except (pa.ArrowException, OSError) as error:
        raise damaged(name, kind, error) from error
    return tuple((field.name, str(field.type)) for field in schema), row_count


def read_column_files(
    spark: SparkSession,
    kind: ColumnKind,
    columns: Columns,
    addresses: Sequence[str],
) -> DataFrame:
    """The typed rows of files of one schema, then `MALFORMED` and `RAW_ROW`, which are NULL.

    Stamps that are instants have the type `timestamp`; those that state no zone, such as `INT96` of
    Parquet and `timestamp` of ORC, are clock times and have the type `timestamp_ntz`.

    Args:
        spark: The session.
        kind: What the files are.
        columns: Their columns, as `read_footer` gives them.
        addresses: The prepared files, as Spark takes them.
    """
    rows = spark.read.format(kind).load(list(addresses))
    clock_times = [name for name, dtype in columns if re.fullmatch(r"timestamp\[\w+\]", dtype)]
    typed = {name: quoted(name).cast("timestamp_ntz") for name in clock_times}
    nothing = F.lit(None).cast("string")
    return rows.withColumns({**typed, MALFORMED: nothing, RAW_ROW: nothing})


def damaged(name: str, kind: str, error: Exception) -> IngestError:
    """The sentence for a file that is not what its source says."""
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return IngestError(
        f"{name}: cannot be read as {kind} ({reason}): send the file again, or correct "
        "format.kind of the source"
    )
