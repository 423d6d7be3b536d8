"""Customer features to points: what is fitted once, and the Column that applies it."""

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from segspark.errors import ClusteringError
from segspark.model.vector import FeatureVector, VectorColumn
from segspark.settings.training import VectorSettings

_FEWEST_CUSTOMERS = 2
"""One alone deviates from nothing."""


def fit_vector(features: DataFrame, settings: VectorSettings) -> FeatureVector:
    """Fit cut, mean and population deviation of each column on the scale of log(1 + value).

    Two aggregations: the exact quantiles with linear interpolation (numpy's default), then mean
    and deviation of the values after the cut.

    Args:
        features: One row per customer with the numeric columns that `settings` names, in natural
            units; other columns are ignored.
        settings: Columns and the share to cut off at each end.

    Raises:
        ClusteringError: There are fewer than two customers, a value is missing, infinite or
            negative, or a column is the same for every customer.
    """
    names: tuple[str, ...] = settings.columns
    tail = settings.winsorise_tail_ratio
    first = _only_row(features, [a for n in names for a in _quantile_aggregates(n, tail)])
    _check_values(first, names)
    bounds = {name: _bounds(first, name, tail) for name in names}
    second = _only_row(features, [a for n in names for a in _moment_aggregates(n, *bounds[n])])
    _check_variety(second, names)
    return FeatureVector(
        tuple(
            VectorColumn(
                name=name,
                lower=bounds[name][0],
                upper=bounds[name][1],
                mean=second[f"{name} mean"],
                deviation=second[f"{name} deviation"],
            )
            for name in names
        )
    )


def vector_column(vector: FeatureVector) -> Column:
    """Express `FeatureVector.transform` as array<double>, one entry per column in order.

    A missing value stays NULL inside the array instead of taking a bound's place.
    """
    return F.array(
        *(
            (_cut(_log(column.name), column.lower, column.upper) - F.lit(column.mean))
            / F.lit(column.deviation)
            for column in vector.columns
        )
    )


def _log(name: str) -> Column:
    return F.log1p(F.col(name).cast("double"))


def _cut(value: Column, lower: float, upper: float) -> Column:
    # least() and greatest() would pass over NULL and put the bound in its place.
    return F.when(value < F.lit(lower), F.lit(lower)).otherwise(
        F.when((value > F.lit(upper)) & ~F.isnan(value), F.lit(upper)).otherwise(value)
    )


def _only_row(features: DataFrame, aggregates: list[Column]) -> Row:
    return features.agg(F.count(F.lit(1)).alias("rows"), *aggregates).collect()[0]


def _quantile_aggregates(name: str, tail: float) -> tuple[Column, Column]:
    value = F.col(name).cast("double")
    is_usable = value.isNotNull() & (value >= 0) & (value < F.lit(float("inf")))
    quantiles = F.percentile(_log(name), [tail, 1 - tail])
    return (
        F.count_if(~is_usable).alias(f"{name} wrong"),
        (quantiles if tail > 0 else F.lit(None)).alias(f"{name} quantiles"),
    )


def _moment_aggregates(name: str, lower: float, upper: float) -> tuple[Column, ...]:
    value = _cut(_log(name), lower, upper)
    return (
        F.avg(value).alias(f"{name} mean"),
        F.stddev_pop(value).alias(f"{name} deviation"),
        (F.min(value) == F.max(value)).alias(f"{name} constant"),
    )


def _bounds(row: Row, name: str, tail: float) -> tuple[float, float]:
    if tail == 0:
        return -float("inf"), float("inf")
    lower, upper = row[f"{name} quantiles"]
    return lower, upper


def _check_values(row: Row, names: tuple[str, ...]) -> None:
    if row["rows"] < _FEWEST_CUSTOMERS:
        raise ClusteringError(
            f"a clustering needs at least two customers and there are {row['rows']}: "
            f"widen the observation window or ingest more purchases"
        )
    for name in names:
        if wrong := row[f"{name} wrong"]:
            raise ClusteringError(
                f"{name} is missing, infinite or negative for {wrong} of {row['rows']} customers, "
                f"and the vector takes logarithms: leave those customers out first"
            )


def _check_variety(row: Row, names: tuple[str, ...]) -> None:
    for name in names:
        if row[f"{name} constant"]:
            raise ClusteringError(
                f"{name} is the same for every customer once its tails are cut off, so nothing "
                f"can be told apart by it: take it out of training.vector.columns, or lower "
                f"training.vector.winsorise_tail_ratio"
            )
