"""A shop of four customers for the page docs/behaviour.md, and what its queries give there."""

from collections.abc import Mapping
from datetime import date
from math import log
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession
from scipy.stats import beta

from segspark.pipeline.stage import Workspace
from tests.purchases import csv_file, source_document, workspace

AS_OF = date(2025, 12, 31)
_FIRST = "2025-01-10"
ORDERS = (
    *(("always", f"2025-12-0{day}", "mug") for day in (1, 2, 3, 4)),
    ("always", _FIRST, "mug"),
    *(("often", f"2025-12-0{day}", "pan") for day in (1, 2, 3, 4)),
    ("often", "2025-06-01", "mug"),
    ("often", _FIRST, "pan"),
    # One order in December after a first one in November may be chance.
    ("seldom", "2025-11-01", "pan"),
    ("seldom", "2025-12-01", "pan"),
    ("easter", _FIRST, "pan"),
    ("easter", "2025-04-18", "pan"),
)
EVENTS = (
    ("always", "2025-12-31", "redemption"),
    ("always", "2025-12-01", "redemption"),
    ("always", "2025-11-01", "visit"),
    ("often", "2025-12-31", "email_open"),
    ("often", "2025-12-31", "call"),
    ("seldom", "2025-12-31", "complaint"),
    ("always", "2026-01-01", "redemption"),
)
SEGMENTS = {"always": "s1", "often": "s1", "seldom": "s1", "easter": "s2"}
_PRODUCTS = ("mug,kitchen,drinking", "pan,kitchen,cooking", "mat,bath,floors")
_PEOPLE = ("always,high", "often,low", "seldom,low")

_LATER_DAYS = {"christmas": 24, "easter": 4, "": 327}
"""Days of each level from the day after the first purchase to the as-of date."""


def _strength(**orders: int) -> float:
    """Of later orders by level, as the page defines it; `other` are those of no period."""
    counts = {"christmas": 0, "easter": 0, **orders}
    counts[""] = counts.pop("other", 0)
    total, days = sum(counts.values()), sum(_LATER_DAYS.values())
    likelihood_ratio = 2 * sum(
        count * log(count * days / (total * _LATER_DAYS[level]))
        for level, count in counts.items()
        if count
    )
    highest = 2 * total * log(days / min(_LATER_DAYS.values()))
    return (likelihood_ratio - (len(_LATER_DAYS) - 1)) / highest


def _confidence(favourite: int, rival: int, *, shares: tuple[int, int]) -> float:
    """That the first of two categories is ahead; `shares` are all customers' orders of them."""
    prior = [10 * share / sum(shares) for share in shares]
    return float(beta.sf(0.5, favourite + prior[0], rival + prior[1]))


_MUGS = sum(product == "mug" for _, _, product in ORDERS)
_PANS = len(ORDERS) - _MUGS
_COOKS = [_confidence(*orders, shares=(_PANS, _MUGS)) for orders in ((5, 1), (2, 0), (2, 0))]

ROWS: Mapping[str, list[tuple[Any, ...]]] = {
    "Seasons": [
        ("always", 4 / 5, _strength(christmas=4)),
        ("often", 4 / 6, _strength(christmas=4, other=1)),
    ],
    "Categories": [
        ("cooking", 3, sum(_COOKS) / 3),
        ("drinking", 1, _confidence(5, 0, shares=(_MUGS, _PANS))),
    ],
    "Attributes": [("high", "s1", 1), ("low", "s1", 2), ("missing", "s2", 1)],
    "Events and engagement": [
        ("always", 3 + 1.5 + 0.25, 4.5, 1),
        ("often", 0.5, None, None),
        ("easter", 0.0, None, None),
        ("seldom", -2.0, None, None),
    ],
}
"""Section of the page → the rows of its query."""


def shop(spark: SparkSession, folder: Path, features: Mapping[str, Any]) -> Workspace:
    """A lake that has not taken in its four sources yet."""
    lines = [f"{who},{day} 10:00:00,{n},{what},1,5" for n, (who, day, what) in enumerate(ORDERS)]
    events = [f"{who},{day} 10:00:00,{kind}" for who, day, kind in EVENTS]
    people = csv_file(folder / "people.csv", *_PEOPLE, header="who,income")
    products = csv_file(folder / "products.csv", *_PRODUCTS, header="what,department,group")
    done = csv_file(folder / "events.csv", *events, header="who,at,kind")
    sources = {
        "shop": source_document(csv_file(folder / "lines.csv", *lines)),
        "people": _described("customers", people, customer_id="who", attributes=["income"]),
        "products": _described(
            "products", products, product_id="what", category_levels=["department", "group"]
        ),
        "events": _described("events", done, customer_id="who", event_at="at", event_type="kind"),
    }
    return workspace(spark, folder / "lake", sources, features={**features, "attributes": {}})


def _described(entity: str, file: Path, **columns: object) -> dict[str, object]:
    return {
        "entity": entity,
        "location": str(file),
        "format": {"kind": "csv"},
        "columns": columns,
    }
