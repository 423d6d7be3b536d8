"""Staged rows → the entity's table and the table of refused rows."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from segspark.ingest.parsing.rows import REASONS, Entity


def good_rows(staged: DataFrame) -> DataFrame:
    """Rows without a reason to refuse them."""
    return staged.filter(F.size(REASONS) == 0)


def copied_lines(staged: DataFrame) -> DataFrame:
    """Which good rows came more than once.

    Args:
        staged: One row per input row, from `parse_rows`.

    Returns:
        One row per `batch_id` and `line_id` of which there are several: `copies_count`.
    """
    good = good_rows(staged).select(
        "batch_id", "line_id", F.xxhash64("batch_id", "line_id").alias("key_hash")
    )
    # Few rows have a copy: short hashes find the candidates, whole keys settle them.
    candidates = good.groupBy("key_hash").count().filter("count > 1").select("key_hash")
    return (
        good.join(candidates, on="key_hash", how="left_semi")
        .groupBy("batch_id", "line_id")
        .agg(F.count("*").alias("copies_count"))
        .filter("copies_count > 1")
    )


def kept_lines(staged: DataFrame, entity: Entity, copies: DataFrame | None) -> DataFrame:
    """Good rows, those equal in every source column as one with its number of copies.

    Args:
        staged: One row per input row, from `parse_rows`.
        entity: What the rows are.
        copies: From `copied_lines`; None where no row has a copy.

    Returns:
        Conforms to the entity's table.
    """
    good = good_rows(staged)
    once = F.lit(1).cast("long").alias("copies_count")
    if copies is None:
        return good.select("*", once).transform(entity.kept.conform)
    key = ["batch_id", "line_id"]
    marked = good.join(copies, on=key, how="left")
    single = marked.filter(F.col("copies_count").isNull()).drop("copies_count").select("*", once)
    # Rows of one hash are equal, so any of them will do.
    copy_number = F.row_number().over(Window.partitionBy(*key).orderBy("line_id"))
    several = (
        marked.filter(F.col("copies_count").isNotNull())
        .withColumn("copy_number", copy_number)
        .filter("copy_number = 1")
        .drop("copy_number")
    )
    return single.unionByName(several).transform(entity.kept.conform)


def refused_lines(staged: DataFrame, entity: Entity) -> DataFrame:
    """Refused rows with every reason.

    Args:
        staged: One row per input row, from `parse_rows`.
        entity: What the rows are.

    Returns:
        Conforms to the entity's table of refused rows.
    """
    rejected_id = F.md5(F.concat_ws("\n", "source", "file_name", "raw_row"))
    return (
        staged.filter(F.size(REASONS) > 0)
        .groupBy("batch_id", "source", "file_name", "raw_row")
        .agg(
            F.count("*").alias("copies_count"),
            F.first(REASONS).alias("reasons"),
            F.first("line_amount").alias("line_amount"),
        )
        .withColumn("rejected_id", rejected_id)
        .transform(entity.rejected.conform)
    )
