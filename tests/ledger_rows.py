"""Rows of `customer_days`, written by hand."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from pyspark.sql import types as T

from segspark.tables.purchases import CUSTOMER_DAYS

_KEYS = ("ledger_id", "customer_id", "purchase_date", "effective_date")


def ledger_row(
    customer_id: str, purchase_date: date, effective_date: date, **sums: object
) -> tuple[object, ...]:
    """A row with these sums; the others are zero."""
    keys = dict(zip(_KEYS, ("ledger-1", customer_id, purchase_date, effective_date), strict=True))
    zeros = {
        c.name: Decimal(0) if isinstance(c.dtype, T.DecimalType) else 0
        for c in CUSTOMER_DAYS.columns
    }
    return tuple({**zeros, **keys, **sums}.values())


@dataclass(frozen=True)
class Habits:
    """How drawn customers buy.

    Attributes:
        arrival_days: They come in one after the other within so many days.
        rate: Purchases a day, around which each has a rate of their own.
        drop_out: Share of them that stops each day.
    """

    arrival_days: int
    rate: float
    drop_out: float


def drawn_sales(
    customers: int, habits: Habits, *, seed: int, start: date, days: int
) -> list[tuple[str, date, int]]:
    """Customer, day and cents of purchases in so many days from the start."""
    luck = Random(seed)  # noqa: S311 - the same every time
    found = []
    for number in range(customers):
        rate, last = luck.gammavariate(1.0, habits.rate), luck.expovariate(habits.drop_out)
        day = age = luck.randrange(habits.arrival_days)
        while day < days and (day == age or day - age < last):
            found.append((f"c{number:03}", start + timedelta(days=day), luck.randrange(1, 9000)))
            day += 1 + int(luck.expovariate(rate + 0.001))
    return found
