"""How much of what was bought is nobody's: lines of guests."""

from collections.abc import Sequence
from datetime import date

from pyspark.sql import Row
from pyspark.sql import functions as F

from segspark.tables.lake import Lake
from segspark.tables.purchases import TRANSACTIONS


def guest_line_ratio(lake: Lake, batches: Sequence[Row], *, as_of: date) -> float:
    """Share of the lines up to the date that have no customer.

    Args:
        lake: The tables.
        batches: Rows of `ingest_batches`; those of `transactions` count.
        as_of: Lines of later days are not seen.

    Returns:
        From 0 to 1; 0 without lines. The books tell it of batches that end by the date, so only
        lines of the others are read.
    """
    bought = [row for row in batches if row["entity"] == TRANSACTIONS.name and row["first_date"]]
    whole = [row for row in bought if row["last_date"] <= as_of]
    lines = sum(row["kept_row_count"] for row in whole)
    guests = sum(row["guest_row_count"] for row in whole)
    if len(whole) < len(bought):
        cut = [row["batch_id"] for row in bought if row["last_date"] > as_of]
        known = lake.read(TRANSACTIONS).filter(
            F.col("batch_id").isin(cut) & (F.col("transaction_date") <= F.lit(as_of))
        )
        is_guest = F.col("customer_id").isNull()
        found = known.agg(F.count("*").alias("lines"), F.count_if(is_guest).alias("guests"))
        read = found.collect()[0]
        lines, guests = lines + read["lines"], guests + read["guests"]
    return guests / lines if lines else 0.0
