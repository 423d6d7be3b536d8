"""What segments of a past date were good for: how well they tell what customers did next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segspark.errors import StageError
from segspark.lifetime.arrays import Floats, Indices, checked_columns
from segspark.lifetime.forecast_scores import score_forecast
from segspark.segments.effects import analyse_ranks, cross_table

DECILES = "deciles of past spend"
_DECILE_COUNT = 10


@dataclass(frozen=True, slots=True)
class Usefulness:
    """How well one division of customers tells the next period.

    Attributes:
        title: What divides them.
        group_count: Groups with customers.
        customer_count: Customers, the same in every division.
        rank_eta_squared: Share of the variance of the ranks of later spend that lies between the
            groups, 0 to 1; None with one group, or where all spent the same.
        gini: How well groups ordered by their mean past spend rank customers by later spend, 1 as
            later spend itself, 0 as chance; None where nobody spent, or all the same.
        retained_ratio: Share of customers with a later purchase.
        retention_spread: That share in the group that kept most, less that in the one that kept
            fewest; tiny groups count as much as others.
        retention_eta_squared: Share of the variance of being kept that lies between the groups;
            None where all or none were kept, or with one group.
    """

    title: str
    group_count: int
    customer_count: int
    rank_eta_squared: float | None
    gini: float | None
    retained_ratio: float
    retention_spread: float
    retention_eta_squared: float | None


def compare_usefulness(
    divisions: Mapping[str, Sequence[str]],
    *,
    past_amounts: ArrayLike,
    later_amounts: ArrayLike,
    later_counts: ArrayLike,
) -> list[Usefulness]:
    """Judge divisions of the same customers, and beside them the deciles of past spend.

    Args:
        divisions: What divides → the group of each customer, as known on the past date.
        past_amounts: Spend of each customer up to that date.
        later_amounts: Spend of each in the period after it; 0 of who bought nothing.
        later_counts: Purchases of each in that period.

    Returns:
        In the order of the divisions, deciles last. More groups tell more by chance: compare
        divisions of as many groups.

    Raises:
        LifetimeError: The columns differ in length, hold NaN, or there are no customers.
        StageError: A division leaves customers out.
    """
    named = {"past spend": past_amounts, "later spend": later_amounts, "purchases": later_counts}
    past, amounts, counts = checked_columns(named)
    all_divisions = {**divisions, DECILES: [str(number) for number in deciles(past)]}
    return [
        _usefulness(title, np.asarray(groups), past, amounts, counts > 0)
        for title, groups in all_divisions.items()
    ]


def deciles(amounts: Floats) -> Indices:
    """Each customer's tenth of spend, 1 the lowest; equal spends share one."""
    if not len(amounts):
        return np.empty(0, dtype=np.intp)
    cuts = np.quantile(amounts, np.arange(1, _DECILE_COUNT) / _DECILE_COUNT)
    return 1 + np.searchsorted(cuts, amounts, side="left")


def _usefulness(
    title: str, groups: NDArray[np.str_], past: Floats, amounts: Floats, is_kept: NDArray[np.bool_]
) -> Usefulness:
    names, places = np.unique(groups, return_inverse=True)
    if len(places) != len(past):
        raise StageError(
            f"{title} divides {len(places)} customers, and there are {len(past)}: give each "
            "customer one group"
        )
    retained = is_kept.astype(np.float64)
    sizes = np.bincount(places, minlength=len(names))
    means = np.bincount(places, past, minlength=len(names)) / sizes
    gini = score_forecast(means[places], amounts).gini
    spent = analyse_ranks(cross_table(np.unique(amounts, return_inverse=True)[1], places))
    kept = analyse_ranks(cross_table(is_kept.astype(np.intp), places))
    shares = np.bincount(places, retained, minlength=len(names)) / sizes
    return Usefulness(
        title=title,
        group_count=len(names),
        customer_count=len(places),
        rank_eta_squared=spent.epsilon_squared if spent else None,
        gini=gini,
        retained_ratio=float(retained.mean()),
        retention_spread=float(shares.max() - shares.min()),
        retention_eta_squared=kept.epsilon_squared if kept else None,
    )
