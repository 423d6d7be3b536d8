from typing import Any

import numpy as np
import pytest
from pyspark.ml.clustering import BisectingKMeans, GaussianMixture, KMeans
from pyspark.ml.functions import array_to_vector
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from sklearn.metrics import adjusted_rand_score

from segspark.clustering.batched import fit_in_memory
from segspark.clustering.blocks import point_blocks
from segspark.clustering.engine import Candidate, FittedCandidate
from segspark.clustering.evaluation import evaluate
from segspark.clustering.sparkml import SparkMLEngine
from segspark.clustering.sparkmodels import centres_of, mixture_of, tree_of
from segspark.clustering.vectorise import with_vector
from segspark.model.scores import Floats
from segspark.settings.training import Algorithm, SweepSettings
from segspark.settings.vector import VectorSettings
from tests.clustering_data import (
    fit_vector_of,
    known_answers,
    online_retail_customers,
    points_frame,
)

FAR_OUT = (60.0, -60.0, 60.0)
ONE_START = SweepSettings(kmeans_restarts=1, mixture_restarts=1, most_iterations=5)


def clouds(rows: int = 400) -> Floats:
    generator = np.random.default_rng(11)
    centres = generator.normal(scale=2.0, size=(5, 3))
    return centres[generator.integers(0, 5, rows)] + generator.normal(size=(rows, 3))


def fit(points: DataFrame, *candidates: Candidate) -> list[FittedCandidate]:
    with point_blocks(points) as blocks:
        return SparkMLEngine().fit(blocks, candidates, ONE_START, progress=lambda _: None)


def with_outlier(spark: SparkSession) -> tuple[Floats, DataFrame]:
    values = np.vstack([clouds(), FAR_OUT])
    vectors = points_frame(spark, values).select(array_to_vector(F.col("vector")).alias("vector"))
    return values, vectors


def test_numpy_assigns_every_customer_as_sparks_kmeans_does(spark: SparkSession) -> None:
    values, vectors = with_outlier(spark)
    fitted = KMeans(k=5, seed=1, featuresCol="vector", maxIter=10).fit(vectors)

    model = centres_of(fitted)

    predicted = [row["prediction"] for row in fitted.transform(vectors).collect()]
    np.testing.assert_array_equal(model.score(values).cluster_index, predicted)
    np.testing.assert_array_equal(model.centres, np.array(fitted.clusterCenters()))


def test_numpy_descends_sparks_bisecting_tree(spark: SparkSession) -> None:
    values, vectors = with_outlier(spark)
    fitted = BisectingKMeans(k=6, seed=1, featuresCol="vector", maxIter=5).fit(vectors)

    model = tree_of(fitted)

    predicted = [row["prediction"] for row in fitted.transform(vectors).collect()]
    np.testing.assert_array_equal(model.score(values).cluster_index, predicted)
    np.testing.assert_array_equal(model.centres, np.array(fitted.clusterCenters()))
    nearest = ((values[:, None] - model.centres[None]) ** 2).sum(axis=2).argmin(axis=1)
    assert (nearest != predicted).any()


def test_numpy_posteriors_are_sparks_even_far_out(spark: SparkSession) -> None:
    values, vectors = with_outlier(spark)
    inside = points_frame(spark, values[:-1]).select(
        array_to_vector(F.col("vector")).alias("vector")
    )
    fitted = GaussianMixture(k=4, seed=1, featuresCol="vector", maxIter=10).fit(inside)
    rows = fitted.transform(vectors).collect()

    model = mixture_of(fitted)
    scores = model.score(values)

    expected = np.array([row["probability"].toArray() for row in rows])
    np.testing.assert_allclose(model.posteriors(values), expected, rtol=1e-9, atol=1e-14)
    np.testing.assert_array_equal(scores.cluster_index, [row["prediction"] for row in rows])
    assert scores.is_out_of_range.sum() == 1
    assert (scores.is_out_of_range[-1], scores.cluster_index[-1]) == (True, 0)


def test_models_do_not_depend_on_how_the_points_are_partitioned(spark: SparkSession) -> None:
    candidates = [
        Candidate(algorithm, 3) for algorithm in Algorithm if not algorithm.is_on_micro_clusters
    ]
    points = points_frame(spark, clouds())

    one = fit(points.coalesce(1), *candidates)
    many = fit(points.orderBy(F.desc("customer_id")).repartition(5), *candidates)

    for first, second in zip(one, many, strict=True):
        assert first.clusters is not None
        assert second.clusters is not None
        assert first.clusters.to_dict() == second.clusters.to_dict()


