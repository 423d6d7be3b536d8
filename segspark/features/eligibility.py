"""Who can be clustered: the features' own reasons, and those of the vector asked for."""

import operator
from collections.abc import Iterable, Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.model.vector import ValueRule


def with_vector_eligibility(features: DataFrame, *, rules: Sequence[ValueRule]) -> DataFrame:
    """Add the reasons that the vector's logarithms of money give.

    Args:
        features: `CUSTOMER_FEATURES` of one snapshot, and whatever else the vector takes.
        rules: How the columns of the vector are read.

    Returns:
        The same rows; `exclusion_reason` also says where total or average spend, of which the
        vector takes the logarithm, is not above zero.
    """
    money = [r.name for r in rules if _is_money(r) and _needs_logarithm(r)]
    return _with_reasons(
        features, (F.when(F.col(name) <= 0, f"{name} not above zero") for name in money)
    )


def with_scoring_eligibility(features: DataFrame, *, rules: Sequence[ValueRule]) -> DataFrame:
    """Add the reasons of values that a fitted vector cannot take, although training had none.

    Args:
        features: As for `with_vector_eligibility`.
        rules: How the columns of the vector are read.

    Returns:
        The same rows; `exclusion_reason` also says where a value is missing, infinite or without a
        logarithm.
    """
    return _with_reasons(features, (_unscorable(rule) for rule in rules))


def eligible(features: DataFrame) -> DataFrame:
    """Customers without a reason to be excluded."""
    return features.filter(F.col("exclusion_reason").isNull())


def scorable(features: DataFrame, *, rules: Sequence[ValueRule]) -> DataFrame:
    """The customers whom neither the features nor both functions above give a reason.

    Args:
        features: As for `with_vector_eligibility`.
        rules: How the columns of the vector are read.

    Returns:
        Their rows, by a bare condition, which Spark works out in less time than the reasons.
    """
    taken = [_is_taken(rule) for rule in rules if rule.missing is not None]
    taken += [_has_logarithm(rule) for rule in rules if _needs_logarithm(rule)]
    told = [F.col(rule.name).cast("double") for rule in rules if rule.missing is None]
    if told:
        # Nought times a number is nought, and of anything else it is NaN or NULL.
        taken.append(reduce(operator.add, (value * 0.0 for value in told)) == 0.0)
    return reduce(DataFrame.filter, taken, eligible(features))


def _is_taken(rule: ValueRule) -> Column:
    value = F.col(rule.name).cast("double")
    return value.isNull() | F.isnan(value) | (F.abs(value) < float("inf"))


def _has_logarithm(rule: ValueRule) -> Column:
    """NULL, as well as false, says no; NaN has one, being greater than all numbers to Spark."""
    value = F.col(rule.name).cast("double")
    has_one = (value > 0) if _is_money(rule) else (value >= 0)
    if rule.missing is None:
        return has_one
    return value.isNull() | F.isnan(value) | has_one


def _is_money(rule: ValueRule) -> bool:
    return rule.name.endswith("_amount")


def _needs_logarithm(rule: ValueRule) -> bool:
    return rule.is_logarithm and rule.least is None


def _unscorable(rule: ValueRule) -> Column:
    value = F.col(rule.name).cast("double")
    is_missing = F.lit(rule.missing is None) & (value.isNull() | F.isnan(value))
    is_negative = F.lit(_needs_logarithm(rule)) & (value < 0)
    return (
        F.when(is_missing, f"{rule.name} missing")
        .when(F.abs(value) == float("inf"), f"{rule.name} infinite")
        .when(is_negative, f"{rule.name} below zero")
    )


def _with_reasons(features: DataFrame, reasons: Iterable[Column]) -> DataFrame:
    found = reduce(F.coalesce, reasons, F.col("exclusion_reason"))
    return features.withColumn("exclusion_reason", found)
