"""Customers of a cell: who they are, how they buy, and when they stop."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scripts.synthetic.clock import joining_times
from scripts.synthetic.customer_types import TASTES, TYPE_SHARES, TYPES
from scripts.synthetic.places import COUNTRY_SHARES, SHOPS_PER_COUNTRY
from scripts.synthetic.plan import Plan


@dataclass(frozen=True, slots=True)
class Customers:
    """Customers by position; times are of the shop's clock, rates by its day.

    Attributes:
        numbers: Running number over all cells.
        types: Position in `TYPES`.
        joined: When the first order comes.
        purchase_rates: Orders a day while alive.
        dropout_rates: Chance a day to drop out.
        dropped_out: When the customer does.
        spend_multipliers: Gamma-Gamma multiplier of spend.
        whale_factors: 1, or by what a whale's units are multiplied.
        countries: Position in `COUNTRIES`.
        shops: Position in `STORE_CODES`.
        tastes: Share of each department.
    """

    numbers: NDArray[np.int64]
    types: NDArray[np.int64]
    joined: NDArray[np.float64]
    purchase_rates: NDArray[np.float64]
    dropout_rates: NDArray[np.float64]
    dropped_out: NDArray[np.float64]
    spend_multipliers: NDArray[np.float64]
    whale_factors: NDArray[np.float64]
    countries: NDArray[np.int64]
    shops: NDArray[np.int64]
    tastes: NDArray[np.float64]

    @property
    def count(self) -> int:
        """How many they are."""
        return len(self.numbers)


def draw_customers(
    random: np.random.Generator, plan: Plan, numbers: NDArray[np.int64]
) -> Customers:
    """Draw the customers with these numbers."""
    process, count = plan.process, len(numbers)
    types = random.choice(len(TYPES), count, p=TYPE_SHARES)
    countries = random.choice(len(COUNTRY_SHARES), count, p=COUNTRY_SHARES)
    joined = joining_times(random, plan.clock, count)
    rates = random.standard_gamma(process.rate_shape, count) / plan.rate_scale_days
    # A rate of exactly 0 would give no finite lifetime.
    dropouts = np.maximum(
        random.standard_gamma(process.dropout_shape, count) / process.dropout_scale_days, 1e-300
    )
    tastes = random.standard_gamma(np.array(TASTES)[types])
    return Customers(
        numbers=numbers,
        types=types,
        joined=joined,
        purchase_rates=rates,
        dropout_rates=dropouts,
        dropped_out=joined + random.standard_exponential(count) / dropouts,
        spend_multipliers=(process.spend_shape - 1)
        / random.standard_gamma(process.spend_shape, count),
        whale_factors=_whale_factors(random, plan, count),
        countries=countries,
        shops=countries * SHOPS_PER_COUNTRY + random.integers(0, SHOPS_PER_COUNTRY, count),
        tastes=tastes / tastes.sum(axis=1, keepdims=True),
    )


def _whale_factors(random: np.random.Generator, plan: Plan, count: int) -> NDArray[np.float64]:
    least, most = plan.process.least_whale_factor, plan.process.most_whale_factor
    factors = least * (most / least) ** random.random(count)
    return np.where(random.random(count) < plan.process.whale_share, factors, 1.0)
