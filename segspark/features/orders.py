"""A customer's lines summed to orders and days, once for everything that is made of them."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

ORDER = ("order_id", "customer_id", "source")
"""Rows are sorted by them: what differs most comes first."""
_QUARTER_MICROSECONDS = 15 * 60 * 1_000_000
_NO_HOUR = 24
_HOURS = _NO_HOUR + 1


def order_days(lines: DataFrame) -> DataFrame:
    """Sum lines to order and day, with day and hour of the order's first purchase line.

    Lines of an order come side by side, so nearly all of the summing is done where they are read.

    Args:
        lines: From `customer_lines`.

    Returns:
        One row per order, `transaction_date`, `is_purchase` and `is_return`: sums of `copies`,
        `units`, `amount` and `discount`, in ten-thousandths, and `unitless_lines`, which have money
        and no units. Of purchases, `order_date` and `order_hour`, which is NULL where the first
        line is stamped at midnight: a day without a time. An order that was purchased has one such
        row whose `transaction_date` is its `order_date`.
    """
    # One number for instant and hour, so that its least one is the first line's.
    moment = F.unix_micros("transaction_at") * _HOURS + _known_hour()
    days = lines.groupBy(*ORDER, "transaction_date", "is_purchase", "is_return").agg(
        *(F.sum(name).alias(name) for name in ("copies", "units", "amount", "discount")),
        F.count_if(F.col("units") == 0).alias("unitless_lines"),
        F.min(moment).alias("first_moment"),
    )
    order = Window.partitionBy(*ORDER, "is_purchase")
    hour = F.pmod(F.min("first_moment").over(order), F.lit(_HOURS)).cast("int")
    first_day = F.min("transaction_date").over(order)
    return days.withColumns(
        {
            "order_date": F.when(F.col("is_purchase"), first_day),
            "order_hour": F.when(F.col("is_purchase"), F.nullif(hour, F.lit(_NO_HOUR))),
        }
    ).drop("first_moment")


def _known_hour() -> Column:
    """The line's local hour, or `_NO_HOUR`. Zones are whole quarters of an hour from UTC."""
    is_quarter = F.pmod(F.unix_micros("transaction_at"), F.lit(_QUARTER_MICROSECONDS)) == 0
    return F.when((F.col("local_hour") == 0) & is_quarter, _NO_HOUR).otherwise(F.col("local_hour"))
