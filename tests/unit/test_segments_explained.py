"""Rules, drivers and differences as people and SQL read them."""

from typing import Any, Literal

import numpy as np
import pytest

from segspark.model.vector import ValueRule
from segspark.segments.differences import Difference
from segspark.segments.drivers import Driver
from segspark.segments.explained import difference_rows, driver_rows, rule_condition, rule_rows
from segspark.segments.rules import Bound, LabelledCustomers, Rule, Surrogate
from segspark.tables.explanations import SEGMENT_DIFFERENCES, SEGMENT_DRIVERS, SEGMENT_RULES

READING = (ValueRule("recency_days"), ValueRule("frequency_count", missing=0.0))
CALLED = {"S2": "Champions", "S1": "Lost", "S3": "Loyal"}
RECENT = Rule((Bound("recency_days", at_most=31.0), Bound("frequency_count", above=4.0)), 0)
RARE = Rule((Bound("recency_days", at_most=31.0), Bound("frequency_count", at_most=4.0)), 0)
LATE = Rule((Bound("recency_days", above=31.0),), 1)
NOBODY = LabelledCustomers(("recency_days",), np.zeros((30, 1)), np.zeros(30, dtype=int))
COUNTS = {(0, "S2"): 20, (0, "S1"): 5, (1, "S2"): 60, (1, "S3"): 20, (2, "S1"): 15}


def rules() -> list[dict[str, Any]]:
    surrogate = Surrogate((RECENT, RARE, LATE), NOBODY, 0.9, 0.8)
    rows = rule_rows(surrogate, COUNTS, reading=READING, called=CALLED, run_id="run-1")
    return [dict(zip(SEGMENT_RULES.schema.names, row, strict=True)) for row in rows]


def test_a_rule_is_sql_with_a_missing_value_as_what_it_counts_as() -> None:
    assert rule_condition(RECENT, READING) == (
        "recency_days <= 31 AND COALESCE(frequency_count, 0) > 4"
    )


def test_both_bounds_of_a_column_are_asked() -> None:
    between = Rule((Bound("recency_days", above=0.5, at_most=31.25),), 0)

    assert rule_condition(between, READING) == "recency_days > 0.5 AND recency_days <= 31.25"
    assert rule_condition(Rule((), 0), READING) == "TRUE"


def test_rules_of_a_segment_are_numbered_by_the_customers_they_hold() -> None:
    of_champions = [row for row in rules() if row["segment_id"] == "S2"]

    assert [row["rule_number"] for row in of_champions] == [1, 2]
    assert [row["segment_customer_count"] for row in of_champions] == [60, 20]
    assert [row["customer_count"] for row in of_champions] == [80, 25]


def test_coverage_is_of_the_segment_and_precision_of_who_meets_the_rule() -> None:
    first, second = (row for row in rules() if row["segment_id"] == "S2")

    assert (first["coverage_ratio"], first["precision_ratio"]) == (0.75, 0.75)
    assert (second["coverage_ratio"], second["precision_ratio"]) == (0.25, 0.8)
    assert second["description"] == (
        "recency_days <= 31 and COALESCE(frequency_count, 0) > 4: 25.0% of Champions, and 80.0% of "
        "whom this holds are in it"
    )
    assert {(row["accuracy_ratio"], row["balanced_accuracy_ratio"]) for row in rules()} == {
        (0.9, 0.8)
    }
    assert {row["held_out_count"] for row in rules()} == {30}


def test_a_segment_without_a_rule_says_so() -> None:
    (row,) = (row for row in rules() if row["segment_id"] == "S3")

    assert (row["rule_number"], row["condition"], row["precision_ratio"]) == (0, None, None)
    assert row["coverage_ratio"] == 0
    assert row["description"].startswith("no rule leads to Loyal: ")


def test_a_rule_that_nobody_meets_has_no_precision() -> None:
    surrogate = Surrogate((RECENT, LATE), NOBODY, None, None)

    (first, second, _) = rule_rows(
        surrogate, {(1, "S1"): 3}, reading=READING, called=CALLED, run_id="run-1"
    )

    names = SEGMENT_RULES.schema.names
    row: dict[str, Any] = dict(zip(names, first, strict=True))
    assert (row["precision_ratio"], row["coverage_ratio"]) == (None, None)
    assert row["description"].endswith(": nobody")
    assert dict(zip(names, second, strict=True))["precision_ratio"] == 1


def test_drivers_are_ranked_within_each_segment_and_over_all() -> None:
    drivers = [
        Driver("recency_days", None, 0.2),
        Driver("recency_days", 1, 0.1),
        Driver("frequency_count", None, 0.3),
        Driver("frequency_count", 1, 0.0),
    ]

    rows = driver_rows(drivers, called=CALLED, run_id="run-1")

    assert rows == [
        ("run-1", "all", "all", "frequency_count", 0.3, 1),
        ("run-1", "all", "all", "recency_days", 0.2, 2),
        ("run-1", "S1", "Lost", "recency_days", 0.1, 1),
        ("run-1", "S1", "Lost", "frequency_count", 0.0, 2),
    ]
    assert len(rows[0]) == len(SEGMENT_DRIVERS.columns)


@pytest.mark.parametrize(
    ("kind", "test"), [("feature", "kruskal_wallis"), ("attribute", "chi_squared")]
)
def test_a_difference_names_its_test(kind: Literal["feature", "attribute"], test: str) -> None:
    difference = Difference(kind, "age", 70, 12.5, 2, 0.01, holm=0.02, benjamini_hochberg=0.015)

    (row,) = difference_rows([difference], run_id="run-1")

    named = dict(zip(SEGMENT_DIFFERENCES.schema.names, row, strict=True))
    assert (named["variable_kind"], named["variable_name"], named["test"]) == (kind, "age", test)
    assert (named["test_statistic"], named["degrees_of_freedom"]) == (12.5, 2)
    assert (named["p_value"], named["holm_p_value"], named["benjamini_hochberg_p_value"]) == (
        0.01,
        0.02,
        0.015,
    )
