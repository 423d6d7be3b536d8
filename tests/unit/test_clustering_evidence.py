from dataclasses import replace
from functools import reduce
from operator import add

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.datasets import load_iris, make_blobs
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, silhouette_score
from sklearn.mixture import GaussianMixture

from segspark.clustering.evidence import (
    Evidence,
    evidence,
    evidence_of,
    mixture_parameter_count,
)
from segspark.clustering.sample_evidence import cosine_silhouette
from segspark.clustering.sums import ClusterShape, ClusterSums, SpreadSums
from segspark.model.scores import Floats, Indices
from segspark.settings.training import Covariance
from tests.clustering_data import COVARIANCE_TYPES, known_answers

KNOWN = known_answers()


def blobs(rows: int = 300, *, offset: float = 0.0) -> tuple[Floats, Indices]:
    points, labels = make_blobs(rows, 3, centers=4, cluster_std=2.5, random_state=3)
    return points + offset, labels.astype(np.int32)


def assert_equal_to_sklearn(found: Evidence, points: Floats, labels: Indices) -> None:
    assert found.silhouette == pytest.approx(
        silhouette_score(points, labels, metric="sqeuclidean"), rel=1e-9, abs=1e-9
    )
    assert found.davies_bouldin == pytest.approx(
        davies_bouldin_score(points, labels), rel=1e-9, abs=1e-9
    )
    assert found.calinski_harabasz == pytest.approx(
        calinski_harabasz_score(points, labels), rel=1e-9, abs=1e-9
    )


def test_figures_are_those_of_scikit_learn() -> None:
    points, labels = blobs()

    found = evidence(points, labels)

    assert_equal_to_sklearn(found, points, labels)
    fitted = KMeans(1, n_init=1).fit
    inertia = sum(fitted(points[labels == label]).inertia_ for label in range(4))
    assert found.within_cluster_sum == pytest.approx(inertia, rel=1e-9)


def test_an_offset_of_ten_millions_changes_no_figure() -> None:
    points, labels = blobs(offset=1e7)
    plain = evidence(points - 1e7, labels)

    found = evidence(points, labels)

    assert found.silhouette == pytest.approx(plain.silhouette, abs=1e-9)
    assert found.davies_bouldin == pytest.approx(plain.davies_bouldin, rel=1e-9)
    assert found.calinski_harabasz == pytest.approx(plain.calinski_harabasz, rel=1e-9)


def test_a_customer_alone_in_a_cluster_has_a_silhouette_of_zero() -> None:
    points, labels = blobs()
    labels[0] = 4

    assert_equal_to_sklearn(evidence(points, labels), points, labels)


def test_an_empty_cluster_counts_as_none_and_disturbs_no_figure() -> None:
    points, labels = blobs()
    gap = np.where(labels == 3, 4, labels).astype(np.int32)

    found = evidence(points, gap)

    assert found.cluster_sizes[3] == 0
    assert (found.cluster_count, found.smallest_share) == (4, 0.0)
    assert_equal_to_sklearn(found, points, labels)


def test_one_cluster_has_no_silhouette_and_its_sum() -> None:
    found = evidence(np.array([[0.0], [2.0]]), np.zeros(2, dtype=np.int32))

    assert (found.silhouette, found.davies_bouldin, found.calinski_harabasz) == (None, None, None)
    assert found.within_cluster_sum == 2.0


def test_identical_customers_in_two_clusters_have_no_structure() -> None:
    found = evidence(np.ones((4, 2)), np.array([0, 0, 1, 1], dtype=np.int32))

    assert (found.silhouette, found.davies_bouldin, found.calinski_harabasz) == (0.0, 0.0, 1.0)


