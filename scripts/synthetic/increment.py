"""A further day: lines of customers who are alive, some new ones, and returns from the history."""

from dataclasses import replace

import numpy as np

from scripts.synthetic.baskets import draw_lines
from scripts.synthetic.cell import Cell, draw_cell
from scripts.synthetic.clock import SECONDS_A_DAY, seconds_of_day
from scripts.synthetic.customers import Customers, draw_customers
from scripts.synthetic.defects import with_defects
from scripts.synthetic.lines import Lines, in_time, picked, together
from scripts.synthetic.orders import ORDER_NUMBERS_A_CELL, draw_orders_of_next_day
from scripts.synthetic.plan import Plan, Stream, random_of
from scripts.synthetic.reversals import returned

_NEW_CUSTOMER_RATIO = 0.05
"""Share of the day's lines that come from customers who order for the first time."""
_LINES_A_CELL = 400
"""Of so many lines of the day each comes from another cell, so that all of the history is met."""
_MOST_DAYS_TO_RETURN = 30


def increment_lines(plan: Plan) -> Lines:
    """Draw the day after the history.

    Returns:
        As many clean lines as asked for, in the order of time, and spoilt copies in their share.
    """
    wanted = plan.request.increment_lines
    random = random_of(plan, 0, Stream.INCREMENT)
    new_count = round(_NEW_CUSTOMER_RATIO * wanted)
    cell_count = min(plan.cell_count, -(-wanted // _LINES_A_CELL))
    chosen = np.linspace(0, plan.cell_count - 1, cell_count).astype(np.int64)
    quotas = np.diff(np.linspace(0, wanted - new_count, cell_count + 1).round().astype(np.int64))
    parts = [_of_new_customers(random, plan, new_count)]
    for place, (number, quota) in enumerate(zip(chosen, quotas, strict=True)):
        cell, cell_of_orders = draw_cell(plan, int(number)), plan.cell_count + 1 + place
        returns = _returns(random, plan, cell, int(quota), cell_of_orders=cell_of_orders)
        sales = _sales(
            random, plan, cell.customers, int(quota) - returns.count, cell_of_orders=cell_of_orders
        )
        parts += [sales, returns]
    lines = in_time(together(parts))
    if plan.request.dirty_share == 0:
        return lines
    return with_defects(random, lines, share=plan.request.dirty_share)


def _of_new_customers(random: np.random.Generator, plan: Plan, count: int) -> Lines:
    # Every order has a line at least, so there are lines enough.
    customers = draw_customers(random, plan, plan.request.customers + np.arange(count))
    orders = draw_orders_of_next_day(
        random, plan, customers, buyers=np.arange(count), cell=plan.cell_count
    )
    return _some_orders(random, draw_lines(random, plan, customers, orders), count)


def _sales(
    random: np.random.Generator,
    plan: Plan,
    customers: Customers,
    count: int,
    *,
    cell_of_orders: int,
) -> Lines:
    """So many lines of customers who are alive, each by its rate."""
    is_alive = customers.dropped_out > plan.clock.starts[-1]
    # In a tiny cell nobody may be left: then anybody comes back.
    weights = customers.purchase_rates * is_alive if is_alive.any() else np.ones(customers.count)
    buyers = random.choice(customers.count, count, p=weights / weights.sum())
    orders = draw_orders_of_next_day(random, plan, customers, buyers=buyers, cell=cell_of_orders)
    return _some_orders(random, draw_lines(random, plan, customers, orders), count)


def _some_orders(random: np.random.Generator, lines: Lines, count: int) -> Lines:
    """So many lines, all of each order but the last one's; at any time of the day."""
    if count == 0:
        return picked(lines, np.arange(0))
    first = int(lines.orders.min())
    turns = random.permutation(int(lines.orders.max()) - first + 1)
    return picked(lines, np.argsort(turns[lines.orders - first], kind="stable")[:count])


def _returns(
    random: np.random.Generator, plan: Plan, cell: Cell, lines: int, *, cell_of_orders: int
) -> Lines:
    """Returns in their share of so many lines, of what was bought in the last weeks."""
    since = plan.clock.end_second - _MOST_DAYS_TO_RETURN * SECONDS_A_DAY
    recent = np.flatnonzero(cell.open_lines.seconds >= since)
    count = min(round(plan.process.returned_line_ratio * lines), len(recent))
    goods = picked(cell.open_lines, random.choice(recent, count, replace=False))
    seconds = plan.clock.end_second + seconds_of_day(plan.clock, random.random(count))
    first = cell_of_orders * ORDER_NUMBERS_A_CELL + ORDER_NUMBERS_A_CELL // 2
    returns = returned(random, plan, goods, seconds=seconds)
    return replace(returns, orders=first + np.arange(count))
