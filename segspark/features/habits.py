"""How regularly a customer buys, at what discount, and how much of it comes back."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import Column
from pyspark.sql import functions as F

from segspark.features.day_arrays import DayArrays, Flags, Whole, starts

HABIT_TYPES = {
    "active_months_count": "int",
    "purchase_gap_mean_days": "double",
    "purchase_gap_median_days": "double",
    "purchase_gap_variation_ratio": "double",
    "recency_gap_ratio": "double",
    "longer_gap_ratio": "double",
}
"""Columns of `habit_sums` with their types."""


def habit_sums(days: DayArrays, bought: Flags, *, as_of: int) -> dict[str, pa.Array]:
    """Months with a purchase, the gaps between purchase days, and the silence since the last one.

    Args:
        days: Days of customers.
        bought: Which of them are purchase days that count.
        as_of: Last day counted, in days since 1970-01-01.

    Returns:
        The columns of `HABIT_TYPES`; those of gaps are NULL where there are too few of them.
    """
    customers = len(days.customer_ids)
    owner, day = days.owner[bought], days.day[bought]
    months = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    is_first_of_month = starts(owner) | starts(months)
    follows = ~starts(owner)
    gaps, owner_of_gap = np.diff(day, prepend=0)[follows], owner[follows]
    count = np.bincount(owner_of_gap, minlength=customers)
    # Whole numbers below 2^53 are summed exactly as floats, so the order has no say in it.
    total = np.bincount(owner_of_gap, gaps, minlength=customers)
    squares = np.bincount(owner_of_gap, gaps * gaps, minlength=customers)
    some, more = np.maximum(count, 1), np.maximum(count, 2)
    mean = total / some
    variance = (count * squares - total * total) / (more * (more - 1))
    ordered = gaps[np.lexsort((gaps, owner_of_gap))]
    first = np.cumsum(count) - count
    # Of customers without a purchase day this is of any day; they have no gap.
    silence = as_of - days.day[days.last(bought)]
    longer = np.bincount(owner_of_gap[gaps > silence[owner_of_gap]], minlength=customers)
    return {
        "active_months_count": pa.array(
            np.bincount(owner[is_first_of_month], minlength=customers).astype(np.int32)
        ),
        "purchase_gap_mean_days": pa.array(mean, mask=count < 1),
        "purchase_gap_median_days": pa.array(_medians(ordered, first, count), mask=count < 1),
        "purchase_gap_variation_ratio": pa.array(
            np.sqrt(variance) / np.where(count < 1, 1.0, mean), mask=count <= 1
        ),
        "recency_gap_ratio": pa.array(silence / np.where(count < 1, 1.0, mean), mask=count < 1),
        "longer_gap_ratio": pa.array(longer / some, mask=count < 1),
    }


def _medians(ordered: Whole, first: Whole, count: Whole) -> NDArray[np.float64]:
    """Mean of the two middle gaps of each customer; anything where there is none."""
    if not len(ordered):
        return np.zeros(len(count))
    last = len(ordered) - 1
    middles = [np.minimum(first + place, last) for place in ((count - 1) // 2, count // 2)]
    found: NDArray[np.float64] = (ordered[np.maximum(middles[0], 0)] + ordered[middles[1]]) / 2.0
    return found


def ratio_columns() -> dict[str, Column]:
    """Share of discounts and of returns; NULL where there is nothing to take a share of."""
    gross, discount = F.col("gross_amount"), F.col("discount_amount")
    list_price = F.nullif(gross + discount, F.lit(0)).cast("double")
    return {
        "discount_ratio": discount.cast("double") / list_price,
        "return_ratio": F.col("returned_amount").cast("double")
        / F.nullif(gross, F.lit(0)).cast("double"),
    }
