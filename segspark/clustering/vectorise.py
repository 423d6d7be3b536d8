"""The feature vector as Spark columns: `FeatureVector.point` for a whole table."""

from collections.abc import Iterable

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.model.vector import FeatureVector, ValueRule, VectorColumn, coordinate_names


def with_vector(features: DataFrame, vector: FeatureVector, *, name: str) -> DataFrame:
    """Add `FeatureVector.point` as array<double>, one entry per column in order.

    A missing value without a rule stays NULL inside the array instead of taking a bound's place.

    Args:
        features: One row per customer with the vector's columns.
        vector: The fitted parameters.
        name: Of the new column; a feature of that name is read, and then gives way.
    """
    names = coordinate_names(len(vector.columns))
    apart = _with_coordinates(features, vector, map(transformed, vector.rules))
    return apart.withColumn(name, F.array(*names)).drop(*names)


def with_coordinates(customers: DataFrame, vector: FeatureVector) -> DataFrame:
    """Add what `with_vector` adds as columns by their `coordinate_names`.

    Args:
        customers: Those who can be scored, and no others: where no value may be missing, none is
            looked at again, and NaN would take a bound's place.
        vector: The fitted parameters.
    """
    return _with_coordinates(customers, vector, map(_required_value, vector.rules))


def _with_coordinates(
    features: DataFrame, vector: FeatureVector, values: Iterable[Column]
) -> DataFrame:
    names = coordinate_names(len(vector.columns))
    # Spark works out a value as often as an expression names it, so bounds look at a column.
    apart = features.withColumns(dict(zip(names, values, strict=True)))
    return apart.withColumns(dict(zip(names, map(_coordinate, names, vector.columns), strict=True)))


def _coordinate(value: str, column: VectorColumn) -> Column:
    """Express what `VectorColumn.coordinate` does to a transformed value; NULL stays NULL."""
    return (cut(F.col(value), column.lower, column.upper) - column.centre) / column.scale


def transformed(rule: ValueRule) -> Column:
    """Express `ValueRule.read`; NULL where a value is missing without a rule or has no logarithm.

    An infinite value stays infinite, since an expression cannot refuse it.
    """
    return _transformed(raised_value(rule), rule)


def raised_value(rule: ValueRule) -> Column:
    """The value in natural units: NULL and NaN as what they count as, not below the least."""
    return _raised(_without_nan(rule), rule)


def _required_value(rule: ValueRule) -> Column:
    """As `transformed`, but NaN is looked for only where the rule says what it counts as."""
    value = _value(rule) if rule.missing is None else _without_nan(rule)
    return _transformed(_raised(value, rule), rule)


def _value(rule: ValueRule) -> Column:
    return F.col(rule.name).cast("double")


def _without_nan(rule: ValueRule) -> Column:
    return F.when(~F.isnan(_value(rule)), _value(rule))


def _raised(value: Column, rule: ValueRule) -> Column:
    known = value if rule.missing is None else F.coalesce(value, F.lit(rule.missing))
    if rule.least is None:
        return known
    return F.when(known < F.lit(rule.least), F.lit(rule.least)).otherwise(known)


def _transformed(raised: Column, rule: ValueRule) -> Column:
    return F.log1p(raised) if rule.is_logarithm else raised


def cut(value: Column, lower: float, upper: float) -> Column:
    """Raise to the lower and lower to the upper bound; NULL stays NULL."""
    # least() and greatest() would pass over NULL and put the bound in its place.
    raised = F.when(value < F.lit(lower), F.lit(lower))
    return raised.when(value > F.lit(upper), F.lit(upper)).otherwise(value)
