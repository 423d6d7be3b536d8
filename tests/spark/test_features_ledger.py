"""The ledger of customer days: additive, and any past day can be rebuilt from it."""

from collections import defaultdict
from decimal import Decimal

import pytest
from hypothesis import Phase, given
from hypothesis import settings as drawing
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from segspark.features.customers import customer_summaries
from segspark.features.ledger import counted_money, customer_days
from segspark.features.returns import return_matches
from segspark.settings.features import FeatureSettings, LedgerSettings
from segspark.settings.rules import LineKind
from tests.histories import (
    Line,
    Matching,
    Units,
    day,
    drawn_histories,
    random_histories,
    transactions,
)
from tests.purchases import values

DAYS = ("purchase_date", "effective_date")
in_either_order = pytest.mark.parametrize("matching", ["oldest", "nearest"])


def ledger(spark: SparkSession, *lines: Line, settings: LedgerSettings | None = None) -> DataFrame:
    return customer_days(
        transactions(spark, lines), settings=settings or LedgerSettings(), ledger_id="ledger-1"
    )


def test_a_matched_return_acts_on_the_purchases_day_from_its_own_on(spark: SparkSession) -> None:
    days = ledger(spark, Line("7", "A1", 3, day=1), Line("7", "R1", -2, day=5))
    assert values(days, *DAYS, "gross_amount", "returned_amount", "undone_order_count") == [
        (day(1), day(1), Decimal(30), Decimal(0), 0),
        (day(1), day(5), Decimal(0), Decimal(20), 0),
    ]


def test_what_a_return_asks_for_beyond_the_queue_stays_on_its_own_day(spark: SparkSession) -> None:
    days = ledger(spark, Line("7", "A1", 1, day=1), Line("7", "R1", -3, day=5))
    assert values(days, *DAYS, "returned_amount", "unmatched_returned_amount", "order_count") == [
        (day(1), day(1), Decimal(0), Decimal(0), 1),
        (day(1), day(5), Decimal(10), Decimal(0), 0),
        (day(5), day(5), Decimal(20), Decimal(20), 0),
    ]


def test_an_order_is_undone_on_the_day_of_its_last_unit(spark: SparkSession) -> None:
    days = ledger(
        spark, Line("7", "A1", 2, day=1), Line("7", "R1", -1, day=5), Line("7", "R2", -1, day=8)
    )
    assert values(days, "effective_date", "order_count", "undone_order_count") == [
        (day(1), 1, 0),
        (day(5), 0, 0),
        (day(8), 0, 1),
    ]


def test_a_line_added_to_an_undone_order_brings_it_back_from_that_day_on(
    spark: SparkSession,
) -> None:
    days = ledger(
        spark, Line("7", "A1", 1, day=1), Line("7", "R1", -1, day=2), Line("7", "A1", 1, day=3)
    )
    assert values(days, *DAYS, "undone_order_count") == [
        (day(1), day(1), 0),
        (day(1), day(2), 1),
        (day(1), day(3), -1),
    ]


def test_an_order_belongs_to_the_day_of_its_first_line(spark: SparkSession) -> None:
    days = ledger(spark, Line("7", "A1", 1, day=2), Line("7", "A1", 4, day=1))
    assert values(days, *DAYS, "order_count", "line_count", "quantity_units") == [
        (day(1), day(1), 1, 1, Decimal(4)),
        (day(1), day(2), 0, 1, Decimal(1)),
    ]


def test_guests_are_absent_and_customers_without_a_purchase_are_zeros(spark: SparkSession) -> None:
    days = ledger(spark, Line(None, "A1", 1, day=1), Line("7", "A2", 1, day=3, kind="fee"))
    assert values(days, "customer_id", *DAYS, "order_count", "gross_amount") == [
        ("7", day(3), day(3), 0, Decimal(0))
    ]


def test_kinds_and_copies_count_as_asked(spark: SparkSession) -> None:
    lines = [Line("7", "A1", 1, day=1, copies=3), Line("7", "A1", 1, day=1, kind="fee")]
    wide = LedgerSettings(
        purchase_kinds=(LineKind.SALE, LineKind.FEE), return_kinds=(), exact_duplicates="all"
    )
    assert values(ledger(spark, *lines), "gross_amount", "line_count", "order_count") == [
        (Decimal(10), 1, 1)
    ]
    assert values(
        ledger(spark, *lines, settings=wide), "gross_amount", "line_count", "order_count"
    ) == [(Decimal(40), 4, 1)]


