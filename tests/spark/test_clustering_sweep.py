import numpy as np
import pytest
from pyspark.sql import SparkSession
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score, silhouette_score
from sklearn.mixture import GaussianMixture

from segspark.clustering.engine import candidates_of
from segspark.clustering.sweep import Sweep, SweepPlan, run_sweep
from segspark.errors import ClusteringError
from segspark.model.scores import Floats
from segspark.settings.training import (
    Algorithm,
    Covariance,
    SelectionSettings,
    SweepSettings,
    TrainingSettings,
)
from tests.clustering_data import points_frame

SELECTION = SelectionSettings(structureless_draws=3, structureless_customers=400)


def sweep_of(spark: SparkSession, values: Floats, sweep: SweepSettings) -> Sweep:
    return run_sweep(
        points_frame(spark, values),
        SweepPlan(candidates_of(sweep)),
        TrainingSettings(sweep=sweep, selection=SELECTION),
        progress=lambda _: None,
    )


def test_planted_clusters_are_found_and_called_natural(spark: SparkSession) -> None:
    values, _ = make_blobs(400, 3, centers=4, cluster_std=0.5, random_state=6)
    settings = SweepSettings(
        kmeans_restarts=2, mixture_restarts=1, most_iterations=15, most_segments=5
    )

    found = sweep_of(spark, values, settings)

    assert found.selection.chosen.candidate.segment_count == 4
    assert found.selection.has_natural_clusters
    assert len(found.selection.rows) == 9
    assert found.clusters.k == 4
    distances = found.clusters.score(values).centre_distance
    lower, upper = np.quantile(distances, [0.25, 0.75])
    assert found.outlier_distance == pytest.approx(upper + 3 * (upper - lower), rel=1e-9)


def test_every_candidate_has_its_figures_on_all_customers_and_on_a_sample(
    spark: SparkSession,
) -> None:
    values, _ = make_blobs(400, 3, centers=4, cluster_std=0.5, random_state=6)
    settings = SweepSettings(
        algorithms=(Algorithm.KMEANS, Algorithm.GAUSSIAN_MIXTURE),
        covariances=(Covariance.DIAGONAL,),
        most_segments=5,
    )

    found = sweep_of(spark, values, settings).selection

    rows = {row.candidate_id: row for row in found.rows}
    mixture, kmeans = rows["gaussian_mixture-diagonal-4"], rows["kmeans-4"]
    theirs = GaussianMixture(4, covariance_type="diag", random_state=1, n_init=5).fit(values)
    assert mixture.evidence is not None
    assert mixture.evidence.bic == pytest.approx(theirs.bic(values), rel=1e-4)
    assert kmeans.is_elbow
    assert kmeans.evidence is not None
    assert kmeans.evidence.bic is None
    assert kmeans.sampled is not None
    labels = KMeans(4, n_init=5, random_state=1).fit_predict(values)
    expected = silhouette_score(values, labels)
    assert kmeans.sampled.euclidean_silhouette == pytest.approx(expected, rel=1e-9)
    assert kmeans.sampled.gap is not None
    assert kmeans.sampled.gap.gap > 1.0


def test_trees_density_and_consensus_are_judged_beside_kmeans_by_the_same_rule(
    spark: SparkSession,
) -> None:
    values, planted = make_blobs(400, 3, centers=4, cluster_std=0.5, random_state=6)
    on_micro = [each for each in Algorithm if each.is_on_micro_clusters]
    settings = SweepSettings(
        algorithms=(*on_micro, Algorithm.KMEANS),
        fewest_segments=4,
        most_segments=4,
        dbscan_eps=(1.5,),
    )

    found = sweep_of(spark, values, settings)

    rows = found.selection.rows
    by_density = ["dbscan-eps1.5", "hdbscan"]
    assert [row.candidate_id for row in rows[3:]] == [*by_density, "consensus-4", "kmeans-4"]
    assert [row.candidate.segment_count for row in rows] == [4] * 7
    assert len({round(row.silhouette or 0.0, 9) for row in rows}) == 1
    assert len({row.structureless for row in rows}) == 1
    assert found.selection.has_natural_clusters
    # All gain as much, and the first that `Algorithm` names is KMeans.
    assert found.selection.chosen.candidate_id == "kmeans-4"
    ward = rows[0].fitted.clusters
    assert ward is not None
    assert adjusted_rand_score(ward.assign(values), planted) == 1.0


def test_hdbscan_alone_finds_its_segments_and_they_come_back_in_resamples(
    spark: SparkSession,
) -> None:
    values, planted = make_blobs(
        400, 3, centers=4, cluster_std=[0.3, 0.5, 0.7, 0.9], random_state=6
    )

    found = sweep_of(spark, values, SweepSettings(algorithms=(Algorithm.HDBSCAN,)))

    (row,) = found.selection.rows
    assert (row.candidate_id, row.candidate.segment_count) == ("hdbscan", 4)
    assert adjusted_rand_score(found.clusters.assign(values), planted) == 1.0
    assert found.selection.has_natural_clusters
    assert row.stability is not None
    assert row.stability.lowest > 0.95


def test_hdbscan_of_noise_ends_in_a_sentence(spark: SparkSession) -> None:
    values = np.random.default_rng(3).normal(size=(400, 3))

    with pytest.raises(ClusteringError, match="hdbscan: not fitted: segments found: 0, and 3 to 8"):
        sweep_of(spark, values, SweepSettings(algorithms=(Algorithm.HDBSCAN,)))


def test_noise_is_called_a_discretisation(spark: SparkSession) -> None:
    values = np.random.default_rng(3).normal(size=(400, 3))
    settings = SweepSettings(
        algorithms=(Algorithm.KMEANS,), kmeans_restarts=1, most_iterations=15, most_segments=4
    )

    found = sweep_of(spark, values, settings).selection

    assert not found.has_natural_clusters
    assert "No natural clusters: this is a discretisation" in found.verdict


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (0, "there are no customers to cluster"),
        (1, "kmeans-3: not fitted: 3 segments were asked of 1 distinct points"),
    ],
)
def test_too_few_customers_are_refused_in_a_sentence(
    spark: SparkSession, rows: int, sentence: str
) -> None:
    with pytest.raises(ClusteringError, match=sentence):
        sweep_of(spark, np.ones((2, 3))[:rows], SweepSettings())
