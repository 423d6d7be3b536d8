"""One sweep by segspark and one as a careful user of Spark ML writes it, timed in parts."""

import time
from pathlib import Path
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.ml.clustering import (
    BisectingKMeans,
    BisectingKMeansModel,
    GaussianMixture,
    GaussianMixtureModel,
    KMeans,
    KMeansModel,
)
from pyspark.ml.evaluation import ClusteringEvaluator
from pyspark.ml.feature import VectorAssembler
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from segspark.clustering.batched import BatchedEngine
from segspark.clustering.blocks import point_blocks
from segspark.clustering.engine import Candidate, candidates_of
from segspark.clustering.evaluation import evaluate
from segspark.clustering.sparkmodels import centres_of, mixture_of, tree_of
from segspark.model.clusters import ClusterModel
from segspark.settings.training import Algorithm, SweepSettings

_SEED = 1
_ESTIMATORS = {
    Algorithm.KMEANS: KMeans,
    Algorithm.BISECTING_KMEANS: BisectingKMeans,
    Algorithm.GAUSSIAN_MIXTURE: GaussianMixture,
}


def segspark_sweep(spark: SparkSession, path: Path, settings: SweepSettings) -> dict[str, Any]:
    """Fit and judge all candidates together.

    Args:
        spark: The session.
        path: From `write_points`.
        settings: The candidates; all else as it is by default.

    Returns:
        `seconds` of `prepare`, `fit` and `evaluate`, and `candidates`: by id, those that have a
        model with it, as `clusters`, and their `silhouette`.
    """
    begun = time.monotonic()
    customers = spark.read.parquet(str(path))
    names = [name for name in customers.columns if name != "customer_id"]
    with point_blocks(customers.select("customer_id", F.array(*names).alias("vector"))) as blocks:
        prepared = time.monotonic()
        fitted = BatchedEngine().fit(
            blocks, candidates_of(settings), settings, progress=lambda _: None
        )
        fits_done = time.monotonic()
        models = {
            each.candidate.candidate_id: each.clusters
            for each in fitted
            if each.clusters is not None
        }
        judged = evaluate(blocks, list(models.values()))
        ended = time.monotonic()
    return {
        "seconds": {
            "prepare": prepared - begun,
            "fit": fits_done - prepared,
            "evaluate": ended - fits_done,
        },
        "candidates": {
            name: {"clusters": models[name].to_dict(), "silhouette": each.silhouette}
            for name, each in zip(models, judged, strict=True)
        },
    }


def spark_ml_sweep(
    spark: SparkSession, path: Path, settings: SweepSettings, *, is_cached: bool
) -> dict[str, Any]:
    """Fit each candidate by Spark ML's own defaults and judge it by its own evaluator, in turn.

    Args:
        spark: The session.
        path: From `write_points`.
        settings: The candidates; of the rest nothing is taken.
        is_cached: Whether the input is cached, as Spark's guides tell; the first fit fills it.

    Returns:
        As `segspark_sweep`.
    """
    begun = time.monotonic()
    customers = spark.read.parquet(str(path))
    names = [name for name in customers.columns if name != "customer_id"]
    assembler = VectorAssembler(inputCols=names, outputCol="features")
    vectors = assembler.transform(customers).select("features")
    if is_cached:
        vectors = vectors.cache()
    seconds = {"prepare": time.monotonic() - begun, "fit": 0.0, "evaluate": 0.0}
    found: dict[Candidate, tuple[Any, float | None]] = {}
    for candidate in candidates_of(settings):
        started = time.monotonic()
        estimator = _ESTIMATORS[candidate.algorithm](k=candidate.segment_count, seed=_SEED)
        model = estimator.fit(vectors)
        fitted = time.monotonic()
        found[candidate] = model, _silhouette(model.transform(vectors))
        seconds["fit"] += fitted - started
        seconds["evaluate"] += time.monotonic() - fitted
    vectors.unpersist()
    return {
        "seconds": seconds,
        "candidates": {
            candidate.candidate_id: {
                "clusters": _clusters(model).to_dict(),
                "silhouette": silhouette,
            }
            for candidate, (model, silhouette) in found.items()
        },
    }


def _silhouette(predicted: DataFrame) -> float | None:
    """Spark's own; None where it refuses because all customers are in one cluster."""
    found: float | None = None
    try:
        found = ClusteringEvaluator().evaluate(predicted)
    except Py4JJavaError as error:
        if "greater than one" not in str(error.java_exception):
            raise
    return found


def _clusters(model: KMeansModel | BisectingKMeansModel | GaussianMixtureModel) -> ClusterModel:
    if isinstance(model, KMeansModel):
        return centres_of(model)
    if isinstance(model, BisectingKMeansModel):
        return tree_of(model)
    return mixture_of(model)
