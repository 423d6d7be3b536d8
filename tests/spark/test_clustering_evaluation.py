import numpy as np
import pytest
from pyspark.ml.evaluation import ClusteringEvaluator
from pyspark.ml.functions import array_to_vector
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from scipy.stats import multivariate_normal

from segspark.clustering.blocks import point_blocks
from segspark.clustering.evaluation import evaluate
from segspark.clustering.evidence import Evidence, evidence
from segspark.clustering.sample_evidence import cosine_silhouette
from segspark.model.clusters import Centres, ClusterModel
from segspark.model.mixture import Mixture
from segspark.model.scores import Floats
from segspark.model.tree import BisectingTree, TreeNode
from tests.clustering_data import points_frame

MODELS: list[ClusterModel] = [
    Centres(np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 3.0]])),
    BisectingTree(
        (
            TreeNode((1.0, 1.0), (1, 2)),
            TreeNode((0.0, 0.0), cluster_index=0),
            TreeNode((2.0, 2.0), cluster_index=1),
        )
    ),
    Mixture(
        weights=np.array([0.5, 0.5, 0.0]),
        centres=np.array([[0.0, 0.0], [2.0, 2.0], [9.0, 9.0]]),
        covariances=np.stack([np.eye(2), 2 * np.eye(2), np.eye(2)]),
    ),
]


def scattered(rows: int = 301) -> Floats:
    return np.random.default_rng(8).normal(1.0, 1.5, size=(rows, 2))


def assert_same(found: Evidence, expected: Evidence) -> None:
    assert found.cluster_sizes[: len(expected.cluster_sizes)] == expected.cluster_sizes
    assert found.silhouette == pytest.approx(expected.silhouette, abs=1e-9)
    assert found.davies_bouldin == pytest.approx(expected.davies_bouldin, rel=1e-9)
    assert found.calinski_harabasz == pytest.approx(expected.calinski_harabasz, rel=1e-9)
    assert found.within_cluster_sum == pytest.approx(expected.within_cluster_sum, rel=1e-9)


@pytest.mark.parametrize("partitions", [1, 7])
def test_two_passes_find_what_memory_finds_however_points_are_partitioned(
    spark: SparkSession, partitions: int
) -> None:
    values = scattered()

    with point_blocks(points_frame(spark, values).repartition(partitions)) as blocks:
        found = evaluate(blocks, MODELS)

    for model, figures in zip(MODELS, found, strict=True):
        assert_same(figures, evidence(values, model.assign(values)))
        assert figures.mean_confidence == pytest.approx(model.score(values).confidence.mean())
        assert len(figures.cluster_sizes) == model.k


def test_the_silhouettes_are_those_of_sparks_evaluator(spark: SparkSession) -> None:
    values = scattered()
    labels = MODELS[0].assign(values).tolist()
    rows = [(row.tolist(), float(label)) for row, label in zip(values, labels, strict=True)]
    predicted = spark.createDataFrame(rows, "point array<double>, prediction double").select(
        array_to_vector(F.col("point")).alias("features"), "prediction"
    )

    with point_blocks(points_frame(spark, values)) as blocks:
        (found,) = evaluate(blocks, MODELS[:1])

    assert found.silhouette == pytest.approx(ClusteringEvaluator().evaluate(predicted), abs=1e-9)
    by_cosine = ClusteringEvaluator(distanceMeasure="cosine").evaluate(predicted)
    assert cosine_silhouette(values, MODELS[0].assign(values)) == pytest.approx(by_cosine, abs=1e-9)


def test_a_mixture_is_judged_by_its_likelihood_and_others_are_not(spark: SparkSession) -> None:
    values = scattered()
    mixture = MODELS[2]
    assert isinstance(mixture, Mixture)

    with point_blocks(points_frame(spark, values)) as blocks:
        *others, found = evaluate(blocks, MODELS)

    densities = sum(
        weight * multivariate_normal(centre, covariance).pdf(values)
        for weight, centre, covariance in zip(
            mixture.weights, mixture.centres, mixture.covariances, strict=True
        )
    )
    assert found.log_likelihood == pytest.approx(np.log(densities).sum(), rel=1e-9)
    assert [each.log_likelihood for each in others] == [None, None]


def test_no_models_need_no_job(spark: SparkSession) -> None:
    with point_blocks(points_frame(spark, scattered())) as blocks:
        assert evaluate(blocks, []) == []
