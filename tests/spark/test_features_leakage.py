"""What happens after the as-of date changes nothing of that date's snapshot."""

from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession

from segspark.features.customers import customer_summaries, with_scores
from segspark.features.ledger import customer_days
from segspark.features.lines import ledger_lines
from segspark.features.scores import score_cuts
from segspark.settings.features import FeatureSettings, LedgerSettings
from segspark.tables.purchases import CUSTOMER_DAYS
from tests.histories import Line, day, drawn_histories, transactions

_DAYS = st.integers(0, 3)
_CUSTOM = {
    "name": "own_ratio",
    "unit": "ratio",
    "description": "Share of the last day.",
    "expression": "spend_1_days_amount / nullif(monetary_amount, 0)",
}


def ledger_of(spark: SparkSession, lines: list[Line]) -> DataFrame:
    """Computed once, though a snapshot reads it twice."""
    own = ledger_lines(transactions(spark, lines), settings=LedgerSettings())
    made = customer_days(own, ledger_id="ledger-1")
    return spark.createDataFrame(made.collect(), CUSTOMER_DAYS.schema)


def snapshot(ledger: DataFrame, *, as_of: int, monetary: str) -> set[tuple[Any, ...]]:
    document = {"windows_days": [1, 2], "custom": [_CUSTOM], "monetary": monetary}
    chosen = FeatureSettings.model_validate(document)
    summaries = customer_summaries(ledger, settings=chosen, as_of=day(as_of))
    made = with_scores(
        summaries,
        settings=chosen,
        cuts=score_cuts(summaries, settings=chosen),
        as_of=day(as_of),
        snapshot_id="snapshot-1",
    )
    return {tuple(row) for row in made.collect()}


# Not shrunk: each step is some Spark queries.
@settings(max_examples=3, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(lines=drawn_histories(customers=40), as_of=_DAYS, monetary=st.sampled_from(["net", "gross"]))
def test_lines_after_the_date_change_nothing_of_its_snapshot(
    spark: SparkSession, lines: list[Line], as_of: int, monetary: str
) -> None:
    everything = ledger_of(spark, lines)
    until_then = ledger_of(spark, [line for line in lines if line.day <= as_of])

    assert snapshot(everything, as_of=as_of, monetary=monetary) == snapshot(
        until_then, as_of=as_of, monetary=monetary
    )
