"""`truth.json`: the parameters, and what was written, counted exactly."""

import json
from dataclasses import asdict
from typing import Any

from scripts.synthetic.counts import MOST_REPEATS, Counts, nested
from scripts.synthetic.plan import Plan
from scripts.synthetic.process import expected_alive_ratio


def truth_text(plan: Plan, history: Counts, increment: Counts) -> str:
    """All that is true of the data, as JSON.

    Args:
        plan: The parameters.
        history: Counts of all cells.
        increment: Counts of the increment; empty where there is none.
    """
    request, process = plan.request, plan.process
    document: dict[str, Any] = {
        "request": {**asdict(request), "first_day": request.first_day.isoformat()},
        "pareto_nbd": {
            "r": process.rate_shape,
            "alpha": plan.rate_scale_days,
            "s": process.dropout_shape,
            "beta": process.dropout_scale_days,
            "time_unit": "day of the shop's clock, see day_weights",
            "expected_repeat_orders_per_customer": plan.repeat_orders,
            "expected_alive_at_end_ratio": expected_alive_ratio(process, plan.clock),
        },
        "process": asdict(process),
        "history": {**nested(history), "ingest": _ingest(history)},
        "most_repeat_orders_counted": MOST_REPEATS,
        "increment": {**nested(increment), "ingest": _ingest(increment)} if increment else None,
        "day_weights": [round(float(weight), 6) for weight in plan.clock.weights],
    }
    return json.dumps(document, indent=1) + "\n"


def _ingest(counts: Counts) -> dict[str, int]:
    """What the books of an ingest under `source.yml` should say; money in cents."""
    defects = {keys[1]: count for keys, count in counts.items() if _is(keys, "lines")}
    money = {keys[1]: count for keys, count in counts.items() if _is(keys, "amount_cents")}
    kept, kept_cents = counts["clean", "all", "lines"], counts["clean", "all", "amount_cents"]
    return {
        "rows": kept + sum(defects.values()),
        "kept_rows": kept,
        "duplicate_rows": defects["exact_copy"],
        "refused_rows": sum(defects.values()) - defects["exact_copy"],
        "amount_cents": kept_cents + sum(money.values()),
        "kept_amount_cents": kept_cents,
        "duplicate_amount_cents": money["exact_copy"],
        "refused_amount_cents": sum(money.values()) - money["exact_copy"],
    }


def _is(keys: tuple[str, ...], figure: str) -> bool:
    return keys[0] == "defects" and keys[-1] == figure
