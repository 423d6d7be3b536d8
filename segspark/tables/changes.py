"""Which rows of a table differ from what they should be."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.tables.contract import TableContract

IS_GONE = "__is_gone"
"""Whether the row is to go; else it comes, or takes the place of the row with its key."""


def row_changes(contract: TableContract, *, before: DataFrame, after: DataFrame) -> DataFrame:
    """What has to be written so that rows become other rows.

    Args:
        contract: The table; none of its columns is a map.
        before: Its rows now. Each key comes once, and NULL is a key like any other.
        after: Its rows to be.

    Returns:
        The table's columns and `IS_GONE`: one row per key that comes, goes or has other values.
    """
    values = [c.name for c in contract.columns if c.name not in contract.grain]
    rows = after.transform(contract.conform).withColumn("side", F.lit(1))
    rows = rows.unionByName(before.transform(contract.conform).withColumn("side", F.lit(-1)))
    differing = (
        rows.groupBy(*(c.name for c in contract.columns))
        .agg(F.sum("side").alias("side"))
        .filter(F.col("side") != 0)
    )
    newest = F.max_by(F.struct(*values), "side").alias("newest")
    by_key = differing.groupBy(*contract.grain).agg(newest, (F.max("side") < 0).alias(IS_GONE))
    return by_key.select(
        *(
            F.col(c.name) if c.name in contract.grain else F.col(f"newest.{c.name}")
            for c in contract.columns
        ),
        IS_GONE,
    )
