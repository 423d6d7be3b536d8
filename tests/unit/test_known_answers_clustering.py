"""Published clusterings of Online Retail, blobs and tiny cases, by the batched engine's steps."""

import csv
from functools import cache
from typing import Any

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score

from segspark.clustering import sample_evidence as sample_figures
from segspark.clustering.batched import fit_in_memory
from segspark.clustering.engine import Candidate
from segspark.clustering.evidence import evidence
from segspark.clustering.sample_evidence import cosine_silhouette, sample_evidence
from segspark.model.clusters import Centres, ClusterModel
from segspark.model.scores import Floats
from segspark.settings.training import Algorithm, SweepSettings
from tests.clustering_data import ONLINE_RETAIL_CUSTOMERS, known_answers

KNOWN = known_answers()
BLOBS = "make_blobs(500,2,centers=4,cluster_std=1,center_box=(-10,10),random_state=1)"
SETTINGS = SweepSettings(
    algorithms=(Algorithm.KMEANS,), kmeans_restarts=20, most_iterations=300, seed=1
)
LOGARITHMS, PLAIN = "kmeans", "kmeans_without_log"


@cache
def natural_units() -> Floats:
    """Recency, frequency and money of 4,338 customers."""
    with ONLINE_RETAIL_CUSTOMERS.open(newline="", encoding="utf-8") as file:
        names = ("recency_days", "frequency_count", "monetary_amount")
        return np.array([[float(row[name]) for name in names] for row in csv.DictReader(file)])


@cache
def points_of(table: str) -> Floats:
    values = np.log1p(natural_units()) if table == LOGARITHMS else natural_units()
    scaled: Floats = (values - values.mean(axis=0)) / values.std(axis=0)
    return scaled


@cache
def models_of(table: str) -> dict[int, ClusterModel]:
    """KMeans of every published number of segments, in one sweep."""
    candidates = [
        Candidate(Algorithm.KMEANS, int(count)) for count in KNOWN["online_retail"][table]
    ]
    found = fit_in_memory(points_of(table), candidates, SETTINGS)
    return {each.segment_count: model for each, model in found.items()}


PUBLISHED = [
    (table, int(count), answer)
    for table in (LOGARITHMS, PLAIN)
    for count, answer in KNOWN["online_retail"][table].items()
]

_MOST_SETTLED = 8
"""With more segments even the published seeds disagree."""
SETTLED = [each for each in PUBLISHED if each[1] <= _MOST_SETTLED]


@pytest.mark.parametrize(("table", "count", "answer"), SETTLED)
def test_online_retail_is_clustered_as_published(
    table: str, count: int, answer: dict[str, Any]
) -> None:
    points, model = points_of(table), models_of(table)[count]

    labels = model.assign(points)

    assert evidence(points, labels).within_cluster_sum <= 1.0005 * answer["inertia"]
    published = Centres(np.array(answer["centroids_scaled"])).assign(points)
    assert adjusted_rand_score(published, labels) >= 0.97


@pytest.mark.parametrize(("table", "count", "answer"), PUBLISHED)
def test_published_clusters_have_the_published_figures(
    table: str, count: int, answer: dict[str, Any]
) -> None:
    points = points_of(table)
    model = Centres(np.array(answer["centroids_scaled"]))
    labels = model.assign(points)

    found = evidence(points, labels)

    assert found.within_cluster_sum == pytest.approx(answer["inertia"], rel=5e-4)
    assert found.silhouette == pytest.approx(
        answer["silhouette_sqeuclidean(Spark default)"], abs=5e-3
    )
    assert cosine_silhouette(points, labels) == pytest.approx(answer["silhouette_cosine"], abs=5e-3)
    assert found.davies_bouldin == pytest.approx(answer["davies_bouldin"], rel=5e-3)
    assert found.calinski_harabasz == pytest.approx(answer["calinski_harabasz"], rel=1e-3)
    means = [natural_units()[labels == label].mean(axis=0)[2] for label in range(count)]
    sizes = [found.cluster_sizes[place] for place in np.argsort(means)]
    assert sizes == pytest.approx(answer["sizes_by_ascending_mean_monetary"], abs=3)


