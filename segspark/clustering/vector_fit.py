"""Customer features to the parameters of a vector, by two aggregations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from segspark.clustering.vectorise import cut, raised_value, transformed
from segspark.errors import ClusteringError
from segspark.model.vector import FeatureVector, ValueRule, VectorColumn
from segspark.settings.vector import VectorSettings

_FEWEST_CUSTOMERS = 2
"""One alone deviates from nothing."""
_NORMAL_QUARTILE_DISTANCE = 1.349
"""Of a normal distribution with deviation 1, so that both scalings mean the same there."""


@dataclass(frozen=True, slots=True)
class VectorFit:
    """A fitted vector.

    Attributes:
        vector: Its parameters.
        warnings: What a reader should know of them, sentences.
    """

    vector: FeatureVector
    warnings: tuple[str, ...]


def fit_vector(
    features: DataFrame, rules: Sequence[ValueRule], settings: VectorSettings
) -> VectorFit:
    """Fit cut, centre and scale of each column after its transformation.

    First the exact quantiles with linear interpolation (numpy's default), which no partitioning
    changes; then centre and scale of the values after the cut.

    Args:
        features: One row per customer with the columns of the rules, in natural units; other
            columns are ignored.
        rules: The columns and how each is read.
        settings: Recipe, share to cut off at each end and scaling.

    Raises:
        ClusteringError: There are fewer than two customers, a value is missing without a rule,
            infinite or without a logarithm, or a column is the same for every customer. The recipe
            `behaviour` leaves such a column out, unless all are, with a warning.
    """
    tail = settings.winsorise_tail_ratio
    first = _only_row(features, [a for rule in rules for a in _quantile_aggregates(rule, tail)])
    _check_values(first, rules)
    bounds = {rule.name: _bounds(first, rule.name, tail) for rule in rules}
    is_robust = settings.scaling == "robust"
    aggregates = _robust_aggregates if is_robust else _standard_aggregates
    second = _only_row(
        features, [a for rule in rules for a in aggregates(rule.name, _cut(rule, bounds))]
    )
    kept, warnings = _telling(second, rules, settings)
    scale = _robust_scale if is_robust else _standard_scale
    columns = tuple(VectorColumn(r, *bounds[r.name], *scale(second, r.name)) for r in kept)
    if is_robust:
        warnings += _coinciding_quartiles(second, kept)
    return VectorFit(FeatureVector(columns), warnings)


def _only_row(features: DataFrame, aggregates: list[Column]) -> Row:
    return features.agg(F.count(F.lit(1)).alias("rows"), *aggregates).collect()[0]


def _quantile_aggregates(rule: ValueRule, tail: float) -> tuple[Column, Column]:
    value, infinity = raised_value(rule), F.lit(float("inf"))
    least = F.lit(0.0) if rule.is_logarithm else -infinity
    is_finite = F.abs(F.col(rule.name).cast("double")) != infinity
    is_usable = value.isNotNull() & F.coalesce(is_finite, F.lit(col=True)) & (value >= least)
    quantiles = F.percentile(transformed(rule), [tail, 1 - tail])
    return (
        F.count_if(~is_usable).alias(f"{rule.name} wrong"),
        (quantiles if tail > 0 else F.lit(None)).alias(f"{rule.name} quantiles"),
    )


def _cut(rule: ValueRule, bounds: Mapping[str, tuple[float, float]]) -> Column:
    return cut(transformed(rule), *bounds[rule.name])


def _standard_aggregates(name: str, value: Column) -> tuple[Column, ...]:
    return (
        F.avg(value).alias(f"{name} mean"),
        F.stddev_pop(value).alias(f"{name} deviation"),
        (F.min(value) == F.max(value)).alias(f"{name} constant"),
    )


def _robust_aggregates(name: str, value: Column) -> tuple[Column, ...]:
    quartiles = F.percentile(value, [0.25, 0.5, 0.75]).alias(f"{name} quartiles")
    return (*_standard_aggregates(name, value), quartiles)


def _bounds(row: Row, name: str, tail: float) -> tuple[float, float]:
    if tail == 0:
        return -float("inf"), float("inf")
    lower, upper = row[f"{name} quantiles"]
    return lower, upper


def _standard_scale(row: Row, name: str) -> tuple[float, float]:
    return row[f"{name} mean"], row[f"{name} deviation"]


def _robust_scale(row: Row, name: str) -> tuple[float, float]:
    lower, median, upper = row[f"{name} quartiles"]
    distance = (upper - lower) / _NORMAL_QUARTILE_DISTANCE
    return median, distance if distance > 0 else row[f"{name} deviation"]


def _coinciding_quartiles(row: Row, rules: Sequence[ValueRule]) -> tuple[str, ...]:
    quartiles = {rule.name: row[f"{rule.name} quartiles"] for rule in rules}
    return tuple(
        f"half of the customers or more have the same {name}, so its quartiles coincide and it is "
        "scaled by its deviation"
        for name, (lower, _, upper) in quartiles.items()
        if lower == upper
    )


def _check_values(row: Row, rules: Sequence[ValueRule]) -> None:
    if row["rows"] < _FEWEST_CUSTOMERS:
        raise ClusteringError(
            f"a clustering needs at least two customers and there are {row['rows']}: "
            f"widen the observation window or ingest more purchases"
        )
    for rule in rules:
        if wrong := row[f"{rule.name} wrong"]:
            what = "missing, infinite or negative" if rule.is_logarithm else "missing or infinite"
            take = "take no logarithm of negative ones, " if rule.is_logarithm else ""
            raise ClusteringError(
                f"{rule.name} is {what} for {wrong} of {row['rows']} customers: say in "
                f"training.vector.missing_values what a missing one counts as, {take}or name "
                "other training.vector.columns"
            )


def _telling(
    row: Row, rules: Sequence[ValueRule], settings: VectorSettings
) -> tuple[list[ValueRule], tuple[str, ...]]:
    """The columns that tell customers apart, and what there is to say of the others.

    A recipe of behaviour is for any shop, so it does without what is the same for everybody in
    one; a column that a user or a definition names is not dropped silently.
    """
    same = [rule.name for rule in rules if row[f"{rule.name} constant"]]
    kept = [rule for rule in rules if rule.name not in same]
    if same and (settings.recipe != "behaviour" or not kept):
        raise ClusteringError(
            f"{same[0]} is the same for every customer once its tails are cut off, so nothing can "
            "be told apart by it: name other training.vector.columns, or lower "
            "training.vector.winsorise_tail_ratio"
        )
    return kept, tuple(
        f"{name} is the same for every customer once its tails are cut off, so it is left out"
        for name in same
    )
