import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from sklearn.datasets import make_moons
from sklearn.metrics import adjusted_rand_score

from segspark.clustering import blocks
from segspark.clustering.batched import BatchedEngine
from segspark.clustering.blocks import point_blocks
from segspark.clustering.engine import Candidate, FittedCandidate
from segspark.clustering.evaluation import evaluate
from segspark.clustering.micro_clusters import micro_clusters
from segspark.clustering.vectorise import with_vector
from segspark.errors import ClusteringError
from segspark.model.clusters import ClusterModel
from segspark.model.scores import Floats
from segspark.settings.training import Algorithm, SweepSettings
from segspark.settings.vector import VectorSettings
from tests.clustering_data import (
    fit_vector_of,
    known_answers,
    online_retail_customers,
    points_frame,
)

GIVEN_A_COUNT = [each for each in Algorithm if not each.finds_segment_count]
ALL_OF_THREE_AND_FIVE = [Candidate(a, k) for a in GIVEN_A_COUNT for k in (3, 5)]


@pytest.fixture
def several_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "ROWS_PER_BLOCK", 60)


def clouds(rows: int = 400) -> Floats:
    generator = np.random.default_rng(11)
    centres = generator.normal(scale=2.0, size=(5, 3))
    return centres[generator.integers(0, 5, rows)] + generator.normal(size=(rows, 3))


def fit(
    points: DataFrame, candidates: list[Candidate], *, fewest: int = 3
) -> list[FittedCandidate]:
    settings = SweepSettings(fewest_segments=fewest)
    with point_blocks(points) as held:
        return BatchedEngine().fit(held, candidates, settings, progress=lambda _: None)


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


def test_one_block_and_several_lead_to_the_same_segments(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    candidates = [Candidate(each, 4) for each in SweepSettings().algorithms]
    values = clouds()
    points = points_frame(spark, values)

    one = models_of(fit(points, candidates))
    monkeypatch.setattr(blocks, "ROWS_PER_BLOCK", 130)
    several = models_of(fit(points, candidates))

    assert len(one) == len(several) == len(candidates)
    for first, second in zip(one, several, strict=True):
        np.testing.assert_allclose(first.centres, second.centres, atol=1e-9)
        np.testing.assert_array_equal(first.assign(values), second.assign(values))


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
    points = with_vector(features, vector, name="vector").select("customer_id", "vector")
    candidates = [Candidate(Algorithm.KMEANS, count) for count in range(2, 9)]

    with point_blocks(points) as held:
        fitted = BatchedEngine().fit(
            held, candidates, SweepSettings(kmeans_restarts=10), progress=lambda _: None
        )
        judged = evaluate(held, models_of(fitted))

    for candidate, found in zip(candidates, judged, strict=True):
        answer = known[str(candidate.segment_count)]
        assert found.within_cluster_sum <= answer["inertia"] * 1.0005
        assert found.silhouette == pytest.approx(
            answer["silhouette_sqeuclidean(Spark default)"], abs=0.005
        )


def test_fewer_distinct_points_than_segments_are_refused_by_candidate(spark: SparkSession) -> None:
    points = points_frame(spark, np.repeat(clouds(3), 10, axis=0))
    candidates = [Candidate(a, k) for k in (3, 4) for a in GIVEN_A_COUNT]

    found = fit(points, candidates)

    of_three, of_four = found[: len(GIVEN_A_COUNT)], found[len(GIVEN_A_COUNT) :]
    assert {each.refusal for each in of_three} == {None}
    assert {each.refusal for each in of_four} == {"4 segments were asked of 3 distinct points"}


@pytest.mark.usefixtures("several_blocks")
def test_micro_clusters_are_of_all_customers_and_tell_how_wide_they_are(
    spark: SparkSession,
) -> None:
    values = clouds()

    with point_blocks(points_frame(spark, values)) as held:
        micro = micro_clusters(held, SweepSettings(micro_cluster_count=50))

    squared = np.square(values[:, None] - micro.centres).sum(axis=2)
    nearest = squared.argmin(axis=1)
    assert len(micro.centres) == 50
    assert micro.counts.tolist() == np.bincount(nearest, minlength=50).tolist()
    for place, radius in enumerate(micro.radii):
        own = squared[nearest == place, place]
        assert radius == pytest.approx(np.sqrt(own.mean()), rel=1e-9, abs=1e-12)


@pytest.mark.usefixtures("several_blocks")
@pytest.mark.parametrize(
    "candidate", [Candidate(Algorithm.DBSCAN, eps=0.25), Candidate(Algorithm.HDBSCAN)]
)
def test_moons_are_found_by_density_however_they_are_partitioned(
    spark: SparkSession, candidate: Candidate
) -> None:
    values, moon_of = make_moons(600, noise=0.05, random_state=1)
    points = points_frame(spark, values)

    (one,) = fit(points.coalesce(1), [candidate], fewest=2)
    (many,) = fit(points.orderBy(F.desc("customer_id")).repartition(5), [candidate], fewest=2)

    assert one.clusters is not None
    assert many.clusters is not None
    assert one.candidate == many.candidate
    assert one.candidate.segment_count == 2
    assert adjusted_rand_score(one.clusters.assign(values), moon_of) == 1.0
    assert one.clusters.to_dict() == many.clusters.to_dict()


def test_no_customers_are_refused(spark: SparkSession) -> None:
    with pytest.raises(ClusteringError, match="there are no customers to cluster"):
        fit(points_frame(spark, clouds()).limit(0), ALL_OF_THREE_AND_FIVE)
