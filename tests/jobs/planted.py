"""Purchases of three kinds of customers, made up, and the smallest settings that find them."""

import csv
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

from segspark.settings.root import Settings

AS_OF = date(2024, 2, 29)
LATER = date(2024, 3, 7)
"""A week in which the regulars went on buying."""
GROUP_SIZE = 25
KINDS = ("regular", "lapsed", "grand")
ONLY_CANCELLED = "x1"
PACE = {
    "name": "spend_per_day_amount",
    "unit": "money per day",
    "description": "Spend per day since the first purchase.",
    "expression": "monetary_amount / (tenure_days + 1)",
}
COLUMNS = ("customer", "receipt", "at", "product", "units", "price")
_START = date(2024, 1, 1)

Line = tuple[str, str, str, str, str, str]


def kind_of(customer_id: str) -> str:
    """The planted group, which the first letter of the id tells."""
    return next(kind for kind in KINDS if kind[0] == customer_id[0])


def write_purchases(path: Path) -> Path:
    """Write two months and a week of lines as CSV, the same bytes each time.

    Regulars buy every few days for a little, the lapsed twice in early January, the grand three
    times for a lot. Beside them: a guest, a customer with nothing but a cancellation, a copy of
    a line and a line without a date.
    """
    lines = [line for kind in KINDS for n in range(GROUP_SIZE) for line in _lines(kind, n)]
    lines += [
        ("", "guest-1", "2024-01-05 10:00:00", "p1", "1", "9.50"),
        (ONLY_CANCELLED, "x1-1", "2024-01-06 10:00:00", "p1", "-1", "9.50"),
        ("lapsed", "bad-1", "some day", "p1", "1", "9.50"),
        lines[0],
    ]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *lines])
    return path


def settings(lake: Path, purchases: Path, **changes: Any) -> Settings:  # noqa: ANN401 - of any section
    """Settings of one small segmentation; `changes` replace whole sections."""
    document: dict[str, Any] = {
        "lake": {"location": str(lake)},
        "tracking": {"location": ""},
        "spark": {"master": "local[2]", "driver_memory": "1g", "shuffle_partitions": 2},
        "sources": {"shop": _source(purchases)},
        "features": {"custom": [PACE]},
        "training": trained(),
        # Groups this tight leave hardly a quartile's distance, so many customers are far out.
        "audit": {"most_outlier_ratio": 0.5},
    }
    return Settings.model_validate(document | changes)


def trained(**sweep: Any) -> dict[str, Any]:  # noqa: ANN401 - of any key
    """The training section: two candidates, or what `sweep` says."""
    few = {"algorithms": ["kmeans"], "most_segments": 4, "kmeans_restarts": 1}
    return {
        "sweep": {**few, "most_iterations": 10, **sweep},
        "selection": {"structureless_draws": 2, "structureless_customers": 50},
    }


def _source(purchases: Path) -> dict[str, Any]:
    customer_id, order_id, at, product_id, units, price = COLUMNS
    columns = {
        "customer_id": customer_id,
        "order_id": order_id,
        "transaction_at": at,
        "product_id": product_id,
        "quantity": units,
        "unit_price": price,
    }
    return {
        "location": str(purchases),
        "format": {"kind": "csv"},
        "currency": "EUR",
        "timestamp_format": "yyyy-MM-dd HH:mm:ss",
        "columns": columns,
    }


def _lines(kind: str, number: int) -> list[Line]:
    luck = Random(f"{kind} {number}")  # noqa: S311 - the same each time
    customer = f"{kind[0]}{number:02}"
    days, low, high = {
        "regular": (range(luck.randrange(4), 67, 4), 10, 14),
        "lapsed": ([luck.randrange(3), 4 + luck.randrange(5)], 20, 30),
        "grand": (
            [10 + luck.randrange(3), 30 + luck.randrange(3), 40 + luck.randrange(5)],
            250,
            350,
        ),
    }[kind]
    return [
        (
            customer,
            f"{customer}-{order}",
            f"{_START + timedelta(days=day)} {8 + order % 10:02}:00:00",
            f"p{luck.randrange(5)}",
            str(1 + luck.randrange(2)),
            f"{low + luck.random() * (high - low):.2f}",
        )
        for order, day in enumerate(days)
    ]
