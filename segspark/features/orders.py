"""A customer's lines summed to orders and days, once for everything that is made of them.

Nearly every order was purchased on one day. So lines are summed to orders, and only those of orders
with several days are looked at once more: to tell the first of each order's days by a window, all
days would have to be sorted.
"""

from typing import Literal

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

ORDER = ("order_id", "customer_id", "source")
"""Rows are sorted by them: what differs most comes first."""
_QUARTER_MICROSECONDS = 15 * 60 * 1_000_000
_NO_HOUR = 24
_HOURS = _NO_HOUR + 1


def order_sums(lines: DataFrame) -> DataFrame:
    """Sum lines to orders; those that are no purchases to orders and days.

    Lines of an order come side by side, so nearly all of the summing is done where they are read.

    Args:
        lines: From `customer_lines`.

    Returns:
        One row per order, `is_purchase`, `is_return` and, but for purchases, `transaction_date`:
        `last_date`, after `transaction_date` where a purchase has several days, and `_sums`. Of
        purchases, `order_date` and `order_hour`, as in `order_days`.
    """
    # One number for instant and hour, so that its least one is the first line's.
    moment = F.unix_micros("transaction_at") * _HOURS + _known_hour()
    is_purchase, day = F.col("is_purchase"), F.col("transaction_date")
    own_day = F.when(~is_purchase, day).alias("own_day")
    hour = F.pmod("first_moment", F.lit(_HOURS)).cast("int")
    return (
        lines.groupBy(*ORDER, "is_purchase", "is_return", own_day)
        .agg(
            *_sums(),
            F.min(moment).alias("first_moment"),
            F.min(day).alias("transaction_date"),
            F.max(day).alias("last_date"),
        )
        .withColumns(
            {
                "order_date": F.when(is_purchase, day),
                "order_hour": F.when(is_purchase, F.nullif(hour, F.lit(_NO_HOUR))),
            }
        )
        .drop("own_day", "first_moment")
    )


def spread_orders(sums: DataFrame) -> DataFrame:
    """The few orders that were purchased on several days.

    Args:
        sums: From `order_sums`.

    Returns:
        One row per order: `order_date` and `order_hour`.
    """
    return sums.filter(_is_spread()).select(*ORDER, "order_date", "order_hour")


def with_order(lines: DataFrame, spread: DataFrame, *, how: Literal["inner", "left"]) -> DataFrame:
    """Add `order_date` and `order_hour` of the orders that `spread` tells of; NULL for others."""
    told = spread.withColumnsRenamed({name: f"its_{name}" for name in ORDER})
    is_its = [F.col(name).eqNullSafe(F.col(f"its_{name}")) for name in ORDER]
    return lines.join(told, on=is_its, how=how).drop(*(f"its_{name}" for name in ORDER))


def spread_days(lines: DataFrame, spread: DataFrame) -> DataFrame:
    """The purchases of orders with several days, as `order_days` has them.

    Args:
        lines: From `customer_lines`.
        spread: From `spread_orders`.
    """
    bought = with_order(lines.filter("is_purchase"), spread, how="inner")
    return bought.groupBy(
        *ORDER, "is_purchase", "is_return", "transaction_date", "order_date", "order_hour"
    ).agg(*_sums())


def order_days(sums: DataFrame, spread: DataFrame) -> DataFrame:
    """Lines by order and day, with day and hour of the order's first purchase line.

    Args:
        sums: From `order_sums`.
        spread: From `spread_days`.

    Returns:
        One row per order, `transaction_date`, `is_purchase` and `is_return`: sums of `copies`,
        `units`, `amount` and `discount`, in ten-thousandths, and `unitless_lines`, which have money
        and no units. Of purchases, `order_date` and `order_hour`, which is NULL where the first
        line is stamped at midnight: a day without a time. An order that was purchased has one such
        row whose `transaction_date` is its `order_date`.
    """
    return sums.filter(~_is_spread()).drop("last_date").unionByName(spread)


def _is_spread() -> Column:
    return F.col("is_purchase") & (F.col("last_date") > F.col("transaction_date"))


def _sums() -> list[Column]:
    return [
        *(F.sum(name).alias(name) for name in ("copies", "units", "amount", "discount")),
        F.count_if(F.col("units") == 0).alias("unitless_lines"),
    ]


def _known_hour() -> Column:
    """The line's local hour, or `_NO_HOUR`. Zones are whole quarters of an hour from UTC."""
    is_quarter = F.pmod(F.unix_micros("transaction_at"), F.lit(_QUARTER_MICROSECONDS)) == 0
    return F.when((F.col("local_hour") == 0) & is_quarter, _NO_HOUR).otherwise(F.col("local_hour"))
