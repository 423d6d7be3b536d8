import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from segspark.clustering import blocks
from segspark.clustering.batched import BatchedEngine
from segspark.clustering.blocks import point_blocks
from segspark.clustering.engine import Candidate, FittedCandidate
from segspark.clustering.evaluation import evaluate
from segspark.clustering.vectorise import vector_column
from segspark.errors import ClusteringError
from segspark.model.clusters import ClusterModel
from segspark.model.scores import Floats
from segspark.settings.training import Algorithm, SweepSettings, VectorSettings
from tests.clustering_data import (
    fit_vector_of,
    known_answers,
    online_retail_customers,
    points_frame,
)

ALL_OF_THREE_AND_FIVE = [Candidate(a, k) for a in Algorithm for k in (3, 5)]


@pytest.fixture
def several_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "ROWS_PER_BLOCK", 60)


def clouds(rows: int = 400) -> Floats:
    generator = np.random.default_rng(11)
    centres = generator.normal(scale=2.0, size=(5, 3))
    return centres[generator.integers(0, 5, rows)] + generator.normal(size=(rows, 3))


def fit(points: DataFrame, candidates: list[Candidate]) -> list[FittedCandidate]:
    with point_blocks(points) as held:
        return BatchedEngine().fit(held, candidates, SweepSettings(), progress=lambda _: None)


def models_of(fitted: list[FittedCandidate]) -> list[ClusterModel]:
    return [each.clusters for each in fitted if each.clusters is not None]


@pytest.mark.usefixtures("several_blocks")
def test_models_are_the_same_to_the_last_digit_however_points_are_partitioned(
    spark: SparkSession,
) -> None:
    points = points_frame(spark, clouds())

    one = models_of(fit(points.coalesce(1), ALL_OF_THREE_AND_FIVE))
    many = models_of(
        fit(points.orderBy(F.desc("customer_id")).repartition(7), ALL_OF_THREE_AND_FIVE)
    )

    assert len(one) == len(ALL_OF_THREE_AND_FIVE)
    assert [each.to_dict() for each in one] == [each.to_dict() for each in many]


@pytest.mark.usefixtures("several_blocks")
def test_a_candidate_does_not_depend_on_what_is_tried_beside_it(spark: SparkSession) -> None:
    points = points_frame(spark, clouds())

    together = dict(zip(ALL_OF_THREE_AND_FIVE, fit(points, ALL_OF_THREE_AND_FIVE), strict=True))

    for candidate in (Candidate(Algorithm.KMEANS, 3), Candidate(Algorithm.GAUSSIAN_MIXTURE, 5)):
        (alone,) = models_of(fit(points, [candidate]))
        beside = together[candidate].clusters
        assert beside is not None
        np.testing.assert_allclose(alone.centres, beside.centres, atol=1e-9)


@pytest.mark.usefixtures("several_blocks")
def test_a_sample_is_the_same_however_customers_are_partitioned(spark: SparkSession) -> None:
    values = clouds(300)
    points = points_frame(spark, values)

    with point_blocks(points.coalesce(1)) as one, point_blocks(points.repartition(6)) as many:
        first, second, everyone = one.sample(30), many.sample(30), one.sample(1000)

    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first, everyone[:30])
    np.testing.assert_array_equal(np.sort(everyone, axis=0), np.sort(values, axis=0))


def test_online_retail_reaches_the_published_inertias(spark: SparkSession) -> None:
    known = known_answers()["online_retail"]["kmeans"]
    features = online_retail_customers(spark)
    columns = ("recency_days", "frequency_count", "monetary_amount")
    vector = fit_vector_of(
        features, VectorSettings(columns=columns, winsorise_tail_ratio=0.0)
    ).vector
    points = features.select("customer_id", vector_column(vector).alias("vector"))
    candidates = [Candidate(Algorithm.KMEANS, count) for count in range(2, 9)]

    with point_blocks(points) as held:
        fitted = BatchedEngine().fit(
            held, candidates, SweepSettings(kmeans_restarts=10), progress=lambda _: None
        )
        judged = evaluate(held, models_of(fitted))

    for candidate, found in zip(candidates, judged, strict=True):
        answer = known[str(candidate.segment_count)]
        assert found.within_cluster_sum <= answer["inertia"] * 1.0005
        assert found.silhouette == pytest.approx(answer["silhouette_sqeuclidean"], abs=0.005)


def test_fewer_distinct_points_than_segments_are_refused_by_candidate(spark: SparkSession) -> None:
    points = points_frame(spark, np.repeat(clouds(3), 10, axis=0))
    candidates = [Candidate(a, k) for k in (3, 4) for a in Algorithm]

    found = fit(points, candidates)

    assert [each.refusal for each in found[:3]] == [None] * 3
    assert {each.refusal for each in found[3:]} == {"4 segments were asked of 3 distinct points"}


def test_no_customers_are_refused(spark: SparkSession) -> None:
    with pytest.raises(ClusteringError, match="there are no customers to cluster"):
        fit(points_frame(spark, clouds()).limit(0), ALL_OF_THREE_AND_FIVE)