def test_a_row_that_two_batches_hold_is_two_lines(spark: SparkSession) -> None:
    days = ledger(
        spark,
        Line("7", "A1", 2, day=1),
        Line("7", "R1", -1, day=2, number=9, batch="batch-1"),
        Line("7", "R1", -1, day=2, number=9, batch="batch-2"),
    )
    assert values(days, *DAYS, "returned_amount", "undone_order_count") == [
        (day(1), day(1), Decimal(0), 0),
        (day(1), day(2), Decimal(20), 1),
    ]


def test_the_last_purchase_before_a_return_is_undone_where_asked(spark: SparkSession) -> None:
    lines = [Line("7", "A1", 1, day=1), Line("7", "A2", 1, day=3), Line("7", "R1", -1, day=5)]
    undone = {
        matching: values(
            ledger(spark, *lines, settings=LedgerSettings(return_matching=matching)).filter(
                "undone_order_count > 0"
            ),
            *DAYS,
        )
        for matching in ("oldest", "nearest")
    }
    assert undone == {"oldest": [(day(1), day(5))], "nearest": [(day(3), day(5))]}


@in_either_order
def test_an_order_of_80995_units_cancelled_after_12_minutes_counts_for_nothing(
    spark: SparkSession, matching: Matching
) -> None:
    days = ledger(
        spark,
        Line("16446", "A1", 80995, day=9, price=2, hour=9, minute=15),
        Line("16446", "C1", -80995, day=9, price=2, hour=9, minute=27),
        settings=LedgerSettings(return_matching=matching),
    )
    left = days.select(
        *DAYS,
        (F.col("order_count") - F.col("undone_order_count")).alias("orders"),
        (F.col("quantity_units") - F.col("returned_units")).alias("units"),
        (F.col("gross_amount") - F.col("returned_amount")).alias("money"),
        "unmatched_returned_amount",
    )
    assert values(left, *left.columns) == [(day(9), day(9), 0, Decimal(0), Decimal(0), Decimal(0))]
    row = customer_summaries(days, settings=FeatureSettings(), as_of=day(20)).collect()[0]
    assert row["exclusion_reason"] == "every purchase was undone"
    assert (row["gross_amount"], row["net_amount"]) == (Decimal(161990), Decimal(0))


@in_either_order
@drawing(max_examples=3, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(lines=drawn_histories())
def test_netting_moves_money_between_days_and_never_changes_it(
    spark: SparkSession, matching: Matching, lines: list[Line]
) -> None:
    expected: dict[str | None, Units] = defaultdict(int)
    for line in lines:
        expected[line.customer] += line.units * line.price
    net = F.sum(F.col("gross_amount") - F.col("returned_amount"))
    days = ledger(spark, *lines, settings=LedgerSettings(return_matching=matching))
    found = values(days.groupBy("customer_id").agg(net.alias("net")), "customer_id", "net")
    assert dict(found) == expected


def test_the_money_counted_is_that_of_purchases_and_of_returns(spark: SparkSession) -> None:
    lines = [
        Line("7", "A1", 3, day=1, copies=2),
        Line("7", "R1", -1, day=2),
        Line("7", "A2", 5, day=2, kind="fee"),
        Line(None, "A3", 5, day=2),
    ]
    sums = ("gross_amount", "returned_amount")
    counted = {
        copies: values(
            counted_money(
                transactions(spark, lines), settings=LedgerSettings(exact_duplicates=copies)
            ),
            *sums,
        )
        for copies in ("once", "all")
    }
    assert counted == {"once": [(Decimal(30), Decimal(10))], "all": [(Decimal(60), Decimal(10))]}
    nothing = counted_money(transactions(spark, []), settings=LedgerSettings())
    assert values(nothing, *sums) == [(Decimal(0), Decimal(0))]


def test_matches_that_were_written_are_used_as_they_are(spark: SparkSession) -> None:
    lines = transactions(spark, random_histories(20, seed=12))
    nearest = LedgerSettings(return_matching="nearest")
    written = return_matches(lines, settings=nearest, ledger_id="ledger-1")
    # Settings that would match otherwise, to see whose matches count.
    given_matches = customer_days(
        lines, settings=LedgerSettings(), ledger_id="ledger-1", matches=written
    )
    found = customer_days(lines, settings=nearest, ledger_id="ledger-1")
    assert values(given_matches, *found.columns) == values(found, *found.columns)


def test_ledgers_of_separate_customers_add_up_to_the_ledger_of_all(spark: SparkSession) -> None:
    lines = random_histories(20, seed=13)
    even = [line for line in lines if int(str(line.customer)[1:]) % 2 == 0]
    odd = [line for line in lines if line not in even]
    both = ledger(spark, *even).unionByName(ledger(spark, *odd))
    assert values(both, *both.columns) == values(ledger(spark, *lines), *both.columns)
    keys = values(both, "customer_id", *DAYS)
    assert len(set(keys)) == len(keys)
