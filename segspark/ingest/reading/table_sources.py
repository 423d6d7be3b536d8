"""Sources that are tables: Delta tables and those of databases, read alike.

What grows is taken in slices: `highest_watermark` says how far the table reaches now, `rows_above`
gives what lies between two such ends.
"""

from delta.tables import DeltaTable
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from segspark.errors import IngestError
from segspark.ingest.reading.databases import open_database_table, type_of_named
from segspark.ingest.reading.raw import quoted
from segspark.ingest.reading.table_errors import table_sentences
from segspark.settings.base import resolve_location
from segspark.settings.formats import DeltaFormat, JdbcFormat
from segspark.settings.sources import SourceSettings

WATERMARK_TYPES = (
    T.IntegralType,
    T.DecimalType,
    T.DateType,
    T.TimestampType,
    T.TimestampNTZType,
    T.StringType,
)
"""Types whose values a text holds exactly."""


def table_version(spark: SparkSession, source: SourceSettings, *, name: str) -> int | None:
    """The newest version of a Delta table; None for a database, which has no versions.

    Raises:
        IngestError: There is no Delta table at the location, or it cannot be read.
    """
    if not isinstance(source.format, DeltaFormat):
        return None
    address = resolve_location(source.location)
    with table_sentences(source, name=name):
        return int(DeltaTable.forPath(spark, address).history(1).collect()[0]["version"])


def open_table(
    spark: SparkSession, source: SourceSettings, *, name: str, version: int | None = None
) -> DataFrame:
    """The table's rows, lazily: the source's own columns.

    What goes wrong later, while the rows come, is put into a sentence by `table_sentences`, which
    the caller puts around whatever runs them.

    Args:
        spark: The session.
        source: Where the table is and how it is read.
        name: The source's name, for messages.
        version: Of a Delta table: read this one, whatever is written to it meanwhile.

    Raises:
        IngestError: The table cannot be reached or has no such columns as the format names.
    """
    with table_sentences(source, name=name):
        if isinstance(source.format, JdbcFormat):
            rows = open_database_table(spark, source, source.format, name=name)
        else:
            address = resolve_location(source.location)
            reader = spark.read.format("delta")
            reader = reader if version is None else reader.option("versionAsOf", version)
            rows = reader.load(address)
    return rows


def highest_watermark(
    table: DataFrame, column: str, *, name: str, low: str | None = None
) -> str | None:
    """How far the table reaches, as a text that `rows_above` reads back exactly.

    One query; a database sends that column only, and only of the rows above `low`. Where a
    database orders texts by a language, the result is one of the rows above `low` but perhaps not
    its last one: the rest is left to the next slice.

    Args:
        table: The rows, as `open_table` gives them.
        column: The watermark column: whole numbers, decimals, dates, stamps or texts.
        name: The source's name, for messages.
        low: The end of the slice before; only rows above it are asked for.

    Returns:
        The highest value; None if there are no rows above `low`.

    Raises:
        IngestError: There is no such column, its values cannot be held as texts, or rows have none
            and would be in no slice.
    """
    _check_watermark(table, column, name=name)
    mark = quoted(column)
    rows = (
        table if low is None else table.filter(mark.isNull() | (mark > _typed(table, column, low)))
    )
    found = rows.agg(
        F.max(mark).cast("string").alias("highest"), F.count_if(mark.isNull()).alias("missing")
    ).collect()[0]
    if found["missing"]:
        raise IngestError(
            f"source {name}: {found['missing']} row(s) have no value in the watermark column "
            f"{column} and would never be taken in: fill it, or name another watermark_column"
        )
    highest: str | None = found["highest"]
    return highest


def rows_above(
    table: DataFrame, column: str, *, name: str, low: str | None, high: str | None
) -> DataFrame:
    """The rows with low < column <= high; lazy, and a database sends no others.

    A row without a watermark is in no slice: `highest_watermark` refuses it.

    Args:
        table: The rows, as `open_table` gives them.
        column: The watermark column.
        name: The source's name, for messages.
        low: The end of the slice before; None: from the beginning.
        high: The end of this one; None: no end.

    Raises:
        IngestError: There is no such column, or its values cannot be held as texts.
    """
    _check_watermark(table, column, name=name)
    rows = table
    if low is not None:
        rows = rows.filter(quoted(column) > _typed(table, column, low))
    if high is not None:
        rows = rows.filter(quoted(column) <= _typed(table, column, high))
    return rows


def _typed(table: DataFrame, column: str, text: str) -> Column:
    """The text as a value of the column's type: a constant, so that a database filters by it."""
    return F.lit(text).cast(table.schema[column].dataType)


def _check_watermark(table: DataFrame, column: str, *, name: str) -> None:
    dtype = type_of_named(table, column, name=name, key="watermark_column")
    if not isinstance(dtype, WATERMARK_TYPES):
        raise IngestError(
            f"source {name}: the watermark column {column} is {dtype.simpleString()}: name one of "
            "whole numbers, decimals, dates, stamps or texts"
        )
