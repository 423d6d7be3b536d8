"""Windows and buying habits as of a day, against plain loops over the lines known on that day."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from segspark.features.customers import customer_summaries
from segspark.features.ledger import customer_days
from segspark.features.lines import ledger_lines
from segspark.settings.features import FeatureSettings, LedgerSettings
from segspark.tables.purchases import CUSTOMER_DAYS
from tests.builders import table
from tests.day_sums import day_sums, habits, window
from tests.histories import START, known_lines, random_histories, transactions
from tests.histories import day as date_of
from tests.ledger_rows import ledger_row

WINDOWS = (1, 10, 45)
# Apart by some days, so that gaps, months and windows differ.
HISTORIES = [replace(line, day=line.day * 6) for line in random_histories(60, seed=5)]


@pytest.fixture(scope="module")
def ledger(spark: SparkSession) -> DataFrame:
    """The ledger of all random histories, computed once, with everything that comes later."""
    lines = ledger_lines(transactions(spark, HISTORIES), settings=LedgerSettings())
    days = customer_days(lines, ledger_id="ledger-1")
    return spark.createDataFrame(days.collect(), CUSTOMER_DAYS.schema)


def summaries(ledger: DataFrame, *, as_of: int, **settings: object) -> dict[str, dict[str, Any]]:
    made = customer_summaries(
        ledger, settings=FeatureSettings.model_validate(settings), as_of=date_of(as_of)
    )
    return {row["customer_id"]: row.asDict() for row in made.collect()}


def ledger_of(spark: SparkSession, *days: tuple[int, int, int]) -> DataFrame:
    """One customer's ledger: day, gross and discount of one order each."""
    rows = [
        ledger_row(
            "7",
            date_of(at),
            date_of(at),
            order_count=1,
            line_count=1,
            quantity_units=Decimal(1),
            gross_amount=Decimal(gross),
            discount_amount=Decimal(discount),
        )
        for at, gross, discount in days
    ]
    return table(spark, CUSTOMER_DAYS.schema, *rows)


def approximately(values: dict[str, float | None]) -> dict[str, object]:
    return {
        name: value if value is None else pytest.approx(value, rel=1e-12, abs=1e-12)
        for name, value in values.items()
    }


@pytest.mark.parametrize("as_of", [30, 77, 120])
def test_windows_and_habits_are_those_of_the_lines_known_on_the_day(
    ledger: DataFrame, as_of: int
) -> None:
    known = known_lines(HISTORIES, as_of)

    found = summaries(ledger, as_of=as_of, windows_days=WINDOWS)

    assert found.keys() == known.keys()
    for who, lines in known.items():
        days = day_sums(lines, as_of)
        expected = habits(days, as_of=as_of)
        for length in WINDOWS:
            expected.update(window(days, as_of=as_of, length=length))
        row = {name: found[who][name] for name in expected}
        numbers = {n: float(v) if isinstance(v, Decimal) else v for n, v in row.items()}
        assert numbers == approximately(expected), who
    assert {0, 1, None} <= {row["longer_gap_ratio"] for row in found.values()}
    variations = [row["purchase_gap_variation_ratio"] for row in found.values()]
    assert None in variations
    assert max(filter(None, variations)) > 0


def test_the_observation_window_cuts_habits(spark: SparkSession) -> None:
    days = ledger_of(spark, (0, 1, 0), (40, 1, 0), (50, 1, 0), (54, 1, 0))

    (row,) = summaries(days, as_of=60, observation_days=21).values()

    assert (row["purchase_gap_mean_days"], row["purchase_gap_median_days"]) == (7.0, 7.0)
    assert row["active_months_count"] == 1
    assert row["purchase_gap_variation_ratio"] == pytest.approx(18**0.5 / 7)


def test_silence_is_told_in_the_customers_own_gaps(spark: SparkSession) -> None:
    days = ledger_of(spark, *((at, 1, 0) for at in (0, 2, 12, 18)))

    names = ("recency_gap_ratio", "longer_gap_ratio")
    found = {
        as_of: [row[name] for name in names]
        for as_of in (18, 24, 30)
        for row in summaries(days, as_of=as_of).values()
    }

    assert found == {18: [0.0, 1.0], 24: [1.0, pytest.approx(1 / 3)], 30: [2.0, 0.0]}


def test_a_discount_is_a_share_of_the_list_price(spark: SparkSession) -> None:
    (row,) = summaries(ledger_of(spark, (1, 30, 10), (2, 50, 10)), as_of=3).values()

    assert row["discount_ratio"] == 0.2


def test_one_purchase_day_has_no_gap_and_one_gap_no_variation(spark: SparkSession) -> None:
    (once,) = summaries(ledger_of(spark, (1, 30, 0)), as_of=3).values()
    (twice,) = summaries(ledger_of(spark, (1, 30, 0), (9, 1, 0)), as_of=9).values()

    assert [once[f"purchase_gap_{name}"] for name in ("mean_days", "median_days")] == [None, None]
    assert (twice["purchase_gap_mean_days"], twice["purchase_gap_median_days"]) == (8.0, 8.0)
    assert twice["purchase_gap_variation_ratio"] is None


def test_months_of_different_years_are_different(spark: SparkSession) -> None:
    (row,) = summaries(ledger_of(spark, (0, 1, 0), (365, 1, 0)), as_of=365).values()

    assert START + timedelta(days=365) == START.replace(year=2012)
    assert row["active_months_count"] == 2


def test_the_middle_gaps_of_an_even_number_are_halved(spark: SparkSession) -> None:
    days = ledger_of(spark, *((at, 1, 0) for at in (0, 1, 3, 8, 98)))

    (row,) = summaries(days, as_of=99).values()

    assert row["purchase_gap_median_days"] == 3.5


def test_windows_of_a_customer_without_a_purchase_hold_zeros_and_no_averages(
    ledger: DataFrame,
) -> None:
    rows = summaries(ledger, as_of=77, windows_days=WINDOWS).values()
    excluded = [row for row in rows if row["exclusion_reason"] is not None]

    assert excluded
    for row in excluded:
        assert (row["order_45_days_count"], row["purchase_45_days_count"]) == (0, 0)
        assert row["average_order_45_days_amount"] is None
        assert row["active_months_count"] is None


def test_habits_do_not_depend_on_partitioning(ledger: DataFrame) -> None:
    shuffled = ledger.repartition(7, F.xxhash64("purchase_date"))

    assert summaries(shuffled, as_of=120) == summaries(ledger.coalesce(1), as_of=120)
