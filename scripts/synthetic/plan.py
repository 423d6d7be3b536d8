"""All that holds for the whole of a generated shop: solved for once, then shared by the cells.

Customers are drawn in cells of at most a thousand, each from a seed of its own: what a cell holds
depends on the request alone, not on how many cells a file has.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from scripts.synthetic.catalogue import Catalogue, make_catalogue
from scripts.synthetic.clock import Clock, make_clock
from scripts.synthetic.customer_types import ONLINE_RATIO
from scripts.synthetic.process import Process, lines_per_order, rate_scale_days
from scripts.synthetic.request import Request

_MOST_CUSTOMERS_A_CELL = 1_000
_LINES_A_CELL = 24_000
"""Where customers have many lines, a cell has fewer of them."""


class Stream(IntEnum):
    """Randomness that does not depend on how much of another stream was drawn."""

    CATALOGUE = 0
    CUSTOMERS = 1
    ORDERS = 2
    LINES = 3
    DEFECTS = 4
    DEMOGRAPHICS = 5
    EVENTS = 6
    INCREMENT = 7


@dataclass(frozen=True, slots=True)
class Plan:
    """The request with all that follows from it.

    Attributes:
        request: What was asked for.
        process: Parameters of the purchase process.
        clock: Seasons and joining.
        catalogue: Products.
        repeat_orders: Expected repeat orders of a customer.
        rate_scale_days: alpha of Pareto/NBD.
        cell_customers: Customers of a cell; the last one may have fewer.
    """

    request: Request
    process: Process
    clock: Clock
    catalogue: Catalogue
    repeat_orders: float
    rate_scale_days: float
    cell_customers: int

    @property
    def cell_count(self) -> int:
        """How many cells there are."""
        return -(-self.request.customers // self.cell_customers)


def make_plan(request: Request) -> Plan:
    """Solve for what a checked request leaves open, so that as many lines come out as asked for."""
    process, clock = Process(), make_clock(request)
    per_customer = request.lines / request.customers
    orders = per_customer / lines_per_order(process, online_ratio=ONLINE_RATIO)
    repeat_orders = orders / (1 + process.guest_order_ratio) - 1
    return Plan(
        request=request,
        process=process,
        clock=clock,
        catalogue=make_catalogue(_random(request.seed, 0, Stream.CATALOGUE), clock),
        repeat_orders=repeat_orders,
        rate_scale_days=rate_scale_days(process, clock, repeat_orders=repeat_orders),
        cell_customers=max(1, min(_MOST_CUSTOMERS_A_CELL, int(_LINES_A_CELL / per_customer))),
    )


def random_of(plan: Plan, cell: int, stream: Stream) -> np.random.Generator:
    """The random numbers of one stream of one cell."""
    return _random(plan.request.seed, cell, stream)


def numbers_of(plan: Plan, cell: int) -> NDArray[np.int64]:
    """Numbers of a cell's customers."""
    first = cell * plan.cell_customers
    return np.arange(first, min(first + plan.cell_customers, plan.request.customers))


def _random(seed: int, cell: int, stream: Stream) -> np.random.Generator:
    # What SeedSequence(seed).spawn() and a second spawn() give, without spawning the others first.
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(cell, stream)))
