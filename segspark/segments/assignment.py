"""Features and a model → each customer's segment."""

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.model.clusters import Centres
from segspark.model.segment_model import SegmentModel
from segspark.segments.nearest import are_few, nearest_centres
from segspark.settings.segments import AssignmentSettings
from segspark.tables.segments import CUSTOMER_FUNNEL, CUSTOMER_SEGMENTS

ASSIGNED = "assigned"
_SCORED = {
    "customer_id": "string",
    "cluster_index": "int",
    "runner_up_index": "int",
    "centre_distance": "double",
    "probability_ratio": "double",
    "confidence_ratio": "double",
    "isolation_score": "double",
    "is_isolated": "boolean",
    "is_outlier": "boolean",
}


def score_customers(features: DataFrame, *, model: SegmentModel) -> DataFrame:
    """Score every customer: by Spark's own columns where clusters have a few centres (KMeans).

    All other models run the very code that the served model runs.

    Args:
        features: One row per eligible customer with the model's columns, NULL only where the
            model says what that counts as; and the coordinates made of them by their
            `coordinate_names`, which are read only where centres are few.
        model: What scores.

    Returns:
        One row per customer: `customer_id`, `cluster_index`, `runner_up_index` (-1: none),
        `centre_distance`, `probability_ratio` (NULL or NaN: there is none), `confidence_ratio`,
        `isolation_score` and `is_isolated` (NULL: the model has no forest), `is_outlier`,
        `is_far_from_centre`.
    """
    is_far = F.col("centre_distance") > F.lit(model.outlier_distance)
    if isinstance(model.clusters, Centres) and are_few(model.clusters.centres):
        nearest = nearest_centres(features, model.clusters.centres)
        scored = nearest.withColumn("is_outlier", is_far)
    else:
        scored = _scored_by_python(features, model)
    absent = (name for name in _SCORED if name not in scored.columns)
    nothing = {name: F.lit(None).cast(_SCORED[name]) for name in absent}
    return scored.withColumns({**nothing, "is_far_from_centre": is_far})


def _scored_by_python(features: DataFrame, model: SegmentModel) -> DataFrame:
    """The same but for what a model never tells, since the way from Python costs time."""
    names, absent = model.vector.names, _absent_columns(model)
    told = {name: kind for name, kind in _SCORED.items() if name not in absent}

    def score(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            columns = [batch.column(name).to_numpy(zero_copy_only=False) for name in names]
            scores = model.score_values(np.column_stack(columns))
            known = {
                "customer_id": batch.column("customer_id"),
                "cluster_index": scores.cluster_index,
                "runner_up_index": scores.runner_up_index,
                "centre_distance": scores.centre_distance,
                "probability_ratio": scores.probability,
                "confidence_ratio": scores.confidence,
                "isolation_score": scores.isolation,
                "is_isolated": scores.is_isolated,
                "is_outlier": model.is_outlier(scores),
            }
            yield pa.RecordBatch.from_pydict({name: known[name] for name in told})

    values = (F.col(name).cast("double").alias(name) for name in names)
    schema = ", ".join(f"{name} {kind}" for name, kind in told.items())
    return features.select("customer_id", *values).mapInArrow(score, schema)


def _absent_columns(model: SegmentModel) -> list[str]:
    """What a model never tells, as its first centre shows."""
    known = model.score_points(model.clusters.centres[:1])
    has_no_forest = bool(np.isnan(known.isolation[0]))
    absent = ["isolation_score", "is_isolated"] if has_no_forest else []
    return [*absent, "probability_ratio"] if np.isnan(known.probability[0]) else absent


def customer_segments(
    scored: DataFrame,
    *,
    segment_ids: Mapping[int, str],
    settings: AssignmentSettings,
    run_id: str,
) -> DataFrame:
    """Give clusters their lasting ids and customers their flags.

    Args:
        scored: From `score_customers`.
        segment_ids: Cluster index → segment id.
        settings: The bound of borderline customers.
        run_id: Written into every row.

    Returns:
        Conforms to `CUSTOMER_SEGMENTS`.
    """
    names = F.create_map(*(F.lit(part) for pair in segment_ids.items() for part in pair))
    probability = F.col("probability_ratio")
    return scored.withColumns(
        {
            "run_id": F.lit(run_id),
            "segment_id": _named(names, "cluster_index"),
            "runner_up_segment_id": _named(names, "runner_up_index"),
            "probability_ratio": F.when(~F.isnan(probability), probability),
            "is_borderline": F.col("confidence_ratio") < settings.borderline_confidence,
        }
    ).transform(CUSTOMER_SEGMENTS.conform)


def customer_funnel(features: DataFrame, *, run_id: str) -> DataFrame:
    """Count customers by what becomes of them.

    Args:
        features: All customers of a snapshot with their `exclusion_reason`.
        run_id: Written into every row.

    Returns:
        Conforms to `CUSTOMER_FUNNEL`; the counts add up to all customers.
    """
    outcome = F.coalesce("exclusion_reason", F.lit(ASSIGNED)).alias("outcome")
    counted = features.groupBy(outcome).agg(F.count("*").alias("customer_count"))
    return counted.withColumn("run_id", F.lit(run_id)).transform(CUSTOMER_FUNNEL.conform)


def _named(names: Column, index: str) -> Column:
    return F.try_element_at(names, F.col(index))