def test_shares_are_of_all_customers() -> None:
    found = evidence(np.arange(4.0)[:, None], np.array([0, 1, 1, 1], dtype=np.int32))

    assert (found.smallest_share, found.largest_share, found.customer_count) == (0.25, 0.75, 4)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_partial_sums_over_any_partitioning_add_up_to_the_whole(data: st.DataObject) -> None:
    points, labels = blobs(60)
    parts = np.array(data.draw(st.lists(st.integers(0, 5), min_size=60, max_size=60)))
    origins = np.array(data.draw(st.lists(st.floats(-5, 5), min_size=12, max_size=12)))
    origins = origins.reshape(4, 3)
    each = [(points[parts == part], labels[parts == part]) for part in range(6)]

    sums = reduce(add, (ClusterSums.of(*some, origins=origins) for some in each))
    shape = ClusterShape.of(sums, origins=origins)
    spread = reduce(add, (SpreadSums.of(*some, shape=shape) for some in each))
    found, whole = evidence_of(shape, spread), evidence(points, labels)

    assert found.cluster_sizes == whole.cluster_sizes
    assert found.silhouette == pytest.approx(whole.silhouette, abs=1e-9)
    assert found.davies_bouldin == pytest.approx(whole.davies_bouldin, rel=1e-9)
    assert found.calinski_harabasz == pytest.approx(whole.calinski_harabasz, rel=1e-9)
    assert found.within_cluster_sum == pytest.approx(whole.within_cluster_sum, rel=1e-9)


def test_iris_by_its_species_has_the_published_silhouettes() -> None:
    points, labels = load_iris(return_X_y=True)
    original = points.copy()
    original[34] = original[37] = (4.9, 3.1, 1.5, 0.1)

    by_sklearn = evidence(points, labels.astype(np.int32)).silhouette
    by_spark = evidence(original, labels.astype(np.int32)).silhouette

    assert by_sklearn == pytest.approx(KNOWN["iris_sklearn"]["sil_sq_truelabels"], abs=1e-9)
    assert by_spark == pytest.approx(KNOWN["iris_spark"]["squared_euclidean_true_labels"], abs=1e-9)
    cosine = cosine_silhouette(points, labels.astype(np.int32))
    assert cosine == pytest.approx(KNOWN["iris_sklearn"]["sil_cos_truelabels"], abs=1e-9)
    cosine = cosine_silhouette(original, labels.astype(np.int32))
    assert cosine == pytest.approx(KNOWN["iris_spark"]["cosine_true_labels"], abs=1e-9)


def test_iris_in_three_clusters_has_the_published_figures() -> None:
    points = load_iris().data
    labels = KMeans(3, n_init=10, random_state=0).fit_predict(points)

    found = evidence(points, labels)

    known = KNOWN["iris_sklearn"]
    assert found.within_cluster_sum == pytest.approx(known["k3_inertia"], rel=1e-6)
    assert found.davies_bouldin == pytest.approx(known["k3_DB"], rel=1e-6)
    assert found.calinski_harabasz == pytest.approx(known["k3_CH"], rel=1e-6)


def test_blobs_by_their_true_labels_have_the_published_figures() -> None:
    recipe = "make_blobs(500,2,centers=4,cluster_std=1,center_box=(-10,10),random_state=1)"
    points, labels = make_blobs(
        500, 2, centers=4, cluster_std=1, center_box=(-10, 10), random_state=1
    )

    found = evidence(points, labels.astype(np.int32))

    known = KNOWN[recipe]["true_labels"]
    assert found.silhouette == pytest.approx(known["silhouette_sqeuclidean"], abs=1e-9)
    assert found.davies_bouldin == pytest.approx(known["davies_bouldin"], rel=1e-9)
    assert found.calinski_harabasz == pytest.approx(known["calinski_harabasz"], rel=1e-9)


def test_three_points_have_the_published_davies_bouldin() -> None:
    points = np.array([[0.0, 1.0], [1.0, 1.0], [3.0, 4.0]])

    found = evidence(points, np.array([0, 0, 1], dtype=np.int32)).davies_bouldin

    assert found == pytest.approx(KNOWN["tiny"]["DB [[0,1],[1,1],[3,4]] labels[0,0,1]"], rel=1e-12)


@pytest.mark.parametrize(
    ("covariance", "theirs"),
    COVARIANCE_TYPES.items(),
)
def test_information_criteria_of_a_mixture_are_those_of_scikit_learn(
    covariance: Covariance, theirs: str
) -> None:
    points, labels = blobs()
    mixture = GaussianMixture(4, covariance_type=theirs, random_state=1).fit(points)

    found = replace(
        evidence(points, labels),
        log_likelihood=mixture.score_samples(points).sum(),
        parameter_count=mixture_parameter_count(covariance, components=4, width=3),
    )

    assert found.bic == pytest.approx(mixture.bic(points), rel=1e-12)
    assert found.aic == pytest.approx(mixture.aic(points), rel=1e-12)


def test_models_without_densities_have_no_information_criteria() -> None:
    found = evidence(*blobs())

    assert (found.bic, found.aic) == (None, None)
