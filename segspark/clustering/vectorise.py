"""The feature vector as Spark columns: `FeatureVector.point` for a whole table."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from segspark.model.vector import FeatureVector, ValueRule, VectorColumn


def vector_column(vector: FeatureVector) -> Column:
    """Express `FeatureVector.point` as array<double>, one entry per column in order.

    A missing value without a rule stays NULL inside the array instead of taking a bound's place.
    """
    return F.array(*(_coordinate(column) for column in vector.columns))


def _coordinate(column: VectorColumn) -> Column:
    """Express `VectorColumn.coordinate`; NULL where a value is missing without a rule."""
    value = cut(transformed(column.rule), column.lower, column.upper)
    return (value - F.lit(column.centre)) / F.lit(column.scale)


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