def test_fewer_distinct_points_than_segments_are_refused_by_candidate(
    spark: SparkSession,
) -> None:
    points = points_frame(spark, np.repeat(clouds(3), 10, axis=0))

    small, *large = fit(
        points, Candidate(Algorithm.KMEANS, 3), *(Candidate(a, 4) for a in Algorithm)
    )

    assert small.refusal is None
    assert {each.refusal for each in large} == {"4 segments were asked of 3 distinct points"}
    assert all(each.clusters is None for each in large)


def test_progress_is_told_of_every_candidate_and_nothing_stays_persisted(
    spark: SparkSession,
) -> None:
    told: list[str] = []
    points = points_frame(spark, clouds(60))
    context: Any = spark.sparkContext
    before = context._jsc.getPersistentRDDs().size()  # noqa: SLF001 - no public way

    with point_blocks(points) as blocks:
        SparkMLEngine().fit(
            blocks,
            [Candidate(Algorithm.KMEANS, 2), Candidate(Algorithm.BISECTING_KMEANS, 2)],
            ONE_START,
            progress=told.append,
        )

    assert told == ["candidate 1 of 2, kmeans-2", "candidate 2 of 2, bisecting_kmeans-2"]
    assert context._jsc.getPersistentRDDs().size() <= before  # noqa: SLF001 - no public way


def test_online_retail_reaches_the_published_inertias(spark: SparkSession) -> None:
    known = known_answers()["online_retail"]
    features = online_retail_customers(spark)
    vector = fit_vector_of(
        features,
        VectorSettings(
            columns=("recency_days", "frequency_count", "monetary_amount"),
            winsorise_tail_ratio=0.0,
        ),
    ).vector
    points = with_vector(features, vector, name="vector").select("customer_id", "vector")
    candidates = [Candidate(Algorithm.KMEANS, count) for count in range(2, 9)]
    settings = SweepSettings(kmeans_restarts=10, most_iterations=100)

    with point_blocks(points) as blocks:
        fitted = SparkMLEngine().fit(blocks, candidates, settings, progress=lambda _: None)
        models = [each.clusters for each in fitted if each.clusters is not None]
        judged = evaluate(blocks, models)

    means, deviations = known["scaler"]["log1p_mean"], known["scaler"]["log1p_std_ddof0"]
    assert [column.centre for column in vector.columns] == pytest.approx(means, rel=1e-9)
    assert [column.scale for column in vector.columns] == pytest.approx(deviations, rel=1e-9)
    assert len(models) == len(candidates)
    for candidate, found in zip(candidates, judged, strict=True):
        answer = known["kmeans"][str(candidate.segment_count)]
        assert found.within_cluster_sum <= answer["inertia"] * 1.0005
        assert found.silhouette == pytest.approx(
            answer["silhouette_sqeuclidean(Spark default)"], abs=0.005
        )
        assert found.davies_bouldin == pytest.approx(answer["davies_bouldin"], rel=0.01)


def test_bisecting_splits_points_whose_centre_is_zero(spark: SparkSession) -> None:
    generator = np.random.default_rng(5)
    points = generator.normal(size=(300, 3))
    points -= points.mean(axis=0)

    found = fit(points_frame(spark, points), Candidate(Algorithm.BISECTING_KMEANS, 4))

    assert found[0].refusal is None
    assert found[0].clusters is not None
    assert found[0].clusters.k == 4
    assert np.abs(found[0].clusters.centres.mean(axis=0)).max() < 1


def test_what_is_fitted_at_hand_bisects_the_parts_that_spark_bisects(spark: SparkSession) -> None:
    # Three far groups are fewer than half of all: Spark halves the many before it parts these.
    many = np.random.default_rng(5).uniform(-1.0, 1.0, size=300)
    few = np.repeat([100.0, 110.0, 125.0], 20)
    points = np.column_stack([np.concatenate([many, few]), np.ones(360)])
    candidates = [Candidate(Algorithm.BISECTING_KMEANS, count) for count in range(2, 7)]

    of_spark = fit(points_frame(spark, points), *candidates)

    at_hand = fit_in_memory(points, candidates, SweepSettings(engine="sparkml"))
    for candidate, theirs in zip(candidates, of_spark, strict=True):
        assert theirs.clusters is not None
        own = at_hand[candidate].assign(points)
        assert adjusted_rand_score(theirs.clusters.assign(points), own) > 0.95
