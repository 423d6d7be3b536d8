"""Tiny tables, built in the test that needs them."""

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T


def table(spark: SparkSession, schema: str | T.StructType, *rows: tuple[object, ...]) -> DataFrame:
    """A frame with these rows; `schema` is DDL such as `customer_id string, amount int`."""
    return spark.createDataFrame(list(rows), schema)
