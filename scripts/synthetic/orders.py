"""Orders of a cell's customers, and of guests."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scripts.synthetic.clock import seconds_at, seconds_of_day
from scripts.synthetic.customer_types import ONLINE_RATIOS
from scripts.synthetic.customers import Customers
from scripts.synthetic.places import APP, WEB
from scripts.synthetic.plan import Plan

_APP_RATIO = 0.35
"""Share of the online orders."""
ORDER_NUMBERS_A_CELL = 1_000_000


@dataclass(frozen=True, slots=True)
class Orders:
    """Orders by position, in the order of time.

    Attributes:
        buyers: Position of the customer; of a guest, that of the customer it is like.
        is_guest: Whether the customer id stays unknown.
        seconds: When, since 1970.
        stores: Position in `STORE_CODES`.
        first_number: Number of the first order; the others follow.
    """

    buyers: NDArray[np.int64]
    is_guest: NDArray[np.bool_]
    seconds: NDArray[np.int64]
    stores: NDArray[np.int64]
    first_number: int

    @property
    def count(self) -> int:
        """How many they are."""
        return len(self.buyers)


def draw_orders(
    random: np.random.Generator, plan: Plan, customers: Customers, *, cell: int
) -> Orders:
    """Draw a first order for each customer, its Poisson repeats while alive, and guests' orders."""
    end = plan.clock.starts[-1]
    active = np.minimum(customers.dropped_out, end) - customers.joined
    repeats = random.poisson(customers.purchase_rates * active)
    repeaters = np.repeat(np.arange(customers.count), repeats)
    times = customers.joined[repeaters] + random.random(len(repeaters)) * active[repeaters]
    guest_count = round(plan.process.guest_order_ratio * (customers.count + len(repeaters)))
    guests = random.integers(0, customers.count, guest_count)
    guest_times = customers.joined[guests]
    guest_times = guest_times + random.random(guest_count) * (end - guest_times)
    buyers = np.concatenate([np.arange(customers.count), repeaters, guests])
    times = np.concatenate([customers.joined, times, guest_times])
    return _in_time(
        Orders(
            buyers=buyers,
            is_guest=np.arange(len(buyers)) >= len(buyers) - guest_count,
            seconds=seconds_at(plan.clock, times),
            stores=_stores(random, customers, buyers),
            first_number=cell * ORDER_NUMBERS_A_CELL,
        )
    )


def draw_orders_of_next_day(
    random: np.random.Generator,
    plan: Plan,
    customers: Customers,
    *,
    buyers: NDArray[np.int64],
    cell: int,
) -> Orders:
    """Orders of these customers on the day after the history."""
    passed = seconds_of_day(plan.clock, random.random(len(buyers)))
    return _in_time(
        Orders(
            buyers=buyers,
            is_guest=np.zeros(len(buyers), dtype=np.bool_),
            seconds=plan.clock.end_second + passed,
            stores=_stores(random, customers, buyers),
            first_number=cell * ORDER_NUMBERS_A_CELL,
        )
    )


def _stores(
    random: np.random.Generator, customers: Customers, buyers: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Web or app in the type's share of orders, else the customer's own shop."""
    is_online = random.random(len(buyers)) < np.array(ONLINE_RATIOS)[customers.types[buyers]]
    online = np.where(random.random(len(buyers)) < _APP_RATIO, APP, WEB)
    return np.where(is_online, online, customers.shops[buyers])


def _in_time(orders: Orders) -> Orders:
    by_second = np.argsort(orders.seconds, kind="stable")
    return Orders(
        buyers=orders.buyers[by_second],
        is_guest=orders.is_guest[by_second],
        seconds=orders.seconds[by_second],
        stores=orders.stores[by_second],
        first_number=orders.first_number,
    )
