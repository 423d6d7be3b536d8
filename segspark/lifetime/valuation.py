"""Lifetime value: what customers are expected to buy, period by period, discounted and priced."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from segspark.errors import LifetimeError
from segspark.lifetime.arrays import Floats, checked_columns
from segspark.lifetime.histories import PurchaseHistories
from segspark.lifetime.purchase_models import PurchaseModel

DAYS_OF_A_MONTH = 365.25 / 12.0
_MONTHS_OF_A_YEAR = 12.0
_DAYS_OF_A_YEAR = 365.25


@dataclass(frozen=True, slots=True)
class Periods:
    """Periods from T on; what is bought in one counts at its end.

    Attributes:
        length: Of each, in the unit of time of the histories.
        count: How many.
        discount_rate: Of one period: the k-th is divided by (1 + discount_rate)^k.

    Raises:
        LifetimeError: There is less than one period, its length is not positive, or the rate is
            negative.
    """

    length: float
    count: int
    discount_rate: float

    def __post_init__(self) -> None:
        if self.count < 1:
            raise LifetimeError(f"lifetime value needs a period at least, not {self.count}")
        if not (np.isfinite(self.length) and self.length > 0.0):
            raise LifetimeError(f"a period must be longer than 0, not {self.length:g}")
        if not (np.isfinite(self.discount_rate) and self.discount_rate >= 0.0):
            raise LifetimeError(
                f"a discount rate must be a ratio of 0 or more, not {self.discount_rate:g}"
            )


def months(count: int, *, yearly_discount_rate: float, unit_days: float = 1.0) -> Periods:
    """Months of 365.25 / 12 days at the rate that compounds to the yearly one.

    Args:
        count: How many.
        yearly_discount_rate: A ratio, such as 0.1.
        unit_days: Days in a unit of time of the histories: 7 where they count weeks.

    Raises:
        LifetimeError: A number is out of range.
    """
    if not (np.isfinite(yearly_discount_rate) and yearly_discount_rate >= 0.0):
        raise LifetimeError(
            f"a discount rate must be a ratio of 0 or more, not {yearly_discount_rate:g}"
        )
    if not (np.isfinite(unit_days) and unit_days > 0.0):
        raise LifetimeError(f"a unit of time must be longer than 0 days, not {unit_days:g}")
    rate = (1.0 + yearly_discount_rate) ** (1.0 / _MONTHS_OF_A_YEAR) - 1.0
    return Periods(DAYS_OF_A_MONTH / unit_days, count, rate)


def whole_months(horizon_days: float, *, yearly_discount_rate: float) -> Periods:
    """Equal periods of about a month that make up exactly the horizon, times in days.

    Raises:
        LifetimeError: A number is out of range.
    """
    count = max(1, round(horizon_days / DAYS_OF_A_MONTH))
    length = horizon_days / count
    rate = (1.0 + yearly_discount_rate) ** (length / _DAYS_OF_A_YEAR) - 1.0
    return Periods(length, count, rate)


def discounted_purchases(
    model: PurchaseModel, histories: PurchaseHistories, periods: Periods
) -> Floats:
    """Expected purchases of each period times its discount factor, summed: shape (n,).

    P(alive) is a factor of all periods, and the rest depends on (x, T) alone, so the periods are
    worked out on distinct (x, T).
    """
    counts, ages, rows = histories.distinct_counts_and_ages
    total, before = np.zeros(len(ages)), np.zeros(len(ages))
    for period in range(1, periods.count + 1):
        until = model.expected_purchases_while_alive(counts, ages, period * periods.length)
        factor = (1.0 + periods.discount_rate) ** -period
        # What is expected never shrinks with time, but by rounding.
        total += np.maximum(until - before, 0.0) * factor
        before = until
    return model.probabilities_alive(histories) * total[rows]


def lifetime_values(
    model: PurchaseModel, histories: PurchaseHistories, spends: ArrayLike, periods: Periods
) -> Floats:
    """Discounted value of the purchases to come, of one customer of each row: shape (n,).

    Args:
        model: Fitted, in the unit of time of the histories.
        histories: Shape (n,).
        spends: Expected spend of a purchase, from `GammaGamma.expected_spends`, shape (n,); times
            a margin, the value is a profit.
        periods: How far, and at what rate.

    Raises:
        LifetimeError: There is another number of spends than of rows, or one is not finite.
    """
    columns = checked_columns({"histories": histories.ages, "spends": spends})
    return discounted_purchases(model, histories, periods) * columns[1]
