"""What of the ledger is known on a day."""

from collections.abc import Sequence
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.settings.features import FeatureSettings


def known_rows(ledger: DataFrame, *, settings: FeatureSettings, as_of: date) -> DataFrame:
    """The ledger's rows that were known on the as-of date.

    Args:
        ledger: Conforms to `CUSTOMER_DAYS`; one ledger.
        settings: Net or gross.
        as_of: Rows that become effective later are not seen.

    Returns:
        The same rows, with `orders` and `spend` as the settings count them. Like the ledger's own
        columns, they are to be summed before they mean something.
    """
    if settings.monetary == "net":
        orders = F.col("order_count") - F.col("undone_order_count")
        spend = F.col("gross_amount") - F.col("returned_amount")
    else:
        orders, spend = F.col("order_count"), F.col("gross_amount")
    return ledger.filter(F.col("effective_date") <= F.lit(as_of)).withColumns(
        {"orders": orders, "spend": spend.cast("decimal(28,4)")}
    )


def in_order(rows: DataFrame, names: Sequence[str]) -> DataFrame:
    """Columns to sum, each customer's rows side by side and in order of time, for `day_arrays`."""
    return (
        rows.select("customer_id", "purchase_date", *names)
        .repartition("customer_id")
        .sortWithinPartitions("customer_id", "purchase_date")
    )


def known_days(ledger: DataFrame, *, settings: FeatureSettings, as_of: date) -> DataFrame:
    """Sums of each customer and purchase day, as they were known on the as-of date.

    Args:
        ledger: Conforms to `CUSTOMER_DAYS`; one ledger.
        settings: Net or gross.
        as_of: Rows that become effective later are not seen.

    Returns:
        One row per customer and day: `orders` and `spend` as the settings count them. Only days
        with `orders` above 0 are purchase days.
    """
    known = known_rows(ledger, settings=settings, as_of=as_of)
    return known.groupBy("customer_id", "purchase_date").agg(
        F.sum("orders").alias("orders"), F.sum("spend").alias("spend")
    )
