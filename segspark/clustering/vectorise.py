"""The feature vector as Spark columns: `FeatureVector.point` for a whole table."""

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
    coordinates = coordinate_names(len(vector.columns))
    apart = with_coordinates(features, vector)
    return apart.withColumn(name, F.array(*coordinates)).drop(*coordinates)


def with_coordinates(features: DataFrame, vector: FeatureVector) -> DataFrame:
    """Add what `with_vector` adds as columns by their `coordinate_names`."""
    names = coordinate_names(len(vector.columns))
    # Spark works out a value as often as an expression names it, so bounds look at a column.
    rules = (column.rule for column in vector.columns)
    values = features.withColumns(dict(zip(names, map(transformed, rules), strict=True)))
    return values.withColumns(
        dict(zip(names, map(_coordinate, names, vector.columns), strict=True))
    )


def _coordinate(value: str, column: VectorColumn) -> Column:
    """Express what `VectorColumn.coordinate` does to a transformed value; NULL stays NULL."""
    return (cut(F.col(value), column.lower, column.upper) - column.centre) / column.scale


def transformed(rule: ValueRule) -> Column:
    """Express `ValueRule.read`; NULL where a value is missing without a rule or has no logarithm.

    An infinite value stays infinite, since an expression cannot refuse it.
    """
    raised = raised_value(rule)
    return F.log1p(raised) if rule.is_logarithm else raised


def raised_value(rule: ValueRule) -> Column:
    """The value in natural units: NULL and NaN as what they count as, not below the least."""
    value = F.col(rule.name).cast("double")
    known = F.when(~F.isnan(value), value)
    if rule.missing is not None:
        known = F.coalesce(known, F.lit(rule.missing))
    if rule.least is None:
        return known
    return F.when(known < F.lit(rule.least), F.lit(rule.least)).otherwise(known)


def cut(value: Column, lower: float, upper: float) -> Column:
    """Raise to the lower and lower to the upper bound; NULL stays NULL."""
    # least() and greatest() would pass over NULL and put the bound in its place.
    return F.when(value < F.lit(lower), F.lit(lower)).otherwise(
        F.when(value > F.lit(upper), F.lit(upper)).otherwise(value)
    )
