"""Customer features as of a day, against plain loops over the lines known on that day."""

from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from segspark.errors import StageError
from segspark.features.customers import customer_summaries
from segspark.features.ledger import customer_days
from segspark.features.lines import ledger_lines
from segspark.settings.features import FeatureSettings, LedgerSettings
from segspark.tables.engine_errors import engine_sentences
from segspark.tables.purchases import CUSTOMER_DAYS
from tests.builders import table
from tests.histories import Line, day, known_lines, random_histories, summary, transactions
from tests.ledger_rows import ledger_row
from tests.purchases import values

HISTORIES = random_histories(80, seed=14)
NAMES = {
    "reason": "exclusion_reason",
    "net": "net_amount",
    "orders_7": "order_7_days_count",
    "spend_7": "spend_7_days_amount",
    "recency": "recency_days",
    "frequency": "frequency_count",
    "monetary": "monetary_amount",
    "x": "btyd_repeat_count",
    "t_x": "btyd_last_repeat_days",
    "T": "btyd_age_days",
    "repeat_mean": "btyd_repeat_mean_amount",
}


def days_of(spark: SparkSession, *lines: Line) -> DataFrame:
    own = ledger_lines(transactions(spark, lines), settings=LedgerSettings())
    return customer_days(own, ledger_id="ledger-1")


def features(
    spark: SparkSession, *lines: Line, as_of: int, **settings: object
) -> list[dict[str, Any]]:
    made = customer_summaries(
        days_of(spark, *lines),
        settings=FeatureSettings.model_validate(settings),
        as_of=day(as_of),
    )
    return [row.asDict() for row in made.orderBy("customer_id").collect()]


@pytest.fixture(scope="module")
def ledger(spark: SparkSession) -> DataFrame:
    """The ledger of all random histories, computed once, with everything that comes later."""
    rows = days_of(spark, *HISTORIES).collect()
    return spark.createDataFrame(rows, CUSTOMER_DAYS.schema)


@pytest.mark.parametrize("as_of", [3, 9, 14, 20])
def test_features_are_those_of_the_lines_known_on_the_day_and_of_no_later_ones(
    ledger: DataFrame, as_of: int
) -> None:
    known = known_lines(HISTORIES, as_of)
    expected = {who: summary(lines, as_of) for who, lines in known.items()}

    made = customer_summaries(ledger, settings=FeatureSettings(), as_of=day(as_of)).collect()

    found = {
        row["customer_id"]: {
            ours: round(row[theirs], 6) if isinstance(row[theirs], float) else row[theirs]
            for ours, theirs in NAMES.items()
            if ours in expected.get(row["customer_id"], NAMES)
        }
        for row in made
    }
    assert found == expected
    assert {row["exclusion_reason"] is None for row in made} == {True, False}


def test_an_undone_order_stops_counting_only_from_the_day_of_the_return(
    spark: SparkSession,
) -> None:
    lines = [Line("7", "A1", 1, day=1), Line("7", "A2", 2, day=4), Line("7", "R1", -3, day=6)]
    before = features(spark, *lines, as_of=5)[0]
    after = features(spark, *lines, as_of=6)[0]
    assert (before["recency_days"], before["frequency_count"], before["monetary_amount"]) == (
        1, 2, Decimal(30),
    )  # fmt: skip
    assert after["exclusion_reason"] == "every purchase was undone"
    assert after["recency_days"] is None
    assert after["net_amount"] == 0


def test_gross_ignores_returns(spark: SparkSession) -> None:
    lines = [Line("7", "A1", 1, day=1), Line("7", "R1", -1, day=2)]
    row = features(spark, *lines, as_of=9, monetary="gross")[0]
    assert (row["recency_days"], row["frequency_count"], row["monetary_amount"]) == (
        8, 1, Decimal(10),
    )  # fmt: skip
    assert (row["returned_amount"], row["net_amount"]) == (Decimal(10), Decimal(0))


