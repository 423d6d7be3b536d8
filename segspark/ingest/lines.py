"""Parsed lines → `transactions` and `rejected_transactions`."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from segspark.ingest.parsing import RAW_ROW, REASONS
from segspark.tables.purchases import REJECTED_TRANSACTIONS, TRANSACTIONS


def kept_lines(parsed: DataFrame, *, has_duplicates: bool) -> DataFrame:
    """Good rows, those equal in every source column as one with its number of copies.

    Args:
        parsed: One row per input row, from `parse_lines`.
        has_duplicates: Whether any good rows are equal; without them nothing needs sorting.

    Returns:
        Conforms to `TRANSACTIONS`.
    """
    good = parsed.filter(F.size(REASONS) == 0)
    if not has_duplicates:
        return good.withColumn("copies_count", F.lit(1).cast("long")).transform(
            TRANSACTIONS.conform
        )
    copies = Window.partitionBy("batch_id", "line_id")
    # Rows of one hash are equal, so any of them will do; a window needs one sort, a group by two.
    return (
        good.withColumn("copies_count", F.count("*").over(copies))
        .withColumn("copy_number", F.row_number().over(copies.orderBy("line_id")))
        .filter(F.col("copy_number") == 1)
        .transform(TRANSACTIONS.conform)
    )


def refused_lines(parsed: DataFrame) -> DataFrame:
    """Refused rows with every reason.

    Args:
        parsed: One row per input row, from `parse_lines`.

    Returns:
        Conforms to `REJECTED_TRANSACTIONS`.
    """
    return (
        parsed.filter(F.size(REASONS) > 0)
        .groupBy("batch_id", "file_name", RAW_ROW)
        .agg(
            F.count("*").alias("copies_count"),
            F.first("source").alias("source"),
            F.first(REASONS).alias("reasons"),
            F.first("line_amount").alias("line_amount"),
        )
        .transform(REJECTED_TRANSACTIONS.conform)
    )