@pytest.mark.parametrize("table", [LOGARITHMS, PLAIN])
def test_published_clusters_have_the_published_euclidean_silhouettes(
    table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    points, answers = points_of(table), KNOWN["online_retail"][table]
    monkeypatch.setattr(sample_figures, "SILHOUETTE_ROWS", len(points))
    models: dict[Candidate, ClusterModel] = {
        Candidate(Algorithm.KMEANS, int(count)): Centres(np.array(answer["centroids_scaled"]))
        for count, answer in answers.items()
        if int(count) <= _MOST_SETTLED
    }

    found = sample_evidence(points, models, gaps={}, copula_gaps={}, separated={})

    assert len(found) == _MOST_SETTLED - 1
    for candidate, each in found.items():
        published = answers[str(candidate.segment_count)]["silhouette_euclidean"]
        assert each.euclidean_silhouette == pytest.approx(published, abs=5e-3)


def test_the_euclidean_silhouette_of_a_sample_is_near_that_of_all() -> None:
    points, model = points_of(LOGARITHMS), models_of(LOGARITHMS)[4]
    candidate = Candidate(Algorithm.KMEANS, 4)

    found = sample_evidence(points, {candidate: model}, gaps={}, copula_gaps={}, separated={})[
        candidate
    ]

    published = KNOWN["online_retail"][LOGARITHMS]["4"]["silhouette_euclidean"]
    assert found.euclidean_silhouette == pytest.approx(published, abs=0.02)


def test_without_the_logarithm_two_segments_split_off_a_few_whales() -> None:
    labels = models_of(PLAIN)[2].assign(points_of(PLAIN))

    assert sorted(np.bincount(labels).tolist()) == [26, 4312]


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_blobs_are_clustered_as_published(count: int) -> None:
    points, truth = make_blobs(
        500, 2, centers=4, cluster_std=1, center_box=(-10, 10), random_state=1
    )
    answer, candidate = KNOWN[BLOBS][str(count)], Candidate(Algorithm.KMEANS, count)

    model = fit_in_memory(points, [candidate], SETTINGS)[candidate]

    labels = model.assign(points)
    found = evidence(points, labels)
    assert found.within_cluster_sum == pytest.approx(answer["inertia"], rel=5e-4)
    assert found.silhouette == pytest.approx(answer["silhouette_sqeuclidean"], abs=5e-3)
    assert found.davies_bouldin == pytest.approx(answer["davies_bouldin"], rel=1e-2)
    assert found.calinski_harabasz == pytest.approx(answer["calinski_harabasz"], rel=1e-3)
    assert adjusted_rand_score(truth, labels) == pytest.approx(answer["ARI_vs_truth"], abs=0.02)


def test_six_clusters_of_blobs_are_at_least_as_tight_as_published() -> None:
    points, _ = make_blobs(500, 2, centers=4, cluster_std=1, center_box=(-10, 10), random_state=1)
    candidate = Candidate(Algorithm.KMEANS, 6)

    model = fit_in_memory(points, [candidate], SETTINGS)[candidate]

    found = evidence(points, model.assign(points)).within_cluster_sum
    assert found <= 1.0005 * KNOWN[BLOBS]["6"]["inertia"]


def test_tiny_cases_have_the_published_figures() -> None:
    tiny = evidence(np.array([[0.0, 1], [1, 1], [3, 4]]), np.array([0, 0, 1], dtype=np.int32))

    published = KNOWN["tiny"]["DB [[0,1],[1,1],[3,4]] labels[0,0,1]"]
    assert tiny.davies_bouldin == pytest.approx(published, rel=1e-9)


def test_scikit_learns_own_examples_have_the_published_figures() -> None:
    def single_start(count: int, *, seed: int) -> tuple[Floats, Centres]:
        points, _ = make_blobs(random_state=seed)
        return points, Centres(
            KMeans(count, n_init=1, random_state=seed).fit(points).cluster_centers_
        )

    points, model = single_start(3, seed=0)
    found = evidence(points, model.assign(points)).calinski_harabasz
    assert found == pytest.approx(KNOWN["tiny"]["CH make_blobs(rs0) k3"], rel=1e-9)

    points, model = single_start(2, seed=42)
    candidate = Candidate(Algorithm.KMEANS, 2)
    silhouette = sample_evidence(points, {candidate: model}, gaps={}, copula_gaps={}, separated={})[
        candidate
    ].euclidean_silhouette
    assert silhouette == pytest.approx(KNOWN["tiny"]["sil make_blobs(rs42) k2"], rel=1e-9)
