"""What a model has to beat: forecasts that need no model, from the same histories.

Managers' heuristics did as well as Pareto/NBD and BG/NBD in Wübben & von Wangenheim 2008, "Instant
Customer Base Analysis: Managerial Heuristics Often 'Get It Right'", Journal of Marketing 72(3).
"""

import numpy as np

from segspark.lifetime.arrays import Floats, checked_length
from segspark.lifetime.histories import PurchaseHistories
from segspark.lifetime.observed import ObservedCustomers

_USUAL_SHARE = 0.9


def naive_purchases(histories: PurchaseHistories, horizon: float) -> Floats:
    """Everybody goes on at the rate so far: x / T times the horizon, 0 at age 0; shape (n,)."""
    ages = histories.ages
    rates = np.divide(histories.repeat_counts, ages, out=np.zeros(len(ages)), where=ages > 0.0)
    found: Floats = rates * checked_length(horizon, "horizon")
    return found


def recency_cut_off(histories: PurchaseHistories) -> float:
    """Time without a purchase after which a customer counts as gone, 0 where nobody has repeated.

    The mean waits t_x / x of nine in ten customers with a repeat purchase are no longer.
    """
    repeated = histories.repeat_counts > 0.0
    if not repeated.any():
        return 0.0
    waits = histories.last_repeat_times[repeated] / histories.repeat_counts[repeated]
    return float(np.quantile(waits, _USUAL_SHARE))


def active_purchases(histories: PurchaseHistories, horizon: float, *, cut_off: float) -> Floats:
    """Who has bought within the cut-off goes on at the rate so far, the others stop; shape (n,)."""
    is_active = histories.ages - histories.last_repeat_times <= cut_off
    return np.where(is_active, naive_purchases(histories, horizon), 0.0)


def historic_spend(customers: ObservedCustomers, horizon: float) -> Floats:
    """All spend so far per day of age, times the horizon, shape (n,).

    A customer younger than the horizon is taken to spend as much again, not more: a single
    purchase of yesterday says nothing about a purchase every day.
    """
    spent = customers.day_counts * customers.day_means
    found: Floats = spent * horizon / np.maximum(customers.histories.ages, horizon)
    return found


def mean_spend(customers: ObservedCustomers) -> float:
    """Mean spend of a purchase day over all days of all customers; 0 without customers."""
    days = customers.day_counts * customers.histories.customer_counts
    return float(days @ customers.day_means / days.sum()) if len(customers) else 0.0
