"""Drawn events of customers, and rows of them for Spark."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from pyspark.sql import DataFrame, SparkSession

START = date(2011, 1, 1)
_SCHEMA = (
    "batch_id string, line_id string, customer_id string, event_type string, event_date date, "
    "quantity_units decimal(18,4), copies_count bigint"
)


@dataclass(frozen=True)
class Event:
    """One event; `day` counts from `START`."""

    customer: str | None
    kind: str
    day: int
    units: Decimal | None = None
    copies: int = 1
    batch: str = "b1"

    @property
    def date(self) -> date:
        """The calendar day."""
        return START + timedelta(days=self.day)


def random_events(customers: int, *, seed: int, batches: Sequence[str] = ("b1",)) -> list[Event]:
    """Up to twelve events of each customer over 90 days; some without a customer or a number."""
    random = Random(seed)  # noqa: S311 - the same every time
    return [
        Event(
            None if random.random() < 0.05 else f"c{number}",
            random.choice(("visit", "visit", "email", "redemption")),
            random.choice((random.randint(0, 9), random.randint(0, 90))),
            random.choice((None, Decimal(random.randint(0, 99)) / 4)),
            random.choice((1, 1, 1, 3)),
            random.choice(list(batches)),
        )
        for number in range(customers)
        for _ in range(random.randint(0, 12))
    ]


def event_rows(spark: SparkSession, events: Sequence[Event]) -> DataFrame:
    """The events as the columns of `customer_events` that a ledger is made of, and their ids."""
    rows = [
        (e.batch, f"line {n:05d}", e.customer, e.kind, e.date, e.units, e.copies)
        for n, e in enumerate(events)
    ]
    return spark.createDataFrame(rows, _SCHEMA)
