"""Returns undo purchases in the order in which they were bought, and never a later one."""

from decimal import Decimal

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from segspark.features.lines import customer_lines, purchase_lines
from segspark.features.returns import matched_returns
from segspark.settings.features import LedgerSettings
from tests.histories import Line, day, pieces, random_histories, transactions
from tests.purchases import values

HISTORIES = random_histories(60, seed=11)


def matches(spark: SparkSession, *lines: Line) -> DataFrame:
    found = customer_lines(transactions(spark, lines), settings=LedgerSettings())
    return matched_returns(found, purchase_lines(found))


@pytest.fixture(scope="module")
def all_matches(spark: SparkSession) -> list[tuple[str, str, int, Decimal]]:
    """Return line, order, units and money of every match of the random histories."""
    summed = (
        matches(spark, *HISTORIES)
        .groupBy(F.right("return_line_id", F.lit(11)).alias("return_line_id"), "order_id")
        .agg(F.sum("units").cast("long").alias("units"), F.sum("amount").alias("money"))
    )
    return values(summed, "return_line_id", "order_id", "units", "money")


def test_returns_take_from_the_head_of_the_queue_as_a_plain_loop_does(
    all_matches: list[tuple[str, str, int, Decimal]],
) -> None:
    expected = [(f"line {p.return_number:06d}", p.order, p.units) for p in pieces(HISTORIES)]
    assert len(expected) > 100
    assert [match[:3] for match in all_matches] == sorted(expected)


def test_matched_money_is_that_of_the_matched_units(
    all_matches: list[tuple[str, str, int, Decimal]],
) -> None:
    price = {f"line {line.number:06d}": line.price for line in HISTORIES}
    assert all(money == units * price[line] for line, _, units, money in all_matches)


def test_no_return_undoes_a_later_purchase(spark: SparkSession) -> None:
    found = matches(spark, Line("7", "R1", -1, day=1), Line("7", "A1", 1, day=2))
    assert found.isEmpty()


def test_at_the_same_instant_a_purchase_comes_first(spark: SparkSession) -> None:
    found = matches(spark, Line("7", "R1", -1, day=1), Line("7", "A1", 1, day=1))
    assert values(found, "order_id", "order_date", "return_date") == [("A1", day(1), day(1))]


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
    assert found.isEmpty()


def test_lines_without_a_product_match_nothing(spark: SparkSession) -> None:
    found = matches(
        spark, Line("7", "A1", 1, day=1, product=None), Line("7", "R1", -1, day=2, product=None)
    )
    assert found.isEmpty()


def test_the_money_of_a_split_return_adds_up_to_the_penny(spark: SparkSession) -> None:
    lines = transactions(
        spark,
        [*(Line("7", f"A{n}", 1, day=n) for n in range(3)), Line("7", "R1", -3, day=9)],
    )
    # 10.0000 over three units does not divide.
    uneven = F.when(F.col("order_id") == "R1", F.lit(-10)).otherwise(F.col("line_amount"))
    odd = lines.withColumn("line_amount", uneven.cast("decimal(18,4)"))
    found = customer_lines(odd, settings=LedgerSettings())
    money = [row[0] for row in values(matched_returns(found, purchase_lines(found)), "amount")]
    assert sum(money) == Decimal(10)
    assert {abs(each - Decimal("3.3333")) <= Decimal("0.0001") for each in money} == {True}
