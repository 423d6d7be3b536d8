"""Purchases within windows of recent days, each ending on the as-of date."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from pyspark.sql import Column
from pyspark.sql import functions as F

from segspark.features.day_arrays import DayArrays
from segspark.tables.contract import MONEY


def window_types(windows_days: Sequence[int]) -> dict[str, str]:
    """Columns of `window_sums` with the types that they end in."""
    return {name: kind for days in windows_days for name, kind in _types(days).items()}


def window_sums(days: DayArrays, windows_days: Sequence[int], *, as_of: int) -> dict[str, pa.Array]:
    """Orders, spend and purchase days of each window, and the spend of as many days before.

    Money is in ten-thousandths.

    Args:
        days: With `orders` and `spend`.
        windows_days: How long each window is.
        as_of: Its last day, in days since 1970-01-01.
    """
    orders, spend = days.sums["orders"], days.sums["spend"]
    found: dict[str, pa.Array] = {}
    for length in windows_days:
        is_inside = days.day > as_of - length
        is_before = ~is_inside & (days.day > as_of - 2 * length)
        columns = (
            pa.array(days.of_customers(orders, is_inside)),
            pa.array(days.of_customers(spend, is_inside)),
            pa.array(days.of_customers((orders > 0).astype(np.int64), is_inside)),
            pa.array(days.of_customers(spend, is_before)),
        )
        found |= dict(zip(_types(length), columns, strict=True))
    return found


def window_columns(windows_days: Sequence[int]) -> dict[str, Column]:
    """What follows from the sums: mean order and trend, NULL where they would divide by nothing."""
    return {name: made for days in windows_days for name, made in _derived(days).items()}


def _types(days: int) -> dict[str, str]:
    return {
        f"order_{days}_days_count": "bigint",
        f"spend_{days}_days_amount": MONEY.simpleString(),
        f"purchase_{days}_days_count": "bigint",
        _before(days): MONEY.simpleString(),
    }


def _derived(days: int) -> dict[str, Column]:
    spend = F.col(f"spend_{days}_days_amount").cast("double")
    orders, before = F.col(f"order_{days}_days_count"), F.col(_before(days))
    return {
        f"average_order_{days}_days_amount": F.when(orders > 0, spend / orders),
        f"spend_{days}_days_trend_ratio": F.when(before > 0, spend / before.cast("double")),
    }


def _before(days: int) -> str:
    return f"spend_before_{days}_days"