def test_every_customer_is_there_with_values_or_with_a_reason(spark: SparkSession) -> None:
    rows = features(
        spark,
        Line("bought", "A1", 1, day=8),
        Line("bought long ago", "A2", 1, day=1),
        Line("only a fee", "A3", 1, day=8, kind="fee"),
        Line("only a return", "R4", -1, day=8),
        Line("undone", "A5", 1, day=8),
        Line("undone", "R5", -1, day=9),
        Line("not yet", "A6", 1, day=11),
        as_of=10,
        observation_days=5,
    )
    assert {row["customer_id"]: row["exclusion_reason"] for row in rows} == {
        "bought": None,
        "bought long ago": "no purchase in the observation window",
        "only a fee": "no purchase, only lines of other kinds",
        "only a return": "no purchase, only returns",
        "undone": "every purchase was undone",
    }
    for row in rows:
        assert (row["recency_days"] is None) == (row["exclusion_reason"] is not None)
        assert (row["btyd_age_days"] is None) == (row["exclusion_reason"] is not None)


def test_a_window_ends_on_the_day_and_holds_as_many_days_as_it_says(spark: SparkSession) -> None:
    edges = [Line("7", f"A{day}", 1, day=100 - day) for day in (0, 6, 7, 29, 30, 89, 90)]
    row = features(spark, *edges, as_of=100)[0]
    counts = [row[f"order_{days}_days_count"] for days in (7, 30, 90)]
    money = [row[f"spend_{days}_days_amount"] for days in (7, 30, 90)]
    assert counts == [2, 4, 6]
    assert money == [Decimal(20), Decimal(40), Decimal(60)]


def test_the_observation_window_cuts_rfm_but_neither_tenure_nor_lifetime(
    spark: SparkSession,
) -> None:
    lines = [Line("7", f"A{at}", 1, day=at) for at in (0, 6, 10)]
    row = features(spark, *lines, as_of=10, observation_days=5)[0]
    assert (row["frequency_count"], row["monetary_amount"]) == (2, Decimal(20))
    assert (row["tenure_days"], row["btyd_repeat_count"], row["btyd_age_days"]) == (10, 2, 10)
    assert features(spark, *lines, as_of=10, observation_days=4)[0]["frequency_count"] == 1


def test_averages_are_per_order(spark: SparkSession) -> None:
    lines = [
        Line("7", "A1", 3, day=1),
        Line("7", "A1", 1, day=1, product="cup"),
        Line("7", "A2", 2, day=5),
    ]
    row = features(spark, *lines, as_of=5)[0]
    assert row["recency_days"] == 0
    assert (row["average_order_amount"], row["average_basket_units"]) == (30.0, 3.0)
    assert (row["average_basket_lines"], row["btyd_day_mean_amount"]) == (1.5, 30.0)
    assert row["btyd_repeat_mean_amount"] == 20.0
    assert row["last_purchase_date"] - row["first_purchase_date"] == timedelta(days=4)


def test_features_do_not_depend_on_partitioning(spark: SparkSession, ledger: DataFrame) -> None:
    lines = transactions(spark, HISTORIES).orderBy(F.xxhash64("line_id")).repartition(7)
    own = ledger_lines(lines, settings=LedgerSettings())
    shuffled = customer_days(own, ledger_id="ledger-1")
    assert values(shuffled, *ledger.columns) == values(ledger, *ledger.columns)


def test_money_beyond_64_bits_is_told_in_one_sentence(spark: SparkSession) -> None:
    great = Decimal(90_000_000_000_000)
    row = partial(ledger_row, "7", order_count=1, gross_amount=great)
    ledger = table(spark, CUSTOMER_DAYS.schema, *(row(day(n), day(n)) for n in range(11)))
    made = customer_summaries(ledger, settings=FeatureSettings(), as_of=day(11))
    sentence = "^building: money or units of a customer add up to 920 trillion or more: correct"
    with pytest.raises(StageError, match=sentence), engine_sentences("building", error=StageError):
        made.collect()
