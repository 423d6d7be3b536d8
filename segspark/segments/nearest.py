"""Nearest centres as Spark columns: `Centres.score` for a table, without the way to Python."""

import operator
from collections.abc import Sequence
from functools import reduce
from math import inf, nan

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.model.scores import NO_RUNNER_UP, Floats


def nearest_centres(features: DataFrame, point: Column, centres: Floats) -> DataFrame:
    """Score every customer by the nearest of some centres, the first of equally near ones.

    Args:
        features: One row per customer, `customer_id` and what `point` is made of.
        point: Coordinates, array<double> of d, none of them NULL.
        centres: Shape (k, d).

    Returns:
        One row per customer: `customer_id`, `cluster_index`, `runner_up_index` (-1: none),
        `centre_distance`, `confidence_ratio`, as in `segspark.model.scores`.
    """
    # Of columns that cannot be NULL Spark makes less code.
    known = (F.coalesce(point[i], F.lit(nan)).alias(f"x{i}") for i in range(centres.shape[1]))
    points = features.select("customer_id", *known)
    squared = (_squared(centre).alias(f"d{j}") for j, centre in enumerate(centres.tolist()))
    seen = points.select("customer_id", *squared).withColumns(
        {
            "cluster": F.lit(0),
            "runner_up": F.lit(NO_RUNNER_UP),
            "own": F.col("d0"),
            "other": F.lit(inf),
        }
    )
    for index in range(1, len(centres)):
        seen = seen.withColumns(_with_another(index))
    return seen.select(
        "customer_id",
        F.col("cluster").alias("cluster_index"),
        F.col("runner_up").alias("runner_up_index"),
        F.sqrt("own").alias("centre_distance"),
        (F.lit(1.0) if len(centres) == 1 else _lead()).alias("confidence_ratio"),
    )


def _squared(centre: Sequence[float]) -> Column:
    """Squared distance of the point to a centre, by differences as `squared_distances` does it."""
    offsets = [F.col(f"x{i}") - F.lit(middle) for i, middle in enumerate(centre)]
    return reduce(operator.add, (offset * offset for offset in offsets))


def _with_another(index: int) -> dict[str, Column]:
    """The nearest two of the first centres, once one more is looked at."""
    distance, own, other = F.col(f"d{index}"), F.col("own"), F.col("other")
    is_nearest, is_next = distance < own, distance < other
    return {
        "cluster": F.when(is_nearest, F.lit(index)).otherwise(F.col("cluster")),
        "runner_up": F.when(is_nearest, F.col("cluster"))
        .when(is_next, F.lit(index))
        .otherwise(F.col("runner_up")),
        "own": F.when(is_nearest, distance).otherwise(own),
        "other": F.when(is_nearest, own).when(is_next, distance).otherwise(other),
    }


def _lead() -> Column:
    """(d2 - d1) / d2, and 0 where both are."""
    own, other = F.sqrt("own"), F.sqrt("other")
    return F.when(other > 0, (other - own) / other).otherwise(F.lit(0.0))
