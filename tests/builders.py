"""Tiny tables, built in the test that needs them."""

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from segspark.tables.contract import TableContract
from segspark.tables.ingested import INGEST_BATCHES
from segspark.tables.lake import Lake


def table(spark: SparkSession, schema: str | T.StructType, *rows: tuple[object, ...]) -> DataFrame:
    """A frame with these rows; `schema` is DDL such as `customer_id string, amount int`."""
    return spark.createDataFrame(list(rows), schema)


def deliver(lake: Lake, contract: TableContract, rows: DataFrame) -> None:
    """The rows as an ingest leaves them, with the books of their batches.

    Columns that the rows do not have hold something that nobody looks at.
    """
    day = next(name for name in ("transaction_date", "event_date") if name in rows.columns)
    books = rows.groupBy("batch_id").agg(
        F.count("*").alias("kept_row_count"), F.min(day).alias("first_date")
    )
    batches = [row["batch_id"] for row in books.collect()]
    for target, df in ((contract, rows), (INGEST_BATCHES, books)):
        lake.replace(target, _filled(df, target), {"batch_id": batches})


def _filled(df: DataFrame, contract: TableContract) -> DataFrame:
    missing = {c.name: _anything(c.dtype) for c in contract.columns if c.name not in df.columns}
    return df.withColumns(missing)


def _anything(dtype: T.DataType) -> Column:
    if isinstance(dtype, T.ArrayType):
        return F.array().cast(dtype)
    if isinstance(dtype, T.MapType):
        return F.create_map().cast(dtype)
    is_time = isinstance(dtype, T.DateType | T.TimestampType)
    return F.lit("2011-01-01" if is_time else "0").cast(dtype)
