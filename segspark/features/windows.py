"""Purchases within windows of recent days, each ending on the as-of date."""

from collections.abc import Sequence
from datetime import date, timedelta

from pyspark.sql import Column
from pyspark.sql import functions as F


def window_sums(windows_days: Sequence[int], *, as_of: date) -> list[Column]:
    """Sums over a customer's rows of `known_days`: orders, spend and days of each window."""
    return [column for days in windows_days for column in _sums(days, as_of)]


def window_columns(windows_days: Sequence[int]) -> dict[str, Column]:
    """What follows from the sums: mean order and trend, NULL where they would divide by nothing."""
    return {name: made for days in windows_days for name, made in _derived(days).items()}


def _sums(days: int, as_of: date) -> list[Column]:
    day = F.col("purchase_date")
    is_inside = day > F.lit(as_of - timedelta(days=days))
    is_before = ~is_inside & (day > F.lit(as_of - timedelta(days=2 * days)))
    return [
        _sum("orders", is_inside).alias(f"order_{days}_days_count"),
        _money(is_inside).alias(f"spend_{days}_days_amount"),
        F.count_if(is_inside & (F.col("orders") > 0)).alias(f"purchase_{days}_days_count"),
        _money(is_before).alias(_before(days)),
    ]


def _derived(days: int) -> dict[str, Column]:
    spend = F.col(f"spend_{days}_days_amount").cast("double")
    orders, before = F.col(f"order_{days}_days_count"), F.col(_before(days))
    return {
        f"average_order_{days}_days_amount": F.when(orders > 0, spend / orders),
        f"spend_{days}_days_trend_ratio": F.when(before > 0, spend / before.cast("double")),
    }


def _before(days: int) -> str:
    return f"spend_before_{days}_days"


def _sum(name: str, condition: Column) -> Column:
    return F.sum(F.when(condition, F.col(name)).otherwise(0))


def _money(condition: Column) -> Column:
    return _sum("spend", condition).cast("decimal(28,4)")
