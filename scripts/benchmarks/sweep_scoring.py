"""Scoring by a served model: a table beside a bare read of it, and one customer by Python alone."""

import statistics
import time
from collections.abc import Callable
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from segspark.clustering.vectorise import with_coordinates
from segspark.features.eligibility import scorable
from segspark.model.clusters import ClusterModel
from segspark.model.segment_model import SegmentModel
from segspark.model.vector import FeatureVector, ValueRule, VectorColumn
from segspark.segments.assignment import score_customers

_LOWER, _UPPER = -3.0, 9.0
_FAR_OUT = 10.0
_WARM_UP_TURNS = 10


def scoring_model(clusters: ClusterModel, *, names: list[str]) -> SegmentModel:
    """A model of features that are scaled already, cut off six deviations out."""
    columns = tuple(
        VectorColumn(ValueRule(name, "none"), lower=_LOWER, upper=_UPPER, centre=0.0, scale=1.0)
        for name in names
    )
    return SegmentModel(
        model_id="benchmark",
        training_id="benchmark",
        algorithm="kmeans",
        vector=FeatureVector(columns),
        clusters=clusters,
        outlier_distance=_FAR_OUT,
    )


def time_scoring(
    spark: SparkSession, path: Path, model: SegmentModel, *, rounds: int
) -> dict[str, list[float]]:
    """Read the model's columns of a Delta table, and score them as the stage `assign` does.

    They take turns and both write to nowhere; the first turns warm up and do not count: Java
    compiles the one large method of a scan or of scoring after some seconds.

    Args:
        spark: The session.
        path: The customers as Parquet; the table is written beside it.
        model: What scores.
        rounds: Turns that count.

    Returns:
        Seconds of each round: `scan`, `score`.
    """
    rules, names = model.vector.rules, model.vector.names
    table = str(path.with_suffix(".delta"))
    spark.read.parquet(str(path)).write.format("delta").save(table)
    scan = spark.read.format("delta").load(table).select("customer_id", *names)
    known = scan.withColumn("exclusion_reason", F.lit(None).cast("string"))
    points = with_coordinates(scorable(known, rules=rules), model.vector)
    scored = score_customers(points, model=model)
    turns = [(_written(scan), _written(scored)) for _ in range(_WARM_UP_TURNS + rounds)]
    counted = turns[_WARM_UP_TURNS:]
    return {"scan": [each[0] for each in counted], "score": [each[1] for each in counted]}


def one_customer_us(
    model: SegmentModel,
    *,
    rounds: int,
    repeats: int = 5_000,
    clock: Callable[[], float] = time.perf_counter,
) -> float:
    """Median over the rounds of the mean microseconds that one customer's values take."""
    values = dict.fromkeys(model.vector.names, 0.0)
    micros = []
    for _ in range(rounds + 1):
        started = clock()
        for _ in range(repeats):
            model.score_customer(values)
        micros.append((clock() - started) / repeats * 1e6)
    return statistics.median(micros[1:])


def _written(frame: DataFrame) -> float:
    started = time.monotonic()
    frame.write.format("noop").mode("overwrite").save()
    return time.monotonic() - started
