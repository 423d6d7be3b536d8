import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import load_iris, make_blobs
from sklearn.metrics import silhouette_score

from segspark.clustering.engine import Candidate
from segspark.clustering.gap_statistic import GapStatistic
from segspark.clustering.sample_evidence import (
    SILHOUETTE_ROWS,
    cosine_silhouette,
    sample_evidence,
)
from segspark.model.clusters import Centres
from segspark.model.scores import Floats, Indices
from segspark.settings.training import Algorithm
from tests.clustering_data import known_answers

KMEANS_4 = Candidate(Algorithm.KMEANS, 4)


def blobs(rows: int = 300) -> tuple[Floats, Indices]:
    points, labels = make_blobs(rows, 3, centers=4, cluster_std=2.5, random_state=3)
    return points, labels.astype(np.int32)


def centres_of(points: Floats, labels: Indices) -> Centres:
    return Centres(np.stack([points[labels == label].mean(axis=0) for label in range(4)]))


def test_silhouettes_of_the_sample_are_those_of_scikit_learn() -> None:
    points, labels = blobs(SILHOUETTE_ROWS + 500)
    model = centres_of(points, labels)
    gap, copula_gap = GapStatistic(0.5, 0.1), GapStatistic(0.4, 0.2)

    found = sample_evidence(
        points,
        {KMEANS_4: model},
        gaps={KMEANS_4: gap},
        copula_gaps={KMEANS_4: copula_gap},
        separated={KMEANS_4: 0.5},
    )[KMEANS_4]

    few = points[:SILHOUETTE_ROWS]
    assigned = model.assign(few)
    assert found.euclidean_silhouette == pytest.approx(silhouette_score(few, assigned), rel=1e-9)
    cosine = silhouette_score(few, assigned, metric="cosine")
    assert found.cosine_silhouette == pytest.approx(cosine, rel=1e-9)
    assert (found.gap, found.copula_gap) == (gap, copula_gap)
    assert found.separated_pair_ratio == 0.5


def test_iris_has_the_published_euclidean_silhouettes() -> None:
    points, species = load_iris(return_X_y=True)
    clustered = Centres(KMeans(3, n_init=10, random_state=0).fit(points).cluster_centers_)
    candidate, known = Candidate(Algorithm.KMEANS, 3), known_answers()["iris_sklearn"]

    class BySpecies(Centres):
        def assign(self, points: Floats) -> Indices:
            return np.asarray(species[: len(points)], dtype=np.int32)

    for model, name in (
        (BySpecies(clustered.centres), "sil_euclid_truelabels"),
        (clustered, "k3_sil"),
    ):
        found = sample_evidence(points, {candidate: model}, gaps={}, copula_gaps={}, separated={})[
            candidate
        ]
        assert found.euclidean_silhouette == pytest.approx(known[name], abs=1e-9)


def test_customers_at_the_origin_have_no_direction_and_are_left_out() -> None:
    points, labels = blobs()
    with_origin = np.concatenate([[[0.0, 0.0, 0.0]], points])
    its_labels = np.concatenate([[4], labels]).astype(np.int32)

    found = cosine_silhouette(with_origin, its_labels)

    assert found == cosine_silhouette(points, labels)


def test_a_customer_alone_in_a_cluster_has_a_cosine_silhouette_of_zero() -> None:
    points, labels = blobs()
    labels[0] = 4

    expected = silhouette_score(points, labels, metric="cosine")
    assert cosine_silhouette(points, labels) == pytest.approx(expected, rel=1e-9)


def test_one_cluster_and_customers_all_at_the_origin_have_no_silhouette() -> None:
    one = Centres(np.zeros((1, 2)))

    found = sample_evidence(
        np.ones((5, 2)), {KMEANS_4: one}, gaps={}, copula_gaps={}, separated={}
    )[KMEANS_4]

    assert (found.euclidean_silhouette, found.cosine_silhouette) == (None, None)
    assert cosine_silhouette(np.zeros((4, 2)), np.array([0, 0, 1, 1], dtype=np.int32)) is None


def test_customers_each_alone_have_no_euclidean_silhouette() -> None:
    points = np.array([[1.0, 0.0], [0.0, 1.0]])

    found = sample_evidence(
        points, {KMEANS_4: Centres(points)}, gaps={}, copula_gaps={}, separated={}
    )[KMEANS_4]

    assert found.euclidean_silhouette is None
