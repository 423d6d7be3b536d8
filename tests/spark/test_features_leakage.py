"""What happens after the as-of date changes nothing of that date's snapshot."""

from dataclasses import replace
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, Row, SparkSession

from segspark.features.customers import customer_summaries, with_scores
from segspark.features.ledger import customer_days
from segspark.features.lines import ledger_lines
from segspark.features.scores import score_cuts
from segspark.settings.features import FeatureSettings, LedgerSettings
from segspark.tables.purchases import CUSTOMER_DAYS
from tests.examples import MANY, examples
from tests.histories import Line, apart, day, drawn_histories, transactions

_DAYS = st.integers(0, 3)
_CUSTOM = {
    "name": "own_ratio",
    "unit": "ratio",
    "description": "Share of the last day.",
    "expression": "spend_1_days_amount / nullif(monetary_amount, 0)",
}


def ledgers_of(spark: SparkSession, histories: dict[str, list[Line]]) -> dict[str, DataFrame]:
    """The ledger of each history, all of them in one query, which is run once."""
    lines = apart({name: _of_batch(name, history) for name, history in histories.items()})
    own = ledger_lines(transactions(spark, lines), settings=LedgerSettings())
    rows = customer_days(own, ledger_id="ledger-1").collect()
    return {
        name: spark.createDataFrame(
            [_with_customer_of(row, name) for row in rows if row["customer_id"].startswith(name)],
            CUSTOMER_DAYS.schema,
        )
        for name in histories
    }


def _of_batch(name: str, history: list[Line]) -> list[Line]:
    """The lines as those of a batch, so that no two histories have a line in common."""
    return [replace(line, batch=name) for line in history]


def _with_customer_of(row: Row, name: str) -> Row:
    """The row with the id that its customer has in the history."""
    return Row(**{**row.asDict(), "customer_id": row["customer_id"].removeprefix(f"{name}: ")})


def snapshot(ledger: DataFrame, *, as_of: int, monetary: str) -> set[tuple[Any, ...]]:
    document = {"windows_days": [1, 2], "custom": [_CUSTOM], "monetary": monetary}
    chosen = FeatureSettings.model_validate(document)
    summaries = customer_summaries(ledger, settings=chosen, as_of=day(as_of)).persist()
    made = with_scores(
        summaries,
        settings=chosen,
        cuts=score_cuts(summaries, settings=chosen),
        as_of=day(as_of),
        snapshot_id="snapshot-1",
    )
    return {tuple(row) for row in made.collect()}


@settings(
    max_examples=examples(2),
    deadline=None,
    derandomize=MANY is None,
    database=None,
    # Not shrunk: each step is some Spark queries.
    phases=(Phase.explicit, Phase.generate),
)
@given(lines=drawn_histories(customers=40), as_of=_DAYS, monetary=st.sampled_from(["net", "gross"]))
def test_lines_after_the_date_change_nothing_of_its_snapshot(
    spark: SparkSession, lines: list[Line], as_of: int, monetary: str
) -> None:
    until_then = [line for line in lines if line.day <= as_of]
    found = ledgers_of(spark, {"everything": lines, "until then": until_then})

    assert snapshot(found["everything"], as_of=as_of, monetary=monetary) == snapshot(
        found["until then"], as_of=as_of, monetary=monetary
    )
