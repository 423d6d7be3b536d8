"""One cell of customers with all that they did."""

from dataclasses import dataclass

from scripts.synthetic.baskets import draw_lines
from scripts.synthetic.customers import Customers, draw_customers
from scripts.synthetic.defects import with_defects
from scripts.synthetic.lines import Lines, in_time, picked
from scripts.synthetic.orders import Orders, draw_orders
from scripts.synthetic.plan import Plan, Stream, numbers_of, random_of
from scripts.synthetic.reversals import with_reversals


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell holds.

    Attributes:
        customers: Its customers.
        orders: Their orders, and those of guests like them.
        lines: All lines in the order of time, spoilt copies among them.
        open_lines: The sales of known customers that nothing has undone.
    """

    customers: Customers
    orders: Orders
    lines: Lines
    open_lines: Lines


def draw_cell(plan: Plan, number: int) -> Cell:
    """Draw a cell; the same number gives the same cell."""
    customers = draw_customers(
        random_of(plan, number, Stream.CUSTOMERS), plan, numbers_of(plan, number)
    )
    orders = draw_orders(random_of(plan, number, Stream.ORDERS), plan, customers, cell=number)
    random = random_of(plan, number, Stream.LINES)
    sold = draw_lines(random, plan, customers, orders)
    lines, is_open = with_reversals(random, plan, sold)
    lines = in_time(lines)
    if plan.request.dirty_share > 0:
        defects = random_of(plan, number, Stream.DEFECTS)
        lines = with_defects(defects, lines, share=plan.request.dirty_share)
    return Cell(customers, orders, lines, picked(sold, is_open))
