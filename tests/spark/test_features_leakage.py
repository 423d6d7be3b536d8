"""What happens after the as-of date changes nothing of the tables of that date's snapshot."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession

from segspark.features.attributes import told_by_lines
from segspark.features.categories import category_orders
from segspark.features.cohorts import customer_cohorts
from segspark.features.customers import customer_summaries, with_scores
from segspark.features.events import customer_event_days, customer_event_types
from segspark.features.ledger import customer_days
from segspark.features.lines import ledger_lines
from segspark.features.preferences import basket_products
from segspark.features.returns import return_matches
from segspark.features.scores import score_cuts
from segspark.features.seasons import customer_seasons
from segspark.settings.behaviour import EngagementSettings
from segspark.settings.features import FeatureSettings, LedgerSettings
from segspark.tables.purchases import CUSTOMER_DAYS
from tests.events import Event, event_rows, random_events
from tests.examples import MANY, examples
from tests.histories import Line, apart, day, drawn_histories, transactions
from tests.purchases import values

Rows = list[dict[str, Any]]
CUSTOMERS = 40
COUNTRIES = ("FR", "DE", None)
_CUSTOM = {
    "name": "own_ratio",
    "unit": "ratio",
    "description": "Share of the last day.",
    "expression": "spend_1_days_amount / nullif(monetary_amount, 0)",
}
_DRAWN = settings(
    # The first one drawn is always the least there is, a history without a line.
    max_examples=examples(2),
    deadline=None,
    derandomize=MANY is None,
    database=None,
    # Not shrunk: each step is some Spark queries.
    phases=(Phase.explicit, Phase.generate),
)


@dataclass(frozen=True)
class Snapshot:
    """What is asked for.

    Attributes:
        as_of: Number of its day.
        monetary: Net or gross.
    """

    as_of: int
    monetary: str

    @property
    def settings(self) -> FeatureSettings:
        document = {"windows_days": [1, 2], "custom": [_CUSTOM], "monetary": self.monetary}
        return FeatureSettings.model_validate(document)


def by_history(df: DataFrame, histories: Mapping[str, object]) -> dict[str, Rows]:
    """The rows of each history's customers, with the ids that these have there; run once."""
    rows = [row.asDict() for row in df.collect()]
    return {
        name: sorted(
            (
                {**row, "customer_id": row["customer_id"].removeprefix(f"{name}: ")}
                for row in rows
                if row["customer_id"].startswith(f"{name}: ")
            ),
            key=repr,
        )
        for name in histories
    }


def of_lines(
    spark: SparkSession, histories: Mapping[str, list[Line]], asked: Snapshot
) -> tuple[dict[str, Rows], list[dict[str, Rows]]]:
    """The ledger of each history, and what else is worked out from lines, by one query for all."""
    lines = apart({name: _as_batch(name, history) for name, history in histories.items()})
    rows, ledger_settings = transactions(spark, lines).persist(), LedgerSettings()
    own = ledger_lines(rows, settings=ledger_settings)
    matches = return_matches(own, ledger_id="ledger-1").persist()
    known: dict[str, Any] = {"settings": ledger_settings, "as_of": day(asked.as_of)}
    undoing = matches if asked.monetary == "net" else None
    found = (
        category_orders(rows, undoing, None, **known),
        basket_products(rows, **known),
        told_by_lines(rows, **known),
    )
    days = customer_days(own, ledger_id="ledger-1", matches=matches)
    return by_history(days, histories), [by_history(each, histories) for each in found]


def of_ledger(spark: SparkSession, rows: Rows, asked: Snapshot) -> list[list[tuple[Any, ...]]]:
    """The tables that are worked out from a ledger."""
    ledger = spark.createDataFrame([tuple(row.values()) for row in rows], CUSTOMER_DAYS.schema)
    known: dict[str, Any] = {"settings": asked.settings, "as_of": day(asked.as_of)}
    summaries = customer_summaries(ledger, **known, with_seasons=True).persist()
    cuts = score_cuts(summaries, settings=asked.settings)
    found = (
        with_scores(summaries, cuts=cuts, snapshot_id="snapshot-1", **known),
        customer_seasons(summaries, snapshot_id="snapshot-1"),
        customer_cohorts(ledger, snapshot_id="snapshot-1", **known),
    )
    return [values(each, *each.columns) for each in found]


def _as_batch(name: str, history: list[Line]) -> list[Line]:
    """The lines as those of a batch, so that no two histories have a line in common."""
    return [
        replace(line, batch=name, country=COUNTRIES[line.number % len(COUNTRIES)])
        for line in history
    ]


@pytest.mark.parametrize("monetary", ["net", "gross"])
@_DRAWN
@given(lines=drawn_histories(customers=CUSTOMERS), as_of=st.integers(0, 3))
def test_lines_after_the_date_change_nothing_of_its_snapshot(
    spark: SparkSession, lines: list[Line], as_of: int, monetary: str
) -> None:
    asked = Snapshot(as_of, monetary)
    until_then = [line for line in lines if line.day <= as_of]
    histories = {"everything": lines, "until then": until_then}

    ledgers, others = of_lines(spark, histories, asked)

    assert of_ledger(spark, ledgers["everything"], asked) == of_ledger(
        spark, ledgers["until then"], asked
    )
    for found in others:
        assert found["everything"] == found["until then"]


@_DRAWN
@given(seed=st.integers(0, 1000), as_of=st.integers(0, 90))
def test_events_after_the_date_change_nothing_of_its_snapshot(
    spark: SparkSession, seed: int, as_of: int
) -> None:
    events = [event for event in random_events(CUSTOMERS, seed=seed) if event.customer]
    until_then = [event for event in events if event.day <= as_of]
    histories = {"everything": events, "until then": until_then}
    rows = event_rows(spark, [_of(name, each) for name, mine in histories.items() for each in mine])

    types = customer_event_types(
        customer_event_days(rows, settings=LedgerSettings(), ledger_id="ledger-1"),
        settings=EngagementSettings(),
        windows_days=(1, 7, 30),
        as_of=day(as_of),
        snapshot_id="snapshot-1",
    )

    found = by_history(types, histories)
    assert found["everything"] == found["until then"]


def _of(name: str, event: Event) -> Event:
    return replace(event, customer=f"{name}: {event.customer}")
