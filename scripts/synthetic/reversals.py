"""What is undone: whole orders that are cancelled, single lines that come back.

Each undoes lines of the history that nothing else undoes, so all of them can be matched; only a
return of a discontinued product matches nothing, as it was bought before the history.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from scripts.synthetic.clock import SECONDS_A_DAY
from scripts.synthetic.lines import NOBODY, Kind, Lines, picked, together
from scripts.synthetic.orders import ORDER_NUMBERS_A_CELL
from scripts.synthetic.plan import Plan

_SHORTEST_CANCELLATION_SECONDS, _LONGEST_CANCELLATION_SECONDS = 300, 36_000
_LONGEST_RETURN_DAYS = 60
Flags = NDArray[np.bool_]


def with_reversals(random: np.random.Generator, plan: Plan, lines: Lines) -> tuple[Lines, Flags]:
    """Cancel some orders and return some lines, as far as that happens within the history.

    Args:
        random: Draws them.
        plan: How many, and when the history ends.
        lines: Sales and fees of one cell.

    Returns:
        The lines with those of cancellations and returns behind them, and which of the lines
        given may still be returned.
    """
    is_cancelled, cancellations = _cancellations(random, plan, lines)
    is_open = (lines.kinds == Kind.SALE) & (lines.customers != NOBODY) & ~is_cancelled
    is_returned = is_open & (random.random(lines.count) < plan.process.returned_line_ratio)
    goods = picked(lines, is_returned)
    delays = random.exponential(plan.process.return_delay_mean_days, goods.count).astype(np.int64)
    days = 1 + np.minimum(delays, _LONGEST_RETURN_DAYS - 1)
    first = int(lines.orders.min()) // ORDER_NUMBERS_A_CELL * ORDER_NUMBERS_A_CELL
    returns = returned(random, plan, goods, seconds=goods.seconds + days * SECONDS_A_DAY)
    # Numbers behind those of the cell's orders, one for each return.
    returns = replace(returns, orders=first + ORDER_NUMBERS_A_CELL // 2 + np.arange(returns.count))
    returns = picked(returns, returns.seconds < plan.clock.end_second)
    return together([lines, cancellations, returns]), is_open & ~is_returned


def returned(
    random: np.random.Generator, plan: Plan, goods: Lines, *, seconds: NDArray[np.int64]
) -> Lines:
    """Sales → their returns at these seconds: some in part, some of what was never sold."""
    process = plan.process
    several = (goods.units > 1) & (random.random(goods.count) < process.partial_return_ratio)
    part = 1 + (random.random(goods.count) * (goods.units - 1)).astype(np.int32)
    is_unmatched = random.random(goods.count) < process.unmatched_return_ratio
    others = random.choice(plan.catalogue.discontinued, goods.count)
    return replace(
        goods,
        seconds=seconds,
        kinds=np.full(goods.count, Kind.RETURN, dtype=np.int8),
        line_numbers=np.ones(goods.count, dtype=np.int32),
        products=np.where(is_unmatched, others, goods.products),
        units=-np.where(several, np.minimum(part, goods.units - 1), goods.units).astype(np.int32),
        discount_cents=np.zeros(goods.count, dtype=np.int64),
        is_matched=~is_unmatched,
    )


def _cancellations(random: np.random.Generator, plan: Plan, lines: Lines) -> tuple[Flags, Lines]:
    """Which lines are of cancelled orders, and the lines that cancel them."""
    first = int(lines.orders.min())
    count = int(lines.orders.max()) - first + 1
    chosen = random.random(count) < plan.process.cancelled_order_ratio
    delays = random.integers(_SHORTEST_CANCELLATION_SECONDS, _LONGEST_CANCELLATION_SECONDS, count)
    of_order = lines.orders - first
    seconds = lines.seconds + delays[of_order]
    is_cancelled = chosen[of_order] & (seconds < plan.clock.end_second)
    sold = picked(lines, is_cancelled)
    return is_cancelled, replace(
        sold,
        seconds=seconds[is_cancelled],
        kinds=np.full(sold.count, Kind.CANCELLATION, dtype=np.int8),
        units=-sold.units,
        discount_cents=np.zeros(sold.count, dtype=np.int64),
        is_matched=sold.kinds == Kind.SALE,
    )
