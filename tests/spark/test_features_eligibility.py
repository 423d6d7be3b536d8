from itertools import product

from pyspark.sql import SparkSession

from segspark.features.eligibility import (
    scorable,
    with_scoring_eligibility,
    with_vector_eligibility,
)
from segspark.model.vector import Transformation, ValueRule
from tests.builders import table

SCHEMA = "exclusion_reason string, monetary_amount int, gap_days double"
LOGGED = (ValueRule("monetary_amount"), ValueRule("gap_days"))


def test_money_without_a_logarithm_is_a_reason_after_those_of_the_features(
    spark: SparkSession,
) -> None:
    features = table(spark, SCHEMA, ("away", None, 1.0), (None, 0, 1.0), (None, 5, 0.0))

    found = with_vector_eligibility(features, rules=LOGGED).collect()

    reasons = [row["exclusion_reason"] for row in found]
    assert reasons == ["away", "monetary_amount not above zero", None]


def test_money_that_may_be_nothing_or_is_taken_as_it_is_excludes_nobody(
    spark: SparkSession,
) -> None:
    features = table(spark, SCHEMA, (None, -5, 1.0), (None, 0, 1.0))
    for rule in (ValueRule("monetary_amount", "none"), ValueRule("monetary_amount", least=0.0)):
        found = with_vector_eligibility(features, rules=[rule])

        assert {row["exclusion_reason"] for row in found.collect()} == {None}


def test_a_value_that_a_fitted_vector_cannot_take_is_a_reason(spark: SparkSession) -> None:
    gaps = (None, float("nan"), float("inf"), -1.0, 0.0)
    features = table(spark, SCHEMA, *((None, 1, gap) for gap in gaps))

    strict = with_scoring_eligibility(features, rules=LOGGED).collect()
    filled = ValueRule("gap_days", "none", missing=0.0)
    lenient = with_scoring_eligibility(features, rules=[filled]).collect()

    missing, infinite = "gap_days missing", "gap_days infinite"
    below = "gap_days below zero"
    assert [row["exclusion_reason"] for row in strict] == [missing, missing, infinite, below, None]
    assert [row["exclusion_reason"] for row in lenient] == [None, None, infinite, None, None]


def test_those_who_are_scored_are_those_without_a_reason(spark: SparkSession) -> None:
    schema = "exclusion_reason string, monetary_amount double, gap_days double"
    values = (None, float("nan"), float("inf"), float("-inf"), -1.0, 0.0, 2.0)
    features = table(spark, schema, *product((None, "away"), values, values))
    transformations: tuple[Transformation, Transformation] = ("log1p", "none")
    kinds = list(product(transformations, (None, 0.0), (None, 1.0)))
    scored = []
    for money, gap in zip(kinds, [*kinds[3:], *kinds[:3]], strict=True):
        rules = [ValueRule("monetary_amount", *money), ValueRule("gap_days", *gap)]
        told = with_scoring_eligibility(with_vector_eligibility(features, rules=rules), rules=rules)

        found = scorable(features, rules=rules).drop("exclusion_reason").collect()

        without = told.filter("exclusion_reason IS NULL").drop("exclusion_reason").collect()
        assert sorted(map(repr, found)) == sorted(map(repr, without))
        scored.append(len(found))
    assert scored[0] == 1 * 5
    assert max(scored) > min(scored) > 0
