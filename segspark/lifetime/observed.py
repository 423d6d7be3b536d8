"""Customers as a model sees them on a day, and what they did in the days that followed."""

from dataclasses import dataclass

import numpy as np

from segspark.errors import LifetimeError
from segspark.lifetime.arrays import Floats, checked_columns
from segspark.lifetime.histories import PurchaseHistories, SpendHistories


@dataclass(frozen=True, eq=False)
class ObservedCustomers:
    """One row per customer as of a day; times in days.

    Attributes:
        histories: x, t_x and T of each customer, shape (n,).
        repeat_means: Mean spend of the repeat days, shape (n,); not used where x is 0.
        day_means: Mean spend of all purchase days, shape (n,).

    Raises:
        LifetimeError: The columns differ in length, or hold NaN.
    """

    histories: PurchaseHistories
    repeat_means: Floats
    day_means: Floats

    def __post_init__(self) -> None:
        names = ("repeat_means", "day_means")
        columns = {name: getattr(self, name) for name in names}
        arrays = checked_columns({"ages": self.histories.ages, **columns})
        for name, array in zip(names, arrays[1:], strict=True):
            object.__setattr__(self, name, array)

    def __len__(self) -> int:
        return len(self.histories)

    @property
    def day_counts(self) -> Floats:
        """Purchase days so far, the first one included, shape (n,)."""
        return self.histories.repeat_counts + 1.0

    @property
    def repeat_spends(self) -> SpendHistories:
        """What Gamma-Gamma is fitted to by convention: repeat days only."""
        rows = self.histories
        return SpendHistories(rows.repeat_counts, self.repeat_means, rows.customer_counts)

    @property
    def day_spends(self) -> SpendHistories:
        """The same of all purchase days, so that every customer says something."""
        return SpendHistories(self.day_counts, self.day_means, self.histories.customer_counts)


@dataclass(frozen=True, eq=False)
class Fold:
    """Customers as of a day, and what they bought in the days after it.

    Attributes:
        name: The last day of calibration, for people.
        days: Length of the hold-out period.
        customers: As of the last day of calibration, shape (n,).
        later_counts: Purchase days in the hold-out period, shape (n,).
        later_amounts: Spend on them, shape (n,).

    Raises:
        LifetimeError: The columns differ in length or hold NaN, or the period is empty.
    """

    name: str
    days: float
    customers: ObservedCustomers
    later_counts: Floats
    later_amounts: Floats

    def __post_init__(self) -> None:
        if not (np.isfinite(self.days) and self.days > 0.0):
            raise LifetimeError(f"a hold-out period must be longer than 0 days, not {self.days:g}")
        names = ("later_counts", "later_amounts")
        columns = {name: getattr(self, name) for name in names}
        arrays = checked_columns({"ages": self.customers.histories.ages, **columns})
        for name, array in zip(names, arrays[1:], strict=True):
            object.__setattr__(self, name, array)
