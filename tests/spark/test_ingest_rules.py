"""A source's own rules refuse, flag or count, by name."""

import re
from typing import Any

import pytest
from pyspark.sql import SparkSession

from segspark.errors import IngestError
from tests.builders import table
from tests.purchases import parsed, source, values

TEXTS = "who string, at string, order string, what string, units string, price string"
AT = "2026-01-01"
BOTS = "count(*) OVER (PARTITION BY batch_id, customer_id, transaction_date) > 2"


def outcome(
    spark: SparkSession, rule: dict[str, Any], *rows: tuple[Any, ...]
) -> list[tuple[list[str], list[str], list[str]]]:
    """Reasons, flags and counted rules of each row (who, order, what, units, price), in order."""
    lines = [(who, AT, order, what, units, price) for who, order, what, units, price in rows]
    raw = table(spark, f"{TEXTS}, n string", *((*line, str(n)) for n, line in enumerate(lines)))
    columns = {**dict(zip(("customer_id", "transaction_at"), ("who", "at"), strict=True)),
               "order_id": "order", "product_id": "what", "quantity": "units",
               "unit_price": "price", "store_id": "n"}  # fmt: skip
    settings = source(columns=columns, rules=[{"name": "checked", **rule}])
    found = values(parsed(raw, settings), "store_id", "reasons", "flags", "counted")
    return [row[1:] for row in sorted(found, key=lambda row: int(row[0]))]


def broken(spark: SparkSession, rule: dict[str, Any], *rows: tuple[Any, ...]) -> list[bool]:
    """Which rows break a rule that flags."""
    found = outcome(spark, {"severity": "flag", **rule}, *rows)
    return [flags == ["checked"] for _, flags, _ in found]


def test_the_severity_says_what_happens_to_a_row(spark: SparkSession) -> None:
    rule = {"column": "customer_id", "forbidden_pattern": "^TEST"}
    row = ("TEST1", "A", "mug", "1", "1")
    assert outcome(spark, {**rule, "severity": "refuse"}, row) == [(["rule: checked"], [], [])]
    assert outcome(spark, {**rule, "severity": "flag"}, row) == [([], ["checked"], [])]
    assert outcome(spark, {**rule, "severity": "count"}, row) == [([], [], ["checked"])]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"column": "customer_id", "required": True}, [False, True, False]),
        ({"column": "product_id", "allowed": ["mug", "cup"]}, [False, False, True]),
        ({"column": "quantity_units", "least": 0}, [False, True, False]),
        ({"column": "unit_price_amount", "most": 2.5}, [False, False, True]),
        ({"fails_when": "quantity_units > 3 AND product_id LIKE 'p%'"}, [False, False, True]),
        ({"fails_when": "source_row.what = 'mug'"}, [True, False, False]),
        ({"fails_when": "customer_id <> '9'"}, [True, False, False]),
    ],
)
def test_a_row_breaks_a_rule_by_its_condition_and_a_missing_value_does_not(
    spark: SparkSession, rule: dict[str, Any], expected: list[bool]
) -> None:
    rows = [
        ("7", "A", "mug", "2", "2.5"),
        (None, "B", None, "-1", "1"),
        ("9", "C", "pen", "4", "3"),
    ]
    assert broken(spark, rule, *rows) == expected


def test_rows_of_one_key_break_uniqueness_only_where_they_differ(spark: SparkSession) -> None:
    rows = [
        ("7", "A", "mug", "1", "1"), ("7", "A", "mug", "2", "1"),
        ("7", "B", "mug", "1", "1"), ("7", "A", "cup", "1", "1"),
        ("7", "C", None, "1", "1"), ("7", "C", None, "2", "1"),
    ]  # fmt: skip
    rule = {"unique": ["order_id", "product_id"]}
    assert broken(spark, rule, *rows) == [True, True, False, False, False, False]


def test_rows_without_a_key_are_not_one_group_for_one_core(
    spark: SparkSession, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = table(spark, TEXTS, ("7", AT, None, "mug", "1", "1"))
    rule = {"name": "checked", "severity": "flag", "unique": ["customer_id", "order_id"]}
    columns = {"customer_id": "who", "transaction_at": "at", "order_id": "order",
               "line_amount": "price"}  # fmt: skip
    parsed(raw, source(columns=columns, rules=[rule])).explain()
    (spread,) = re.findall(r"hashpartitioning\((.*?), \d+\)", capsys.readouterr().out)
    assert "line_id" in spread or "_w" in spread, spread


def test_a_condition_may_look_at_a_customers_whole_day(spark: SparkSession) -> None:
    rows = [("bot", str(n), "mug", "1", "1") for n in range(3)] + [("7", "A", "mug", "1", "1")]
    assert broken(spark, {"fails_when": BOTS}, *rows) == [True, True, True, False]


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ({"column": "customer", "required": True}, "no column customer: did you mean customer_id"),
        ({"unique": ["order_id", "shop"]}, "no column shop"),
        ({"column": "order_id", "most": 1}, "order_id is no number but string"),
        ({"fails_when": "quantity_units >"}, "its condition cannot be used"),
        ({"fails_when": "quantity_units"}, "its condition cannot be used"),
        ({"fails_when": "colour = 'red'"}, "its condition cannot be used"),
        ({"fails_when": "sum(quantity_units) > 1"}, "its condition cannot be used"),
        ({"fails_when": "1 = 1; DROP TABLE transactions"}, "its condition cannot be used"),
    ],
)
def test_a_rule_that_cannot_work_is_refused_in_one_sentence(
    spark: SparkSession, rule: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(IngestError, match=sentence) as refused:
        broken(spark, rule, ("7", "A", "mug", "1", "1"))
    assert str(refused.value).startswith("source shop: rule checked: ")
    assert "\n" not in str(refused.value)
