"""What the models see of customers: how often and when they bought, and what they spent."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from segspark.lifetime.arrays import (
    Floats,
    Indices,
    checked_columns,
    distinct_pairs,
    refuse_rows,
    sums_by_group,
)

_EXPONENTS = 4096
"""More than the exponents of two that a float can have."""


@dataclass(frozen=True, slots=True, eq=False)
class Spans:
    """Distinct spans of time that integrals of some rows begin with.

    Attributes:
        repeat_counts: x, shape (k,).
        starts: A t_x or a T, shape (k,).
        ends: Shape (k,), later than the T of every row of the span.
        rows_of_last_repeat: Where each row's span from t_x is, shape (n,).
        rows_of_age: Where each row's span from T is, shape (n,).
    """

    repeat_counts: Floats
    starts: Floats
    ends: Floats
    rows_of_last_repeat: Indices
    rows_of_age: Indices


@dataclass(frozen=True, eq=False)
class PurchaseHistories:
    """One row per distinct (x, t_x, T), in any one unit of time (days in segspark).

    These three are sufficient for BG/NBD, MBG/NBD and Pareto/NBD (Fader, Hardie & Lee 2005,
    Marketing Science 24(2), section 3), so a million customers are as many rows as there are
    distinct triples. No rows are fine.

    Attributes:
        repeat_counts: x, purchases after the first, shape (n,); whole numbers.
        last_repeat_times: t_x, first to last purchase, shape (n,); 0 exactly where x is 0.
        ages: T, first purchase to the end of observation, shape (n,); at least t_x.
        customer_counts: How many customers have the row, shape (n,); any positive weight.

    Raises:
        LifetimeError: A row breaks one of these rules; the sentence names the first.
    """

    repeat_counts: Floats
    last_repeat_times: Floats
    ages: Floats
    customer_counts: Floats

    def __post_init__(self) -> None:
        names = ("repeat_counts", "last_repeat_times", "ages", "customer_counts")
        arrays = checked_columns({name: getattr(self, name) for name in names})
        for name, array in zip(names, arrays, strict=True):
            object.__setattr__(self, name, array)
        x, t_x, ages, customers = arrays
        shown = {"x": x, "t_x": t_x, "T": ages}
        not_counts = (x < 0.0) | (x != np.floor(x))
        refuse_rows(not_counts, "repeat purchases x are whole numbers from 0 on", shown)
        refuse_rows(t_x < 0.0, "the last repeat purchase t_x is not before the first", shown)
        refuse_rows(t_x > ages, "the last repeat purchase t_x is within the age T", shown)
        refuse_rows((x == 0.0) != (t_x == 0.0), "t_x is 0 exactly where x is 0", shown)
        weights = {"customers": customers}
        refuse_rows(
            customers <= 0.0, "every row stands for a positive number of customers", weights
        )

    def __len__(self) -> int:
        return len(self.ages)

    @cached_property
    def distinct_counts(self) -> tuple[Floats, Indices]:
        """Distinct x, shape (k,), and where each row's is, shape (n,)."""
        return np.unique(self.repeat_counts, return_inverse=True)

    @cached_property
    def distinct_counts_and_ages(self) -> tuple[Floats, Floats, Indices]:
        """Distinct (x, T), shapes (k,), and where each row's is, shape (n,)."""
        return distinct_pairs(self.repeat_counts, self.ages)

    @cached_property
    def customers_by_count(self) -> Floats:
        """Customers of each distinct x, shape (k,)."""
        counts, rows = self.distinct_counts
        return sums_by_group(self.customer_counts, rows, len(counts))

    @cached_property
    def spans(self) -> Spans:
        """From t_x and from T to an end that depends on the row's T alone, whatever other rows are.

        It is the next power of two, so that rows share their spans.
        """
        _, exponents = np.frexp(self.ages)
        keys = self.repeat_counts * _EXPONENTS + (exponents + _EXPONENTS // 2)
        starts = np.concatenate([self.last_repeat_times, self.ages])
        distinct, starts, rows = distinct_pairs(np.tile(keys, 2), starts)
        counts = np.floor(distinct / _EXPONENTS)
        ends = np.ldexp(1.0, (distinct - counts * _EXPONENTS).astype(int) - _EXPONENTS // 2)
        return Spans(counts, starts, ends, rows[: len(self)], rows[len(self) :])

    def in_time_unit(self, factor: float) -> "PurchaseHistories":
        """Multiply every time by `factor`: 1 / 7 turns days into weeks."""
        return PurchaseHistories(
            self.repeat_counts,
            self.last_repeat_times * factor,
            self.ages * factor,
            self.customer_counts,
        )


@dataclass(frozen=True, eq=False)
class SpendHistories:
    """What customers spend, one row per distinct (x, m), in any one currency.

    Attributes:
        repeat_counts: x, purchases that m is the mean of, shape (n,); whole numbers.
        mean_spends: m, mean spend of those purchases, shape (n,); not used where x is 0.
        customer_counts: How many customers have the row, shape (n,); any positive weight.

    Raises:
        LifetimeError: A row breaks one of these rules; the sentence names the first.
    """

    repeat_counts: Floats
    mean_spends: Floats
    customer_counts: Floats

    def __post_init__(self) -> None:
        names = ("repeat_counts", "mean_spends", "customer_counts")
        arrays = checked_columns({name: getattr(self, name) for name in names})
        for name, array in zip(names, arrays, strict=True):
            object.__setattr__(self, name, array)
        x, _, customers = arrays
        not_counts = (x < 0.0) | (x != np.floor(x))
        refuse_rows(not_counts, "repeat purchases x are whole numbers from 0 on", {"x": x})
        weights = {"customers": customers}
        refuse_rows(
            customers <= 0.0, "every row stands for a positive number of customers", weights
        )

    def __len__(self) -> int:
        return len(self.mean_spends)

    def with_spend(self) -> "SpendHistories":
        """The rows that Gamma-Gamma can be fitted to: a repeat purchase and a positive mean."""
        kept = (self.repeat_counts > 0.0) & (self.mean_spends > 0.0)
        return SpendHistories(
            self.repeat_counts[kept], self.mean_spends[kept], self.customer_counts[kept]
        )
