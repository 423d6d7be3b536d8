"""Staged rows → the entity's table and the table of refused rows."""

from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from segspark.ingest.parsing.rows import REASONS, Entity
from segspark.tables.sieve import sieve

STAGED_ROW = "__staged_row"
"""A number of each staged row, so that of equal ones a single one can be taken."""


def numbered(parsed: DataFrame) -> DataFrame:
    """Parsed rows with `STAGED_ROW`, which is settled once they are written."""
    return parsed.withColumn(STAGED_ROW, F.monotonically_increasing_id())


def good_rows(staged: DataFrame) -> DataFrame:
    """Rows without a reason to refuse them."""
    return staged.filter(F.size(REASONS) == 0)


@contextmanager
def copied_lines(staged: DataFrame) -> Iterator[DataFrame]:
    """The good rows that came more than once; held in memory or on disk within the context.

    Args:
        staged: One row per input row, with the columns of `numbered`.

    Returns:
        One row per such row: `STAGED_ROW`, `batch_id`, and `copies_count` of one row of equal ones,
        NULL for the others.
    """
    good = good_rows(staged).select(
        "batch_id", "line_id", STAGED_ROW, F.xxhash64("batch_id", "line_id").alias("key_hash")
    )
    # Few rows have a copy: short hashes find the candidates, whole keys settle them.
    # Nearly every hash is its own group: adding up before the shuffle would only cost.
    together = good.select("key_hash").repartition("key_hash")
    candidates = together.groupBy("key_hash").count().filter("count > 1").select("key_hash")
    equal = Window.partitionBy("batch_id", "line_id")
    count, first = F.count("*").over(equal), F.min(STAGED_ROW).over(equal)
    with sieve(candidates) as found:
        copies = (
            found.marked(good, mark="is_candidate")
            .filter("is_candidate")
            .withColumns({"count": count, "is_first": first == F.col(STAGED_ROW)})
            .filter("count > 1")
            .withColumn("copies_count", F.when(F.col("is_first"), F.col("count")))
            .select(STAGED_ROW, "batch_id", "copies_count")
            .persist()
        )
        try:
            yield copies
        finally:
            copies.unpersist()


def kept_lines(staged: DataFrame, entity: Entity, copies: DataFrame | None) -> DataFrame:
    """Good rows, those equal in every source column as one with its number of copies.

    Args:
        staged: One row per input row, with the columns of `numbered`.
        entity: What the rows are.
        copies: From `copied_lines`; None where no row has a copy.

    Returns:
        Conforms to the entity's table.
    """
    good, one = good_rows(staged), F.lit(1).cast("long")
    if copies is None:
        return good.withColumn("copies_count", one).transform(entity.kept.conform)
    equal = copies.select(STAGED_ROW, "copies_count", F.lit(col=True).alias("has_copies"))
    return (
        good.join(equal, on=STAGED_ROW, how="left")
        .filter(F.col("has_copies").isNull() | F.col("copies_count").isNotNull())
        .withColumn("copies_count", F.coalesce("copies_count", one))
        .transform(entity.kept.conform)
    )


def refused_lines(staged: DataFrame, entity: Entity) -> DataFrame:
    """Refused rows with every reason.

    Args:
        staged: One row per input row, with the columns of `numbered`.
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
