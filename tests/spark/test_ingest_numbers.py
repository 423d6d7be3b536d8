"""Numbers are read in the source's style, and in no other."""

from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import SparkSession

from segspark.ingest.parsing.numbers import number_fields, number_problems, number_values
from segspark.settings.rules import NumberStyle
from tests.builders import table

COMMA = "has a decimal comma: set numbers of the source"
STYLE = "is in another style: set numbers of the source"
EUROPEAN = {"decimal_separator": ",", "thousands_separator": "."}
ENGLISH = {"thousands_separator": ","}
Found = list[tuple[Decimal | None, str | None]]


def read(
    spark: SparkSession, style: dict[str, Any], *texts: float | str | None, dtype: str = "string"
) -> Found:
    """Value and problem of each text, or of each number of another type, in order."""
    rows = table(spark, f"n int, text {dtype}", *enumerate(texts))
    settings = NumberStyle.model_validate(style)
    mapping = {"price": "text"}
    found = (
        rows.select("n", *number_fields(mapping, rows.schema, settings))
        .withColumns(number_values(mapping))
        .withColumns(number_problems(mapping, rows.schema))
        .select("n", "number_price", "problem_price")
        .collect()
    )
    return [(value, problem) for _, value, problem in sorted(found)]


@pytest.mark.parametrize(
    ("style", "text", "value"),
    [
        ({}, " 12.50 ", "12.5"),
        ({}, "-0.00", "0"),
        ({}, "1.5e2", "150"),
        ({}, "+7", "7"),
        (EUROPEAN, "1.234,50", "1234.5"),
        (EUROPEAN, "1234,5", "1234.5"),
        (EUROPEAN, "-0,0001", "-0.0001"),
        (EUROPEAN, "1.234.567", "1234567"),
        (ENGLISH, "1,234,567.25", "1234567.25"),
        (ENGLISH, "12,34,567.5", "1234567.5"),
        ({"thousands_separator": "'"}, "12'345.60", "12345.6"),
        ({"decimal_separator": ",", "thousands_separator": " "}, "12\u00a0345,60", "12345.6"),
        ({"currency_signs": ["€", "EUR"]}, "€ 12.50", "12.5"),
        ({"currency_signs": ["€", "EUR"]}, "12.50\u00a0EUR", "12.5"),
        ({"currency_signs": ["$"]}, "-$3.20", "-3.2"),
        ({"currency_signs": ["$"]}, "- $ 3.20", "-3.2"),
        ({"currency_signs": ["$", "USD"]}, "+$3.20 USD", "3.2"),
        ({"currency_signs": ["EUR"]}, "1E2 EUR", "100"),
        ({"currency_signs": ["€"], "accounting_negatives": True}, "(€12.50)", "-12.5"),
        ({"currency_signs": ["€"], "accounting_negatives": True}, "(12.50 €)", "-12.5"),
        ({"currency_signs": ["€"], "accounting_negatives": True}, "12.50 €-", "-12.5"),
        ({"accounting_negatives": True}, "(12.50)", "-12.5"),
        ({"accounting_negatives": True}, "12.50-", "-12.5"),
    ],
)
def test_a_number_of_the_style_is_read_exactly(
    spark: SparkSession, style: dict[str, Any], text: str, value: str
) -> None:
    assert read(spark, style, text) == [(Decimal(value), None)]


@pytest.mark.parametrize(
    ("style", "text", "problem"),
    [
        ({}, "7,90", COMMA),
        ({}, "1.234,50", COMMA),
        ({}, "€7.90", STYLE),
        ({}, "(7.90)", STYLE),
        ({}, "free", "not a number"),
        ({}, "NaN", "not a number"),
        ({}, "Infinity", "not a number"),
        ({}, "0x1F", "not a number"),
        ({}, "1234567890123456789012345678901234567890", "out of range"),
        ({}, "0.00001", "more than 4 decimals"),
        ({}, " ", "missing"),
        ({}, None, "missing"),
        (ENGLISH, "1,23", COMMA),
        (EUROPEAN, "12.50", STYLE),
        (EUROPEAN, "1.23.456", STYLE),
        ({"currency_signs": ["€"]}, "$7", STYLE),
        ({"currency_signs": ["€"]}, "12€50", "not a number"),
        ({"currency_signs": ["€"]}, "-€1€2€", "not a number"),
    ],
)
def test_anything_else_says_what_is_wrong(
    spark: SparkSession, style: dict[str, Any], text: str | None, problem: str
) -> None:
    assert read(spark, style, text)[0][1] == problem


@pytest.mark.parametrize("style", [{}, {**EUROPEAN, "currency_signs": ["€"]}])
def test_a_number_that_would_take_long_to_read_is_refused(
    spark: SparkSession, style: dict[str, Any]
) -> None:
    endless = ("1E-10000000", "1e10000000", "1E-100")
    found = read(spark, style, *endless, "1" * 20_000, "1" + "'" * 20_000 + "x1", " " * 500 + "7")
    assert found == [
        *[(None, "not a number")] * 3, (None, "out of range"), (None, STYLE), (Decimal(7), None),
    ]  # fmt: skip


@pytest.mark.parametrize("dtype", ["string", "double", "float"])
def test_more_decimals_than_money_has_are_refused_whatever_the_type(
    spark: SparkSession, dtype: str
) -> None:
    numbers = (0.00125, -0.00005, 1.23456, 12.34565)
    given = [str(number) if dtype == "string" else number for number in numbers]
    problems = [problem for _, problem in read(spark, {}, *given, dtype=dtype)]
    assert problems == ["more than 4 decimals"] * 4


@pytest.mark.parametrize(
    ("dtype", "numbers"),
    [
        ("double", {0.1 + 0.2: "0.3", 1 - 0.9: "0.1", 10_000_000.1 + 0.2: "10000000.3",
                    12345.6789: "12345.6789", -1e9: "-1000000000", 1e-12: "0"}),
        ("float", {0.1: "0.1", 0.8 + 1e-7: "0.8", 12345.678: "12345.678", 16777.215: "16777.215"}),
    ],
)  # fmt: skip
def test_a_binary_fraction_is_the_number_that_it_is_written_as_without_its_noise(
    spark: SparkSession, dtype: str, numbers: dict[float, str]
) -> None:
    expected = [(Decimal(value), None) for value in numbers.values()]
    assert read(spark, {}, *numbers, dtype=dtype) == expected
