"""Nearest centres as Spark columns: `Centres.score` for a table, without the way to Python.

Each step is a projection of its own, since Spark works out again, or keeps outside the method that
it makes, what is named more than once in one. Of an array it would make an object per customer.
"""

import operator
from collections.abc import Sequence
from functools import reduce
from math import inf, nan

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.model.scores import NO_RUNNER_UP, Floats
from segspark.model.vector import coordinate_names

_MOST_COORDINATES = 300
"""Of all centres together; of far more Spark makes a method that is larger than Java takes."""
_MOST_FIELDS = 100
"""Spark compiles no step of more columns (`spark.sql.codegen.maxFields`)."""
_MOST_STEPS = 10
"""Each is a table to Spark, which takes longer to plan than the last; 30 take it seconds."""


def are_few(centres: Floats) -> bool:
    """Whether Spark makes of them one method that Java compiles well, and soon."""
    return centres.size <= _MOST_COORDINATES and len(centres) <= _MOST_STEPS * _centres_a_step(
        centres
    )


def _centres_a_step(centres: Floats) -> int:
    """A step holds the id, all distances, the coordinates, and its centres' differences to them."""
    count, width = centres.shape
    return int((_MOST_FIELDS - 1 - count - width) // width)


def nearest_centres(points: DataFrame, centres: Floats) -> DataFrame:
    """Score every customer by the nearest of some centres, the first of equally near ones.

    Args:
        points: One row per customer: `customer_id` and the coordinates by their
            `coordinate_names`, none of them NULL.
        centres: Shape (k, d); `are_few` of them.

    Returns:
        One row per customer: `customer_id`, `cluster_index`, `runner_up_index` (-1: none),
        `centre_distance`, `confidence_ratio`, as in `segspark.model.scores`.
    """
    distances = _with_squared_distances(points, centres)
    if len(centres) == 1:
        return distances.select(
            "customer_id",
            F.lit(0).alias("cluster_index"),
            F.lit(NO_RUNNER_UP).alias("runner_up_index"),
            F.sqrt("squared_0").alias("centre_distance"),
            F.lit(1.0).alias("confidence_ratio"),
        )
    ranked = _with_nearest_two(distances, len(centres))
    return ranked.select(
        "customer_id",
        "cluster_index",
        "runner_up_index",
        F.sqrt("own").alias("centre_distance"),
        _lead().alias("confidence_ratio"),
    )


def _with_squared_distances(points: DataFrame, centres: Floats) -> DataFrame:
    """Add `squared_0`, … to each centre, by differences as `squared_distances` does it."""
    count, width = centres.shape
    # Of columns that cannot be NULL Spark makes less code.
    names = coordinate_names(width)
    known = (F.coalesce(name, F.lit(nan)).alias(name) for name in names)
    table = points.select("customer_id", *known)
    step = _centres_a_step(centres)
    for start in range(0, count, step):
        few = dict(enumerate(centres[start : start + step].tolist(), start=start))
        offsets = {
            f"offset_{j}_{i}": F.col(name) - F.lit(middle)
            for j, centre in few.items()
            for i, (name, middle) in enumerate(zip(names, centre, strict=True))
        }
        sums = {
            f"squared_{j}": _sum_of_squares([F.col(f"offset_{j}_{i}") for i in range(width)])
            for j in few
        }
        table = table.withColumns(offsets).withColumns(sums).drop(*offsets)
    return table


def _sum_of_squares(offsets: Sequence[Column]) -> Column:
    return reduce(operator.add, (offset * offset for offset in offsets))


def _with_nearest_two(distances: DataFrame, count: int) -> DataFrame:
    """Add `own`, `cluster_index`, `other` and `runner_up_index` of two centres or more."""
    squared = [f"squared_{j}" for j in range(count)]
    nearest = _with_least(distances, squared, value="own", index="cluster_index")
    others = {
        name: F.when(F.col("cluster_index") == j, inf).otherwise(F.col(name))
        for j, name in enumerate(squared)
    }
    return _with_least(nearest.withColumns(others), squared, value="other", index="runner_up_index")


def _with_least(table: DataFrame, names: Sequence[str], *, value: str, index: str) -> DataFrame:
    """Add the least value of two columns or more, and the place of the first that has it."""
    first, *others = (F.col(name) == F.col(value) for name in names[:-1])
    place = F.when(first, 0)
    for number, is_least in enumerate(others, start=1):
        place = place.when(is_least, number)
    known = table.withColumn(value, F.least(*names))
    return known.withColumn(index, place.otherwise(len(names) - 1))


def _lead() -> Column:
    """(d2 - d1) / d2, and 0 where both are; Java takes a root once that is named twice here."""
    own, other = F.sqrt("own"), F.sqrt("other")
    return F.when(F.col("other") > 0, (other - own) / other).otherwise(0.0)
