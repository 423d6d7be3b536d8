"""What divisions of customers on a past day were good for: how well they tell what came next."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import kruskal

from segspark.errors import LifetimeError
from segspark.lifetime.arrays import Floats, Indices, checked_columns, tenths
from segspark.lifetime.forecast_scores import score_forecast

DECILES = "deciles of past spend"
_FEWEST_GROUPS = 2
"""One alone tells nothing."""


@dataclass(frozen=True, slots=True)
class Usefulness:
    """How well one division of customers, made on a past day, tells what they did next.

    Attributes:
        group_count: Groups with customers.
        spend_ratio: Share of the variance of the ranks of later spend that lies between the groups,
            beyond what as many groups have by chance: up to 1, about 0 by chance; None with one
            group, with no more customers than groups, or where all spent the same.
        gini: How well groups ordered by their mean past spend rank customers by later spend, 1 as
            later spend itself, 0 as chance; None where nobody spent, or all the same.
        retention_ratio: The same share of the variance of buying again; None where all or none did.
    """

    group_count: int
    spend_ratio: float | None
    gini: float | None
    retention_ratio: float | None


def compare_usefulness(
    divisions: Mapping[str, ArrayLike],
    *,
    past_amounts: ArrayLike,
    later_amounts: ArrayLike,
    later_counts: ArrayLike,
) -> dict[str, Usefulness]:
    """Judge divisions of the same customers, and beside them the deciles of past spend.

    Args:
        divisions: By title, the group of each customer, as known on the past date.
        past_amounts: Spend of each customer up to that date.
        later_amounts: Spend of each in the period after it; 0 of who bought nothing.
        later_counts: Purchases of each in that period.

    Returns:
        By title in the order of the divisions, deciles last.

    Raises:
        LifetimeError: The columns differ in length, hold NaN, there are no customers, or a division
            leaves some out.
    """
    named = {"past spend": past_amounts, "later spend": later_amounts, "purchases": later_counts}
    past, amounts, counts = checked_columns(named)
    return {
        title: _usefulness(title, np.asarray(groups), past, amounts, counts > 0)
        for title, groups in {**divisions, DECILES: tenths(past)}.items()
    }


def _usefulness(
    title: str, groups: np.ndarray, past: Floats, amounts: Floats, is_kept: np.ndarray
) -> Usefulness:
    names, places = np.unique(groups, return_inverse=True)
    if len(places) != len(past):
        raise LifetimeError(
            f"{title} divides {len(places)} customers, and there are {len(past)}: give each "
            "customer one group"
        )
    means = np.bincount(places, past) / np.bincount(places)
    return Usefulness(
        group_count=len(names),
        spend_ratio=_between_ratio(amounts, places, len(names)),
        gini=score_forecast(means[places], amounts).gini,
        retention_ratio=_between_ratio(is_kept.astype(np.float64), places, len(names)),
    )


def _between_ratio(values: Floats, places: Indices, groups: int) -> float | None:
    """(H - k + 1) / (n - k), H of Kruskal and Wallis with ties (Tomczak and Tomczak, 2014)."""
    customers = len(values)
    if groups < _FEWEST_GROUPS or customers <= groups or (values == values[0]).all():
        return None
    found = kruskal(*(values[places == place] for place in range(groups)))
    return float((found.statistic - groups + 1) / (customers - groups))
