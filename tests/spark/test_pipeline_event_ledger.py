"""A ledger of events that is kept up to date equals one that is worked out whole."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, Row, SparkSession

from segspark.errors import StageError
from segspark.features.events import customer_event_days
from segspark.pipeline import event_ledger, ledgers
from segspark.pipeline.event_ledger import build_event_ledger, read_event_days
from segspark.pipeline.stage import StageResult, Workspace
from segspark.settings.features import LedgerSettings
from segspark.tables.engagement import CUSTOMER_EVENT_DAYS
from segspark.tables.entities import CUSTOMER_EVENTS
from tests.builders import deliver
from tests.events import Event, event_rows, random_events
from tests.examples import examples
from tests.purchases import source_document, values, workspace

STEPS = (("b1", "b2"), ("b2", "b3"))
"""One batch goes while another comes; what stays has earlier events than both."""
FIRST_SEED = 11


@pytest.fixture
def work(spark: SparkSession, lake_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace whose ledger is never worked out whole but at first."""
    monkeypatch.setattr(ledgers, "_MOST_CHANGED_SHARE", 100.0)
    return workspace(spark, lake_folder, {"shop": source_document()})


def build(work: Workspace, batches: Sequence[str]) -> StageResult:
    return build_event_ledger(work, [Row(batch_id=name, kept_row_count=1) for name in batches])


def rows_of(df: DataFrame) -> list[tuple[Any, ...]]:
    return values(df, *(c.name for c in CUSTOMER_EVENT_DAYS.columns if c.name != "ledger_id"))


def worked_out_at_once(
    work: Workspace, events: Sequence[Event]
) -> dict[Sequence[str], list[tuple[Any, ...]]]:
    """What the table would hold at each step; steps have customers of their own in one query."""
    apart = [
        replace(event, customer=event.customer and f"{number}: {event.customer}")
        for number, step in enumerate(STEPS)
        for event in events
        if event.batch in step
    ]
    made = customer_event_days(
        event_rows(work.lake.spark, apart), settings=LedgerSettings(), ledger_id="any"
    )
    rows = [(*customer.split(": "), *rest) for customer, *rest in rows_of(made)]
    return {
        step: sorted((tuple(rest) for of, *rest in rows if of == str(number)), key=repr)
        for number, step in enumerate(STEPS)
    }


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + examples(1)))
def test_whatever_comes_or_goes_the_ledger_is_that_of_its_events(
    work: Workspace, seed: int
) -> None:
    events = [
        event if event.batch == "b2" else replace(event, day=event.day + 30)
        for event in random_events(30, seed=seed, batches=("b1", "b2", "b3"))
    ]
    deliver(work.lake, CUSTOMER_EVENTS, event_rows(work.lake.spark, events))
    whole = worked_out_at_once(work, events)
    for step in STEPS:
        build(work, step)
        assert rows_of(read_event_days(work.lake, work.settings)) == whole[step]
    assert build(work, STEPS[-1]).was_done


def test_a_ledger_that_is_not_as_many_events_as_came_is_refused(
    work: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_visits(events: DataFrame, **given: Any) -> DataFrame:  # noqa: ANN401
        return customer_event_days(events.filter("event_type <> 'visit'"), **given)

    monkeypatch.setattr(event_ledger, "customer_event_days", without_visits)
    events = random_events(30, seed=FIRST_SEED, batches=("b1", "b2", "b3"))
    deliver(work.lake, CUSTOMER_EVENTS, event_rows(work.lake.spark, events))
    of_customers = [event for event in events if event.customer and event.batch == "b1"]
    others = [event for event in of_customers if event.kind != "visit"]
    sentence = (
        f"event_count of customer_event_days is {len(others)} and that of the rows it is made of "
        f"{len(of_customers)}: run it again"
    )
    with pytest.raises(StageError, match=sentence):
        build(work, ("b1",))
