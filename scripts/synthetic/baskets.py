"""Orders → their lines: goods to the customer's taste, then postage and gift wrap."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from scripts.synthetic.catalogue import DEPARTMENTS, FEE_CENTS, GIFT_WRAP, POSTAGE, price_period
from scripts.synthetic.clock import SECONDS_A_DAY
from scripts.synthetic.customer_types import DISCOUNT_RATIOS
from scripts.synthetic.customers import Customers
from scripts.synthetic.lines import MISSING, NOBODY, Defect, Kind, Lines, together
from scripts.synthetic.orders import Orders
from scripts.synthetic.places import WEB
from scripts.synthetic.plan import Plan

_DISCOUNT_PERCENTS = np.array([10, 10, 20, 30, 50])
_TABLE_BITS = 1 << 16
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def draw_lines(
    random: np.random.Generator, plan: Plan, customers: Customers, orders: Orders
) -> Lines:
    """Draw the lines of orders: all goods, each order's together, then all fees."""
    shape, mean = plan.process.extra_lines_shape, plan.process.extra_lines_mean
    counts = 1 + random.negative_binomial(shape, shape / (shape + mean), orders.count)
    of_order = np.repeat(np.arange(orders.count), counts)
    days = (orders.seconds - plan.clock.first_second) // SECONDS_A_DAY
    borders = _department_borders(plan, customers.tastes[orders.buyers], days)
    products = _products(random, plan, borders, of_order)
    list_cents = plan.catalogue.list_cents[products, price_period(days)[of_order]]
    prices = _prices(random, customers.types[orders.buyers][of_order], list_cents)
    units = _units(random, plan, customers, orders.buyers[of_order])
    line_numbers = np.arange(len(of_order)) - (np.cumsum(counts) - counts)[of_order] + 1
    goods = replace(
        _single_units(customers, orders, of_order, Kind.SALE),
        line_numbers=line_numbers.astype(np.int32),
        products=products,
        units=units.astype(np.int32),
        price_cents=prices,
        discount_cents=(list_cents - prices) * units,
    )
    return together([goods, *_fees(random, plan, customers, orders, counts)])


def _department_borders(plan: Plan, tastes: Floats, days: Ints) -> Floats:
    """Cumulative taste of each order's customer, each department by its season."""
    # The day after the history is of the month of its last one, which is near enough.
    months = plan.clock.months[np.minimum(days, len(plan.clock.months) - 1)]
    return np.cumsum(tastes * plan.catalogue.seasons[months], axis=1)


def _products(
    random: np.random.Generator, plan: Plan, borders: Floats, of_order: Ints
) -> NDArray[np.int32]:
    """A department by the order's taste, then a product by its popularity there."""
    drawn = random.random(len(of_order)) * borders[of_order, -1]
    departments = np.zeros(len(of_order), dtype=np.int64)
    for department in range(len(DEPARTMENTS) - 1):
        departments += drawn >= borders[of_order, department]
    bits = random.integers(0, _TABLE_BITS, len(of_order), dtype=np.uint16)
    return plan.catalogue.popular[departments, bits]


def _prices(random: np.random.Generator, types: Ints, list_cents: Ints) -> Ints:
    """Prices after discount, rounded half up to whole cents."""
    is_discounted = random.random(len(types)) < np.array(DISCOUNT_RATIOS)[types]
    percents = _DISCOUNT_PERCENTS[random.integers(0, len(_DISCOUNT_PERCENTS), len(types))]
    return np.asarray((list_cents * (100 - percents * is_discounted) + 50) // 100)


def _units(random: np.random.Generator, plan: Plan, customers: Customers, buyers: Ints) -> Ints:
    """One and a Poisson number, on average `whale factor * (1 + extra * spend multiplier)`."""
    extra = plan.process.extra_units_mean * customers.spend_multipliers
    means = customers.whale_factors * (1 + extra) - 1
    return 1 + random.poisson(means[buyers])


def _fees(
    random: np.random.Generator, plan: Plan, customers: Customers, orders: Orders, counts: Ints
) -> list[Lines]:
    """A line of postage for some online orders, and one of gift wrap for a few of all."""
    pays = random.random(orders.count) < plan.process.online_postage_ratio
    has_postage = (orders.stores >= WEB) & pays
    has_wrap = random.random(orders.count) < plan.process.gift_wrap_ratio
    found = []
    for product, kind, has, lines_before in (
        (POSTAGE, Kind.POSTAGE, has_postage, counts),
        (GIFT_WRAP, Kind.FEE, has_wrap, counts + has_postage),
    ):
        lines = _single_units(customers, orders, np.flatnonzero(has), kind)
        found.append(
            replace(
                lines,
                line_numbers=(lines_before[has] + 1).astype(np.int32),
                products=np.full(lines.count, product, dtype=np.int32),
                price_cents=np.full(lines.count, FEE_CENTS[product]),
            )
        )
    return found


def _single_units(customers: Customers, orders: Orders, of_order: Ints, kind: Kind) -> Lines:
    """A clean line of one unit for each order named, without a product and a price yet."""
    known = np.where(orders.is_guest, NOBODY, customers.numbers[orders.buyers])
    countries = customers.countries[orders.buyers].astype(np.int8)
    nothing = np.zeros(len(of_order), dtype=np.int64)
    ones = np.ones(len(of_order), dtype=np.int32)
    return Lines(
        seconds=orders.seconds[of_order],
        customers=known[of_order],
        orders=orders.first_number + of_order,
        kinds=np.full(len(of_order), kind, dtype=np.int8),
        line_numbers=ones,
        products=np.full(len(of_order), MISSING, dtype=np.int32),
        units=ones,
        price_cents=nothing,
        discount_cents=nothing,
        countries=countries[of_order],
        stores=orders.stores.astype(np.int8)[of_order],
        defects=np.full(len(of_order), Defect.NONE, dtype=np.int8),
        is_matched=np.zeros(len(of_order), dtype=np.bool_),
    )
