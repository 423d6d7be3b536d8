"""Events and engagement as of a day, against plain loops over the events known on that day."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from segspark.features.events import (
    customer_engagement,
    customer_event_days,
    customer_event_types,
)
from segspark.settings.behaviour import EngagementSettings
from segspark.settings.features import LedgerSettings
from segspark.tables.engagement import CUSTOMER_EVENT_DAYS
from tests.events import START, Event, event_rows, random_events

WINDOWS = (1, 7, 30)
EVENTS = random_events(40, seed=3)
WEIGHTS = {"email": 0.5, "redemption": 3.0, "complaint": -2.0}
CUSTOMERS = [f"c{number}" for number in range(40)]


@pytest.fixture(scope="module")
def days(spark: SparkSession) -> DataFrame:
    """All events by day, with everything that comes later."""
    made = customer_event_days(
        event_rows(spark, EVENTS), settings=LedgerSettings(), ledger_id="ledger-1"
    )
    return spark.createDataFrame(made.collect(), CUSTOMER_EVENT_DAYS.schema)


def types_of(days: DataFrame, as_of: int, **settings: object) -> DataFrame:
    return customer_event_types(
        days,
        settings=EngagementSettings.model_validate(settings),
        windows_days=WINDOWS,
        as_of=START + timedelta(days=as_of),
        snapshot_id="snapshot-1",
    )


def by_key(df: DataFrame, *keys: str) -> dict[tuple[Any, ...], dict[str, Any]]:
    rows = [row.asDict() for row in df.drop("snapshot_id", "ledger_id").collect()]
    return {tuple(row.pop(key) for key in keys): row for row in rows}


def units(events: Sequence[Event]) -> Decimal | None:
    known = [event.units for event in events if event.units is not None]
    return sum(known, Decimal(0)) if known else None


def told(events: Sequence[Event], as_of: int, *, weight: float, half_life: float) -> dict[str, Any]:
    """One customer's row of one type."""

    def inside(after: int, until: int = 0) -> list[Event]:
        return [event for event in events if until <= as_of - event.day < after]

    total = units(events)
    sums = {n: found for n in WINDOWS if (found := units(inside(n))) is not None}
    before = {n: len(inside(2 * n, n)) for n in WINDOWS}
    last = max(event.day for event in events)
    return {
        "first_event_date": START + timedelta(days=min(event.day for event in events)),
        "last_event_date": START + timedelta(days=last),
        "event_recency_days": as_of - last,
        "event_count": len(events),
        "event_days_count": len({event.day for event in events}),
        "quantity_units": total,
        "mean_quantity_units": None if total is None else pytest.approx(float(total) / len(events)),
        "window_event_counts": {n: len(inside(n)) for n in WINDOWS},
        "window_quantity_units": sums,
        "window_mean_quantity_units": {
            n: pytest.approx(float(found) / len(inside(n))) for n, found in sums.items()
        },
        "window_trend_ratios": {n: len(inside(n)) / before[n] for n in WINDOWS if before[n]},
        "engagement_score": pytest.approx(
            weight * sum(0.5 ** ((as_of - event.day) / half_life) for event in events)
        ),
    }


def known(as_of: int) -> Mapping[tuple[str, str], list[Event]]:
    found: dict[tuple[str, str], list[Event]] = defaultdict(list)
    for event in EVENTS:
        if event.customer is not None and event.day <= as_of:
            found[event.customer, event.kind].append(event)
    return found


@pytest.mark.parametrize("as_of", [0, 9, 45, 90])
def test_types_are_those_of_the_events_known_on_the_day_and_of_no_later_ones(
    days: DataFrame, as_of: int
) -> None:
    found = by_key(types_of(days, as_of, half_life_days=10), "customer_id", "event_type")
    assert found == {
        key: told(events, as_of, weight=1.0, half_life=10) for key, events in known(as_of).items()
    }


def test_weights_say_what_an_event_of_today_adds_and_types_without_one_add_nothing(
    days: DataFrame,
) -> None:
    found = by_key(types_of(days, 60, weights=WEIGHTS), "customer_id", "event_type")
    assert found == {
        key: told(events, 60, weight=WEIGHTS.get(key[1], 0.0), half_life=30)
        for key, events in known(60).items()
    }


def test_engagement_is_the_sum_of_its_parts_and_zero_without_an_event(
    spark: SparkSession, days: DataFrame
) -> None:
    customers = spark.createDataFrame(
        [(name,) for name in [*CUSTOMERS, "new"]], "customer_id string"
    )
    types = types_of(days, 45, weights=WEIGHTS)
    found = by_key(customer_engagement(types, customers, snapshot_id="snapshot-1"), "customer_id")
    parts = by_key(types, "customer_id", "event_type")
    assert found.keys() == {(name,) for name in [*CUSTOMERS, "new"]}
    for (name,), row in found.items():
        mine = {kind: part for (who, kind), part in parts.items() if who == name}
        days_ago = [part["event_recency_days"] for part in mine.values()]
        dates = [part["last_event_date"] for part in mine.values()]
        assert row == {
            "event_count": sum(part["event_count"] for part in mine.values()),
            "event_type_count": len(mine),
            "last_event_date": max(dates, default=None),
            "event_recency_days": min(days_ago, default=None),
            "engagement_score": pytest.approx(
                sum(part["engagement_score"] for part in mine.values())
            ),
            "engagement_parts": {k: part["engagement_score"] for k, part in mine.items()},
        }


@pytest.mark.parametrize("partitions", [1, 7])
def test_engagement_does_not_depend_on_partitioning(days: DataFrame, partitions: int) -> None:
    expected = by_key(types_of(days, 90), "customer_id", "event_type")
    shuffled = days.repartition(partitions, "event_date")
    assert by_key(types_of(shuffled, 90), "customer_id", "event_type") == expected


def test_copies_count_where_the_settings_say_so(spark: SparkSession) -> None:
    events = event_rows(
        spark,
        [
            Event("c", "visit", 1, Decimal(2), copies=3),
            Event("c", "visit", 1),
            Event(None, "visit", 1),
        ],
    )
    counts = {
        mode: customer_event_days(
            events,
            settings=LedgerSettings.model_validate({"exact_duplicates": mode}),
            ledger_id="l",
        ).collect()
        for mode in ("once", "all")
    }
    assert {
        mode: [(row["event_count"], row["quantity_units"]) for row in rows]
        for mode, rows in counts.items()
    } == {"once": [(2, Decimal(2))], "all": [(4, Decimal(6))]}
