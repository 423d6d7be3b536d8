"""What of the ledger is known on a day."""

from collections.abc import Sequence
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DecimalType

from segspark.features.ten_thousandths import ten_thousandths
from segspark.settings.features import FeatureSettings
from segspark.tables.contract import LINE_MONEY
from segspark.tables.purchases import DAYPARTS

DAYPART_ORDERS = tuple(f"{daypart}_orders" for daypart in DAYPARTS)


def known_rows(ledger: DataFrame, *, settings: FeatureSettings, as_of: date) -> DataFrame:
    """The ledger's rows that were known on the as-of date.

    Args:
        ledger: Conforms to `CUSTOMER_DAYS`; one ledger.
        settings: Net or gross.
        as_of: Rows that become effective later are not seen.

    Returns:
        The same rows, with `orders`, those of each part of the day and `spend` as the settings
        count them. Like the ledger's own columns, they are to be summed before they mean something.
    """
    dayparts = (
        kept(settings, f"{name}_order_count", f"undone_{name}_order_count") for name in DAYPARTS
    )
    spend = kept(settings, "gross_amount", "returned_amount")
    orders = kept(settings, "order_count", "undone_order_count")
    return ledger.filter(F.col("effective_date") <= F.lit(as_of)).withColumns(
        {
            "orders": orders,
            "spend": spend.cast(LINE_MONEY),
            **dict(zip(DAYPART_ORDERS, dayparts, strict=True)),
        }
    )


def kept(settings: FeatureSettings, placed: str, undone: str) -> Column:
    """Sums of the ledger less those that undo them; gross: as if nothing undid them."""
    return F.col(placed) - F.col(undone) if settings.monetary == "net" else F.col(placed)


def in_order(rows: DataFrame, names: Sequence[str]) -> DataFrame:
    """Columns to sum, each customer's rows side by side and in order of time, for `day_arrays`.

    Decimals are in ten-thousandths: on the way to Python they would be taken apart one by one.
    """
    columns = (
        ten_thousandths(F.col(name)).alias(name)
        if isinstance(rows.schema[name].dataType, DecimalType)
        else F.col(name)
        for name in names
    )
    return (
        rows.select("customer_id", "purchase_date", *columns)
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
