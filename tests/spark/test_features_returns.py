"""Returns undo purchases in the order asked for, never a later one, and none of them is lost."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import Phase, given, settings
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from segspark.features.returns import return_matches
from segspark.settings.features import LedgerSettings
from segspark.tables.returns import RETURN_MATCHES
from tests.histories import (
    Line,
    Matching,
    Units,
    day,
    drawn_histories,
    pieces,
    random_histories,
    transactions,
)
from tests.purchases import values

HISTORIES = random_histories(60, seed=11)
MATCHINGS: tuple[Matching, ...] = ("oldest", "nearest")
in_either_order = pytest.mark.parametrize("matching", MATCHINGS)

Match = tuple[str, str | None, Units, Units]
Found = defaultdict[str, list[Match]]


def matched(lines: DataFrame, matching: Matching = "oldest") -> DataFrame:
    chosen = LedgerSettings(return_matching=matching)
    return return_matches(lines, settings=chosen, ledger_id="ledger-1")


def matches(spark: SparkSession, *lines: Line, matching: Matching = "oldest") -> DataFrame:
    return matched(transactions(spark, lines), matching)


def found_by_spark(spark: SparkSession, lines: Sequence[Line], matching: Matching) -> Found:
    """Return line, purchase line, units and money of each customer's matches."""
    found: Found = defaultdict(list)
    rows = values(
        matches(spark, *lines, matching=matching),
        "customer_id",
        "return_line_id",
        "purchase_line_id",
        "returned_units",
        "returned_amount",
    )
    for customer, back, bought, units, money in rows:
        found[customer].append((back, bought, units, money))
    return found


def found_by_a_loop(lines: Sequence[Line], matching: Matching) -> Found:
    found: Found = defaultdict(list)
    left = {line.number: -line.units for line in lines if line.units < 0}
    of = {line.number: line for line in lines}

    def add(line: Line, bought: str | None, units: Units) -> None:
        match = (f"line {line.number:06d}", bought, units, units * line.price)
        found[str(line.customer)].append(match)

    for piece in pieces(lines, matching=matching):
        left[piece.return_number] -= piece.units
        add(of[piece.return_number], f"line {piece.purchase_number:06d}", piece.units)
    for number, units in left.items():
        if units:
            add(of[number], None, units)
    return found


def differing(one: Found, other: Found) -> dict[str, object]:
    """The customers whose matches are not the same, with both."""
    both = {who: (_in_order(one[who]), _in_order(other[who])) for who in {*one, *other}}
    return {who: matches for who, matches in both.items() if matches[0] != matches[1]}


def _in_order(found: list[Match]) -> list[tuple[str, str, Decimal, Decimal]]:
    return sorted((back, str(bought), Decimal(u), Decimal(m)) for back, bought, u, m in found)


