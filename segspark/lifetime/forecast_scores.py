"""How good a forecast of purchases or spend was, customer by customer and in total."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from segspark.errors import LifetimeError
from segspark.lifetime.arrays import Floats, checked_columns

LARGEST_FREQUENCY = 7
"""Customers with so many repeat purchases, or more, are one group."""
_TOP_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class ForecastScores:
    """Scores of one forecast; amounts in its unit, purchases or money.

    Attributes:
        predicted_total: Sum over customers.
        actual_total: Sum over customers.
        mean_absolute_error: Per customer.
        gini: How well it ranks customers, 1 as the outcome itself would, 0 as chance; None where
            the outcome does not differ or sums to 0 or less.
        top_decile_lift: Mean outcome of the tenth ranked highest over that of all; None as above.
    """

    predicted_total: float
    actual_total: float
    mean_absolute_error: float
    gini: float | None
    top_decile_lift: float | None

    @property
    def total_error(self) -> float:
        """Absolute logarithm of predicted over actual; infinite where one is 0 or less."""
        if self.predicted_total <= 0.0 or self.actual_total <= 0.0:
            return float("inf")
        return abs(float(np.log(self.predicted_total / self.actual_total)))


@dataclass(frozen=True, slots=True)
class FrequencyGroup:
    """Customers of one calibration frequency.

    Attributes:
        repeat_count: x; `LARGEST_FREQUENCY` stands for so many or more.
        customer_count: How many.
        predicted_mean: Purchases predicted, per customer.
        actual_mean: Purchases made, per customer.
    """

    repeat_count: int
    customer_count: int
    predicted_mean: float
    actual_mean: float


def score_forecast(predicted: ArrayLike, actual: ArrayLike) -> ForecastScores:
    """Score one number per customer against what happened.

    Raises:
        LifetimeError: The lists differ in length or hold NaN, or there are no customers.
    """
    guess, truth = checked_columns({"predicted": predicted, "actual": actual})
    if not len(truth):
        raise LifetimeError("a forecast of no customers cannot be scored")
    own, best = _Curve.of(guess, truth), _Curve.of(truth, truth)
    can_rank = own is not None and best is not None and best.gain > 0.0
    return ForecastScores(
        predicted_total=float(guess.sum()),
        actual_total=float(truth.sum()),
        mean_absolute_error=float(np.abs(guess - truth).mean()),
        gini=own.gain / best.gain if own and best and can_rank else None,
        top_decile_lift=own.at(_TOP_SHARE) / _TOP_SHARE if own and can_rank else None,
    )


def by_frequency(repeat_counts: Floats, predicted: Floats, actual: Floats) -> list[FrequencyGroup]:
    """Forecast and outcome by calibration frequency, the groups that have customers.

    The table of Fader, Hardie & Lee 2005, Marketing Science 24(2), figure 4.
    """
    groups = np.minimum(repeat_counts, LARGEST_FREQUENCY).astype(int)
    return [
        FrequencyGroup(
            repeat_count=int(group),
            customer_count=int((groups == group).sum()),
            predicted_mean=float(predicted[groups == group].mean()),
            actual_mean=float(actual[groups == group].mean()),
        )
        for group in np.unique(groups)
    ]


@dataclass(frozen=True, slots=True)
class _Curve:
    """Share of the outcome held by the share of customers that are ranked highest."""

    customers: Floats
    outcome: Floats

    @classmethod
    def of(cls, ranked_by: Floats, actual: Floats) -> "_Curve | None":
        """The curve of a ranking; customers that tie share what they have. None without any."""
        total = float(actual.sum())
        if total <= 0.0:
            return None
        _, places = np.unique(-ranked_by, return_inverse=True)
        sizes, sums = np.bincount(places), np.bincount(places, actual)
        return cls(
            np.concatenate([[0.0], np.cumsum(sizes) / len(actual)]),
            np.concatenate([[0.0], np.cumsum(sums) / total]),
        )

    @property
    def gain(self) -> float:
        """Area between the curve and chance; 0 where customers are not told apart."""
        return float(np.trapezoid(self.outcome - self.customers, self.customers))

    def at(self, share: float) -> float:
        """What that share of the customers holds."""
        return float(np.interp(share, self.customers, self.outcome))
