"""What a line is: the first rule that fits, else its sign."""

from typing import Any

from pyspark.sql import SparkSession

from tests.builders import table
from tests.purchases import PRICED, parsed, source, values

SCHEMA = "what string, order string, words string, units string, price string"
COLUMNS = {**PRICED, "description": "words"}


def kinds(spark: SparkSession, rules: list[dict[str, Any]], *rows: tuple[Any, ...]) -> list[str]:
    """Kinds of rows (product, order, description, units, price), in the order of the rows."""
    schema = f"{SCHEMA}, who string, at string"
    lines = [(*row, str(n), "2011-03-01") for n, row in enumerate(rows)]
    raw = table(spark, schema, *lines)
    settings = source(columns=COLUMNS, line_kinds=rules)
    found = values(parsed(raw, settings), "customer_id", "line_kind")
    return [kind for _, kind in sorted(found, key=lambda row: int(row[0]))]


def test_without_rules_the_sign_decides(spark: SparkSession) -> None:
    signs = [("1", "5"), ("-1", "5"), ("1", "-5"), ("-1", "0"), ("1", "0"), ("0", "5")]
    found = kinds(spark, [], *(("mug", "1", None, *sign) for sign in signs))
    assert found == ["sale", "return", "return", "return", "sample", "sample"]


def test_the_first_rule_that_fits_wins(spark: SparkSession) -> None:
    rules = [
        {"kind": "cancellation", "order_id_matches": "^C"},
        {"kind": "postage", "product_id_matches": "^POST$"},
        {"kind": "fee", "product_id_matches": "^P"},
    ]
    found = kinds(
        spark,
        rules,
        ("POST", "C1", None, "1", "1"),
        ("POST", "1", None, "1", "1"),
        ("PACK", "1", None, "-1", "1"),
        ("MUG", "1", None, "-1", "1"),
    )
    assert found == ["cancellation", "postage", "fee", "return"]


def test_a_rule_fits_only_if_all_its_conditions_do(spark: SparkSession) -> None:
    rules = [
        {
            "kind": "write_off",
            "description_matches": "(?i)broken|lost",
            "quantity": "negative",
            "line_amount": "zero",
        }
    ]
    found = kinds(
        spark,
        rules,
        ("mug", "1", "Broken", "-1", "0"),
        ("mug", "1", "fine", "-1", "0"),
        ("mug", "1", "lost", "1", "0"),
        ("mug", "1", "lost", "-1", "2"),
    )
    assert found == ["write_off", "return", "sample", "return"]


def test_a_pattern_does_not_fit_what_is_missing(spark: SparkSession) -> None:
    rules = [{"kind": "fee", "description_matches": ".*"}]
    assert kinds(spark, rules, ("mug", "1", None, "1", "1"), ("mug", "1", "x", "1", "1")) == [
        "sale",
        "fee",
    ]


def test_signs_of_money_can_be_asked_for(spark: SparkSession) -> None:
    rules = [
        {"kind": "voucher", "line_amount": "negative"},
        {"kind": "adjustment", "quantity": "zero"},
        {"kind": "fee", "line_amount": "positive", "product_id_matches": "^f"},
    ]
    found = kinds(
        spark,
        rules,
        ("mug", "1", None, "1", "-2"),
        ("mug", "1", None, "0", "2"),
        ("fee", "1", None, "1", "2"),
        ("fee", "1", None, "1", "0"),
    )
    assert found == ["voucher", "adjustment", "fee", "sample"]
