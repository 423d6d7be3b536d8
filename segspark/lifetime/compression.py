"""Fewer rows for the same fit: equal ones together, or cells that keep their means.

A cell's key is arithmetic on its columns, so that Spark can group by the same formulas. The means
matter: with times floored to the cell, alpha of BG/NBD comes out ten per cent too low.
"""

import numpy as np

from segspark.errors import LifetimeError
from segspark.lifetime.arrays import Floats, Indices, sums_by_group
from segspark.lifetime.histories import PurchaseHistories, SpendHistories

CELL_DAYS = 7.0
"""Width of a cell in time, where times are days."""
CELL_LOG_SPEND = 0.002
"""Width of a cell in the natural logarithm of the mean spend."""


def merge_equal_histories(histories: PurchaseHistories) -> PurchaseHistories:
    """One row per distinct (x, t_x, T) with all its customers; sorted, nothing lost."""
    return _merge_histories(histories, histories.last_repeat_times, histories.ages)


def merge_histories_in_cells(
    histories: PurchaseHistories, *, cell_width: float = CELL_DAYS
) -> PurchaseHistories:
    """One row per (x, floor(t_x / width), floor(T / width)), with the means of t_x and T.

    Means over customers; x is exact, so t_x stays 0 exactly where x is. What a fit loses goes with
    the square of width / alpha: 0.3 % of a parameter at a quarter, 1.5 % at two thirds.

    Args:
        histories: Any rows.
        cell_width: In the unit of time of the histories.

    Raises:
        LifetimeError: The width is not positive.
    """
    _refuse_width(cell_width)
    last_cell = np.floor(histories.last_repeat_times / cell_width)
    return _merge_histories(histories, last_cell, np.floor(histories.ages / cell_width))


def merge_spends_in_cells(
    spends: SpendHistories, *, cell_width: float = CELL_LOG_SPEND
) -> SpendHistories:
    """One row per (x, floor(ln m / width)) with the mean of m over customers.

    Customers without a repeat purchase, or with m of 0 or less, are left out, as they are of the
    fit.

    Args:
        spends: Any rows.
        cell_width: In natural logarithms of spend.

    Raises:
        LifetimeError: The width is not positive.
    """
    _refuse_width(cell_width)
    kept = spends.with_spend()
    first, rows = _groups(kept.repeat_counts, np.floor(np.log(kept.mean_spends) / cell_width))
    customers = sums_by_group(kept.customer_counts, rows, len(first))
    means = _means(kept.mean_spends, kept.customer_counts, rows, customers)
    return SpendHistories(kept.repeat_counts[first], means, customers)


def _merge_histories(
    histories: PurchaseHistories, last_key: Floats, age_key: Floats
) -> PurchaseHistories:
    first, rows = _groups(histories.repeat_counts, last_key, age_key)
    weights = histories.customer_counts
    customers = sums_by_group(weights, rows, len(first))
    ages = _means(histories.ages, weights, rows, customers)
    last = _means(histories.last_repeat_times, weights, rows, customers)
    # Rounding may put the mean of equal times an ulp past the mean of equal ages.
    return PurchaseHistories(
        histories.repeat_counts[first], np.minimum(last, ages), ages, customers
    )


def _groups(*keys: Floats) -> tuple[Indices, Indices]:
    """Where each group's first row is, groups sorted by the keys, and each row's group."""
    order = np.lexsort(keys[::-1])
    is_new = np.zeros(len(order), dtype=np.bool_)
    is_new[:1] = True
    for key in keys:
        is_new[1:] |= np.diff(key[order]) != 0.0
    rows = np.empty(len(order), dtype=np.intp)
    rows[order] = np.cumsum(is_new) - 1
    return order[is_new], rows


def _means(values: Floats, weights: Floats, rows: Indices, totals: Floats) -> Floats:
    return sums_by_group(values * weights, rows, len(totals)) / totals


def _refuse_width(cell_width: float) -> None:
    if not (np.isfinite(cell_width) and cell_width > 0.0):
        raise LifetimeError(f"cells need a positive width, not {cell_width:g}")
