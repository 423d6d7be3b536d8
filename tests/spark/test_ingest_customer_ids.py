"""Differently written ids of one customer become one; nobody stays nobody."""

from typing import Any

import pytest
from pyspark.sql import SparkSession

from tests.builders import table
from tests.purchases import parsed, source, values


def customers(
    spark: SparkSession, ids: list[Any], kind: str = "string", **rules: object
) -> list[Any]:
    raw = table(
        spark,
        f"who {kind}, at string, money string, what string",
        *((who, "2011-03-01", "1", str(n)) for n, who in enumerate(ids)),
    )
    columns = {
        "customer_id": "who", "transaction_at": "at", "line_amount": "money", "product_id": "what",
    }  # fmt: skip
    found = values(parsed(raw, source(columns=columns, **rules)), "product_id", "customer_id")
    return [customer for _, customer in sorted(found, key=lambda row: int(row[0]))]


def test_differently_written_ids_of_a_customer_become_one(spark: SparkSession) -> None:
    ids = [" 12345 ", "12345.0", "12345.00", "12345.5", "A12.0", "", "  ", None, "ab"]
    assert customers(spark, ids) == [
        "12345", "12345", "12345", "12345.5", "A12.0", None, None, None, "ab",
    ]  # fmt: skip


def test_rules_of_customer_ids_are_as_asked(spark: SparkSession) -> None:
    rules = {
        "strip_spaces": False,
        "drop_zero_decimals": False,
        "letter_case": "upper",
        "guest_ids": ["GUEST", "0"],
    }
    found = customers(spark, [" a1", "1.0", "guest", "0", "00"], customer_ids=rules)
    assert found == [" A1", "1.0", None, None, "00"]


@pytest.mark.parametrize("kind", ["double", "float"])
def test_a_customer_id_that_went_through_floating_point_is_whole_again(
    spark: SparkSession, kind: str
) -> None:
    assert customers(spark, [12345678.0, 17850.0, None], kind) == ["12345678", "17850", None]


def test_a_double_that_is_not_a_number_is_a_guest(spark: SparkSession) -> None:
    assert customers(spark, [float("nan"), 5.0], "double") == [None, "5"]


def test_guest_ids_are_written_as_in_the_source_whatever_the_letter_case(
    spark: SparkSession,
) -> None:
    rules = {"letter_case": "lower", "guest_ids": ["GUEST"]}
    assert customers(spark, ["GUEST", "Ann"], customer_ids=rules) == [None, "ann"]
