"""The engine `sparkml` beside Spark ML called directly: same points, seeds and parameters."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from pyspark.ml.clustering import BisectingKMeans, GaussianMixture, KMeans
from pyspark.ml.functions import array_to_vector
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from segspark.clustering.blocks import PointBlocks, point_blocks
from segspark.clustering.engine import Candidate, FittedCandidate, seed_of
from segspark.clustering.sparkml import SparkMLEngine
from segspark.model.clusters import ClusterModel
from segspark.model.mixture import Mixture
from segspark.model.scores import Floats
from segspark.settings.training import Algorithm, SweepSettings
from tests.clustering_data import points_frame

STARTS = 4
SETTINGS = SweepSettings(kmeans_restarts=STARTS, mixture_restarts=STARTS, most_iterations=3)
"""So few iterations that each start ends elsewhere."""
KMEANS = Candidate(Algorithm.KMEANS, 5)
BISECTING = Candidate(Algorithm.BISECTING_KMEANS, 5)
MIXTURE = Candidate(Algorithm.GAUSSIAN_MIXTURE, 4)


def clouds() -> Floats:
    generator = np.random.default_rng(11)
    centres = generator.normal(scale=2.0, size=(6, 3))
    return centres[generator.integers(0, 6, 500)] + generator.normal(size=(500, 3))


def fit(blocks: PointBlocks, candidate: Candidate) -> FittedCandidate:
    (found,) = SparkMLEngine().fit(blocks, [candidate], SETTINGS, progress=lambda _: None)
    return found


def model_of(fitted: FittedCandidate) -> ClusterModel:
    assert fitted.clusters is not None
    return fitted.clusters


@contextmanager
def laid_out(
    spark: SparkSession, points: Floats
) -> Iterator[tuple[PointBlocks, DataFrame, Floats]]:
    """The blocks, the same points for Spark ML in their order, and as an array in that order."""
    with point_blocks(points_frame(spark, points)) as blocks:
        rows = blocks.rows().localCheckpoint(eager=True)
        values = np.array([row["vector"] for row in rows.collect()])
        yield blocks, rows.select(array_to_vector(F.col("vector")).alias("features")), values


def seeds_of(candidate: Candidate) -> list[int]:
    return [seed_of(candidate, SETTINGS, restart=restart) for restart in range(STARTS)]


def test_kmeans_is_the_best_of_spark_mls_own_starts(spark: SparkSession) -> None:
    with laid_out(spark, clouds()) as (blocks, vectors, values):
        found = fit(blocks, KMEANS)
        starts = [KMeans(k=5, seed=seed, maxIter=3).fit(vectors) for seed in seeds_of(KMEANS)]
        costs = [each.summary.trainingCost for each in starts]
        best = starts[int(np.argmin(costs))]
        predicted = [row["prediction"] for row in best.transform(vectors).collect()]

    assert len({round(cost, 6) for cost in costs}) == STARTS
    assert np.argmin(costs) != 0
    np.testing.assert_array_equal(model_of(found).centres, np.array(best.clusterCenters()))
    np.testing.assert_array_equal(model_of(found).assign(values), predicted)
    assert (found.restarts, found.iterations) == (STARTS, best.summary.numIter)


def test_a_mixture_is_the_likeliest_of_spark_mls_own_starts(spark: SparkSession) -> None:
    with laid_out(spark, clouds()) as (blocks, vectors, values):
        found = fit(blocks, MIXTURE)
        starts = [
            GaussianMixture(k=4, seed=seed, maxIter=3).fit(vectors) for seed in seeds_of(MIXTURE)
        ]
        likelihoods = [each.summary.logLikelihood for each in starts]
        best = starts[int(np.argmax(likelihoods))]
        predicted = [row["prediction"] for row in best.transform(vectors).collect()]

    assert len({round(each, 6) for each in likelihoods}) == STARTS
    assert np.argmax(likelihoods) != 0
    model = model_of(found)
    assert isinstance(model, Mixture)
    np.testing.assert_array_equal(model.weights, best.weights)
    for place, gaussian in enumerate(best.gaussians):
        np.testing.assert_array_equal(model.centres[place], gaussian.mean.toArray())
        np.testing.assert_array_equal(model.covariances[place], gaussian.cov.toArray())
    np.testing.assert_array_equal(model.assign(values), predicted)


def test_bisecting_is_spark_mls_own_of_points_moved_away_from_zero(spark: SparkSession) -> None:
    with laid_out(spark, clouds()) as (blocks, _, values):
        found = fit(blocks, BISECTING)
        away = points_in_order(spark, values + 1.0)
        direct = BisectingKMeans(k=5, seed=seeds_of(BISECTING)[0], maxIter=3).fit(away)
        predicted = [row["prediction"] for row in direct.transform(away).collect()]

    np.testing.assert_allclose(
        model_of(found).centres, np.array(direct.clusterCenters()) - 1.0, atol=1e-12
    )
    np.testing.assert_array_equal(model_of(found).assign(values), predicted)


def points_in_order(spark: SparkSession, values: Floats) -> DataFrame:
    """One partition, as few customers have, in the given order: features (vector)."""
    rows = [(row.tolist(),) for row in values]
    frame = spark.createDataFrame(rows, "vector array<double>").coalesce(1)
    return frame.select(array_to_vector(F.col("vector")).alias("features"))


def test_fewer_segments_than_asked_are_refused_in_a_sentence_and_stop_no_other(
    spark: SparkSession,
) -> None:
    # Spark splits no cluster whose squared distances are below its rounding.
    nearly_equal = 1e-9 * np.random.default_rng(1).normal(size=(90, 3))
    points = np.repeat(4.0 * np.eye(3), 30, axis=0) + nearly_equal

    with point_blocks(points_frame(spark, points)) as blocks:
        three, four, kmeans = SparkMLEngine().fit(
            blocks,
            [
                Candidate(Algorithm.BISECTING_KMEANS, 3),
                Candidate(Algorithm.BISECTING_KMEANS, 4),
                Candidate(Algorithm.KMEANS, 3),
            ],
            SETTINGS,
            progress=lambda _: None,
        )

    assert (four.clusters, four.refusal) == (None, "4 segments were asked and 3 came back")
    assert [model_of(each).k for each in (three, kmeans)] == [3, 3]