@in_either_order
# Not shrunk: each step is a Spark query, and the customers that differ are told apart anyway.
@settings(max_examples=4, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(lines=drawn_histories())
def test_returns_undo_what_a_plain_loop_finds_and_the_rest_of_them_stays(
    spark: SparkSession, matching: Matching, lines: list[Line]
) -> None:
    assert not differing(found_by_spark(spark, lines, matching), found_by_a_loop(lines, matching))


@in_either_order
def test_on_long_histories_as_well(spark: SparkSession, matching: Matching) -> None:
    expected = found_by_a_loop(HISTORIES, matching)
    pieces_of = Counter(match[0] for rows in expected.values() for match in rows)
    assert max(pieces_of.values()) > 2
    assert not differing(found_by_spark(spark, HISTORIES, matching), expected)


def test_the_two_orders_differ() -> None:
    assert differing(found_by_a_loop(HISTORIES, "oldest"), found_by_a_loop(HISTORIES, "nearest"))


@in_either_order
def test_every_return_is_there_and_its_pieces_add_up_to_it(
    spark: SparkSession, matching: Matching
) -> None:
    found = (
        matches(spark, *HISTORIES, matching=matching)
        .groupBy("return_line_id", "return_date")
        .agg(F.sum("returned_units").alias("units"), F.sum("returned_amount").alias("money"))
    )
    assert values(found, "return_line_id", "return_date", "units", "money") == sorted(
        (f"line {line.number:06d}", line.date, Decimal(-line.units), -line.units * line.price)
        for line in HISTORIES
        if line.units < 0
    )


@in_either_order
def test_the_grain_of_the_table_is_unique(spark: SparkSession, matching: Matching) -> None:
    keys = values(matches(spark, *HISTORIES, matching=matching), *RETURN_MATCHES.grain)
    assert len(keys) > 200
    assert len(set(keys)) == len(keys)


def test_the_first_or_the_last_purchase_before_the_return_is_undone_as_asked(
    spark: SparkSession,
) -> None:
    lines = [Line("7", f"A{at}", 2, day=at) for at in (1, 3, 9)] + [Line("7", "R1", -3, day=5)]
    columns = ("order_id", "purchase_date", "return_date", "returned_units")
    assert values(matches(spark, *lines), *columns) == [
        ("A1", day(1), day(5), Decimal(2)),
        ("A3", day(3), day(5), Decimal(1)),
    ]
    assert values(matches(spark, *lines, matching="nearest"), *columns) == [
        ("A1", day(1), day(5), Decimal(1)),
        ("A3", day(3), day(5), Decimal(2)),
    ]


@in_either_order
def test_no_return_undoes_a_later_purchase(spark: SparkSession, matching: Matching) -> None:
    lines = [Line("7", "R1", -1, day=1), Line("7", "A1", 1, day=2)]
    found = matches(spark, *lines, matching=matching)
    assert values(found, "is_matched", "order_id", "purchase_date", "return_date") == [
        (False, None, None, day(1))
    ]


@in_either_order
def test_at_the_same_instant_a_purchase_comes_first(
    spark: SparkSession, matching: Matching
) -> None:
    lines = [Line("7", "R1", -1, day=1), Line("7", "A1", 1, day=1)]
    found = matches(spark, *lines, matching=matching)
    assert values(found, "order_id", "purchase_date", "return_date") == [("A1", day(1), day(1))]


def test_a_return_undoes_only_the_same_product_at_the_same_price_of_the_same_customer(
    spark: SparkSession,
) -> None:
    found = matches(
        spark,
        Line("7", "A1", 1, day=1, product="cup"),
        Line("7", "A2", 1, day=1, price=11),
        Line("8", "A3", 1, day=1),
        Line("7", "R1", -1, day=2),
    )
    assert values(found, "customer_id", "is_matched") == [("7", False)]


def test_lines_without_a_product_match_nothing_and_stay(spark: SparkSession) -> None:
    found = matches(
        spark, Line("7", "A1", 1, day=1, product=None), Line("7", "R1", -1, day=2, product=None)
    )
    assert values(found, "is_matched", "returned_amount") == [(False, Decimal(10))]


def test_a_return_of_money_without_units_stays(spark: SparkSession) -> None:
    lines = transactions(spark, [Line("7", "A1", 1, day=1), Line("7", "R1", -1, day=2)])
    back = F.col("order_id") == "R1"
    odd = lines.withColumn(
        "quantity_units",
        F.when(back, F.lit(0)).otherwise(F.col("quantity_units")).cast("decimal(18,4)"),
    )
    assert values(matched(odd), "is_matched", "returned_units", "returned_amount") == [
        (False, Decimal(0), Decimal(10))
    ]


def test_guests_are_absent(spark: SparkSession) -> None:
    assert matches(spark, Line(None, "A1", 1, day=1), Line(None, "R1", -1, day=2)).isEmpty()


def test_a_row_that_two_batches_hold_is_two_returns(spark: SparkSession) -> None:
    found = matches(
        spark,
        Line("7", "A1", 2, day=1),
        Line("7", "R1", -1, day=2, number=9, batch="batch-1"),
        Line("7", "R1", -1, day=2, number=9, batch="batch-2"),
    )
    assert values(found, "return_batch_id", "return_line_id", "is_matched") == [
        ("batch-1", "line 000009", True),
        ("batch-2", "line 000009", True),
    ]


@in_either_order
@pytest.mark.parametrize("bought", [2, 3])
def test_the_money_of_a_split_return_adds_up_to_the_penny(
    spark: SparkSession, matching: Matching, bought: int
) -> None:
    lines = transactions(
        spark,
        [*(Line("7", f"A{n}", 1, day=n) for n in range(bought)), Line("7", "R1", -3, day=9)],
    )
    # 10.0000 over three units does not divide.
    uneven = F.when(F.col("order_id") == "R1", F.lit(-10)).otherwise(F.col("line_amount"))
    odd = lines.withColumn("line_amount", uneven.cast("decimal(18,4)"))
    money = [row[0] for row in values(matched(odd, matching), "returned_amount")]
    assert len(money) == 3
    assert sum(money) == Decimal(10)
    assert {abs(each - Decimal("3.3333")) <= Decimal("0.0001") for each in money} == {True}
