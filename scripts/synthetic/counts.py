"""What was written, counted exactly: for `truth.json`."""

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scripts.synthetic.cell import Cell
from scripts.synthetic.clock import SECONDS_A_DAY
from scripts.synthetic.lines import NOBODY, Defect, Kind, Lines
from scripts.synthetic.plan import Plan

_DEFECTS = tuple(defect for defect in Defect if defect is not Defect.NONE)
MOST_REPEATS = 20
"""Customers with more repeat orders are counted with these."""
Counts = Counter[tuple[str, ...]]


def line_counts(lines: Lines) -> Counts:
    """Lines, units and money (cents) by kind of the clean lines, and by defect of the others."""
    clean = np.flatnonzero(lines.defects == Defect.NONE)
    kinds, amounts = lines.kinds[clean], lines.amount_cents
    figures: dict[str, NDArray[Any]] = {
        "lines": np.ones(len(clean), dtype=np.int64),
        "units": lines.units[clean],
        "amount_cents": amounts[clean],
        "discount_cents": lines.discount_cents[clean],
    }
    counts: Counts = Counter()
    for figure, values in figures.items():
        for kind, total in zip(Kind, _totals(kinds, len(Kind), values), strict=True):
            counts["clean", kind.name.lower(), figure] = total
        counts["clean", "all", figure] = int(values.sum())
    ones = np.ones(lines.count, dtype=np.int64)
    for figure, values in (("lines", ones), ("amount_cents", amounts)):
        totals = _totals(lines.defects, len(Defect), values)
        for defect in _DEFECTS:
            counts["defects", defect.name.lower(), figure] = totals[defect]
    known = lines.customers[clean] != NOBODY
    counts["clean", "guests", "lines"] = len(clean) - int(known.sum())
    is_unmatched = known & ~lines.is_matched[clean]
    for kind in (Kind.RETURN, Kind.CANCELLATION):
        place = ("clean", kind.name.lower(), "unmatched_lines")
        counts[place] = int((is_unmatched & (kinds == kind)).sum())
    return counts


def cell_counts(plan: Plan, cell: Cell) -> Counts:
    """Lines as in `line_counts`, orders and customers."""
    counts = line_counts(cell.lines)
    customers, orders = cell.customers, cell.orders
    known = ~orders.is_guest
    ordered = np.bincount(orders.buyers[known], minlength=customers.count)
    days = (orders.seconds[known] - plan.clock.first_second) // SECONDS_A_DAY
    pairs = np.unique(orders.buyers[known] * len(plan.clock.weights) + days)
    repeats = np.bincount(np.minimum(ordered - 1, MOST_REPEATS), minlength=MOST_REPEATS + 1)
    counts.update(
        {
            ("orders", "of_customers"): int(known.sum()),
            ("orders", "of_guests"): int(orders.is_guest.sum()),
            ("orders", "repeat"): int(known.sum()) - customers.count,
            ("orders", "repeat_days"): len(pairs) - customers.count,
            ("customers", "all"): customers.count,
            ("customers", "repeating"): int((ordered > 1).sum()),
            ("customers", "alive_at_end"): int(
                (customers.dropped_out > plan.clock.starts[-1]).sum()
            ),
            ("customers", "whales"): int((customers.whale_factors > 1).sum()),
        }
    )
    for repeat, count in enumerate(repeats):
        counts["customers_by_repeat_orders", str(repeat)] += int(count)
    return counts


def nested(counts: Counts) -> dict[str, Any]:
    """Counts by their keys as mappings within mappings."""
    document: dict[str, Any] = {}
    for keys, count in counts.items():
        place = document
        for key in keys[:-1]:
            place = place.setdefault(key, {})
        place[keys[-1]] = count
    return document


def _totals(groups: NDArray[np.int8], count: int, values: NDArray[Any]) -> list[int]:
    """Sums by group; exact, as those of a cell are far below 2^53."""
    sums = np.bincount(groups, weights=values, minlength=count)
    return [int(total) for total in sums]
