"""Data of known structure, or of none, through the whole sweep: what is there must be found."""

from collections.abc import Sequence
from typing import cast

import numpy as np
import pytest
from pyspark.sql import DataFrame
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture

from scripts.benchmarks.planted_customers import (
    FOUR_CENTRES,
    Customers,
    constant_column,
    correlated,
    few_distinct,
    nearly_equal,
    noise,
    overlapping,
    planted,
    separated,
    skewed,
    standardised,
    unequal,
    with_outliers,
)
from segspark.clustering import sweep
from segspark.clustering.engine import Candidate, candidates_of
from segspark.clustering.results import CandidateResult
from segspark.clustering.sweep import Sweep, SweepPlan, run_sweep
from segspark.errors import ClusteringError
from segspark.model.scores import Floats, Indices
from segspark.settings.training import (
    Algorithm,
    Covariance,
    EmbeddingMethod,
    OutlierSettings,
    SelectionSettings,
    SweepSettings,
    TrainingSettings,
)
from tests.point_blocks import held_in_memory

pytestmark = pytest.mark.usefixtures("one_thread", "points_in_memory")

UP_TO_FIVE = SweepSettings(most_segments=5)
ALONE = [
    *((each,) for each in Algorithm if each is not Algorithm.CONSENSUS),
    (Algorithm.KMEANS, Algorithm.CONSENSUS),
]
# Without clusters these find too few, or peel off single customers: to refuse is an answer.
REFUSING = {Algorithm.AVERAGE_LINKAGE, Algorithm.DBSCAN, Algorithm.HDBSCAN}


@pytest.fixture
def points_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "point_blocks", held_in_memory)


def sweep_of(
    points: Floats,
    settings: SweepSettings = UP_TO_FIVE,
    *,
    candidates: Sequence[Candidate] | None = None,
    **outliers: object,
) -> Sweep:
    selection = SelectionSettings(structureless_draws=2, structureless_customers=300)
    return run_sweep(
        cast("DataFrame", points),
        SweepPlan(candidates or candidates_of(settings)),
        TrainingSettings(
            sweep=settings,
            selection=selection,
            outliers=OutlierSettings.model_validate(outliers),
        ),
        progress=lambda _: None,
    )


def groups_of(customers: Customers) -> Indices:
    """The planted group of each."""
    assert customers.groups is not None
    return customers.groups


def agreement(found: Sweep, points: Floats, labels: Indices) -> float:
    """Adjusted Rand index of the chosen segments and the planted ones: 1 where they are equal."""
    return float(adjusted_rand_score(labels, found.clusters.assign(points)))


def calls_natural(points: Floats, settings: SweepSettings) -> bool:
    """Whether natural clusters are told of; where some algorithms can choose nothing none are."""
    try:
        return sweep_of(points, settings).selection.has_natural_clusters
    except ClusteringError:
        if not REFUSING.issuperset(settings.algorithms):
            raise
        return False


def row_of(found: Sweep, candidate_id: str) -> CandidateResult:
    return next(row for row in found.selection.rows if row.candidate_id == candidate_id)


def log_likelihood(row: CandidateResult) -> float:
    assert row.evidence is not None
    assert row.evidence.log_likelihood is not None
    return row.evidence.log_likelihood


def test_separated_clusters_are_found_and_called_natural() -> None:
    customers = separated()

    found = sweep_of(customers.points)

    assert found.selection.chosen.candidate.segment_count == 4
    assert found.selection.has_natural_clusters
    assert agreement(found, customers.points, groups_of(customers)) == 1.0


@pytest.mark.parametrize("most", [4, 6])
def test_the_gap_to_uniform_data_takes_as_many_segments_as_are_planted_and_one_of_none(
    most: int,
) -> None:
    points, _ = planted(100, 100, 100, 100, spread=0.7)
    even = np.random.default_rng(1).uniform(size=(400, 3))

    settings = SweepSettings(most_segments=most)
    found, of_none = sweep_of(points, settings), sweep_of(standardised(even), settings)

    assert "the gap to uniform data would have chosen 4 segments." in found.selection.verdict
    assert "would have chosen one segment: no clusters." in of_none.selection.verdict
    for row in found.selection.rows:
        assert row.sampled is not None
        assert row.sampled.gap is not None
        assert row.sampled.copula_gap is not None
        assert row.sampled.gap != row.sampled.copula_gap


def test_embeddings_are_judged_by_the_plain_vector_beside_it() -> None:
    points, labels = planted(150, 150, 150, 150, spread=0.7)
    document = {
        "embeddings": ["none", "pca", "autoencoder"],
        "pca": {"component_count": 3},
        "autoencoder": {"component_count": 3},
        "algorithms": ["kmeans", "gaussian_mixture"],
        "fewest_segments": 4,
        "most_segments": 4,
    }

    found = sweep_of(points, SweepSettings.model_validate(document))

    kmeans = [row_of(found, f"{lead}kmeans-4") for lead in ("", "pca-", "autoencoder-")]
    for row in kmeans:
        assert row.fitted.clusters is not None
        own = row.fitted.clusters.assign(points)
        assert adjusted_rand_score(own, labels) == 1.0
        # The same segments have the same figures, whatever they were found by.
        assert row.silhouette == pytest.approx(kmeans[0].silhouette, rel=1e-12)
        assert row.gain == pytest.approx(kmeans[0].gain, rel=1e-12)
        assert row.structureless == kmeans[0].structureless
    mixtures = [row_of(found, f"{lead}gaussian_mixture-4") for lead in ("", "pca-")]
    assert [row.evidence is not None and row.evidence.bic is None for row in mixtures] == [
        False,
        True,
    ]
    assert found.selection.chosen.candidate_id == "kmeans-4"
    assert found.embeddings[EmbeddingMethod.PCA].explained_ratio == pytest.approx(1.0)


def test_overlapping_clusters_are_found_up_to_where_they_overlap() -> None:
    customers = overlapping()

    found = sweep_of(customers.points)

    assert found.selection.chosen.candidate.segment_count == 4
    assert found.selection.has_natural_clusters
    assert agreement(found, customers.points, groups_of(customers)) > 0.85


def test_clusters_of_unequal_sizes_are_found_and_called_natural() -> None:
    customers = unequal()

    found = sweep_of(customers.points)

    assert found.selection.chosen.candidate.segment_count == 4
    assert found.selection.has_natural_clusters
    assert agreement(found, customers.points, groups_of(customers)) > 0.99


def test_a_cluster_below_the_smallest_share_is_not_chosen() -> None:
    points, _ = planted(300, 300, 300, 6, spread=0.5)

    found = sweep_of(points)

    assert found.selection.chosen.candidate.segment_count == 3
    assert row_of(found, "kmeans-4").reason == "smallest segment holds 0.7 %, below the 2.0 % asked"


def test_long_clusters_side_by_side_are_found_and_called_natural() -> None:
    customers = correlated()

    found = sweep_of(customers.points)

    assert found.selection.chosen.candidate_id == "gaussian_mixture-3"
    assert found.selection.verdict.startswith("Natural clusters that are not round")
    assert agreement(found, customers.points, groups_of(customers)) > 0.98


def test_a_mixture_finds_correlated_gaussians_where_centres_do_not() -> None:
    customers = correlated()
    points, labels = customers.points, groups_of(customers)
    both = SweepSettings(most_segments=4, covariances=(Covariance.FULL, Covariance.SPHERICAL))

    found = sweep_of(points, both)

    full = row_of(found, "gaussian_mixture-3")
    theirs = GaussianMixture(3, n_init=5, random_state=0).fit(points)

    assert log_likelihood(full) >= theirs.score(points) * len(points) - 1.0
    spherical = row_of(found, "gaussian_mixture-spherical-3")
    assert log_likelihood(full) > log_likelihood(spherical) + 100
    by_rows = {
        row.candidate_id: adjusted_rand_score(labels, row.fitted.clusters.assign(points))
        for row in found.selection.rows
        if row.fitted.clusters is not None and row.candidate.segment_count == 3
    }
    assert by_rows["gaussian_mixture-3"] > 0.95
    assert by_rows["kmeans-3"] < by_rows["gaussian_mixture-3"]
    assert by_rows["gaussian_mixture-spherical-3"] < by_rows["gaussian_mixture-3"]
    assert f"Of the mixtures BIC takes {full.candidate_id}" in found.selection.verdict
    # Two weights, six coordinates, and three symmetric matrices or three variances.
    for row, parameters in ((full, 2 + 6 + 9), (spherical, 2 + 6 + 3)):
        assert row.evidence is not None
        assert row.evidence.parameter_count == parameters


def test_a_candidate_tried_alone_is_held_to_all_algorithms_of_the_sweep() -> None:
    points, _ = planted(100, 100, 100, 100, spread=2.2)
    mixture = Candidate(Algorithm.GAUSSIAN_MIXTURE, 4)

    (alone,) = sweep_of(points, candidates=[mixture]).selection.rows

    beside = row_of(sweep_of(points), mixture.candidate_id)
    assert alone.structureless is not None
    assert alone.structureless == beside.structureless
    mixtures_only = SweepSettings(algorithms=(Algorithm.GAUSSIAN_MIXTURE,), most_segments=5)
    among_mixtures = row_of(sweep_of(points, mixtures_only), mixture.candidate_id)
    assert among_mixtures.structureless is not None
    assert among_mixtures.structureless.mean < alone.structureless.mean


def test_outliers_join_the_planted_segments_and_lie_beyond_their_fence() -> None:
    customers = with_outliers()
    points, outliers = customers.points[:-2], customers.points[-2:]
    labels = groups_of(customers)[:-2]

    found = sweep_of(customers.points)

    assert found.selection.chosen.candidate.segment_count == 4
    assert agreement(found, points, labels) == 1.0
    assert found.clusters.score(outliers).centre_distance.min() > found.outlier_distance
    assert found.clusters.score(points).centre_distance.max() < found.outlier_distance


def test_outliers_apart_are_a_segment_beside_the_planted_ones_and_are_told_of() -> None:
    points, labels = planted(100, 100, 100, 100, spread=0.7)
    directions = np.array([[1.0, 1.0, 1.0], [-1.0, 1.0, 0.0], [0.0, -1.0, -1.0]])
    everyone = np.vstack([points, 60.0 * directions])

    found = sweep_of(everyone, policy="apart")

    assert found.selection.chosen.candidate.segment_count == 4
    assert found.selection.has_natural_clusters
    assert found.clusters.k == 5
    with_apart = np.append(labels, [4, 4, 4])
    assert adjusted_rand_score(with_apart, found.clusters.assign(everyone)) == 1.0
    assert found.selection.verdict.endswith(
        "Outliers: 3 farther than 3.89 from the middle, 0.7 % of all customers; "
        "they are a segment of their own."
    )
    # What the fence of the others' own centres is made of has not seen them.
    assert found.outlier_distance < 2.0


def test_clipped_outliers_leave_the_planted_segments_where_they_are() -> None:
    points, labels = planted(100, 100, 100, 100, spread=0.7)
    everyone = np.vstack([points, [[60.0, 60.0, 60.0], [-50.0, 80.0, 0.0]]])

    found = sweep_of(everyone, policy="clip", fence_ratio=2.0)

    assert found.clusters.k == found.selection.chosen.candidate.segment_count == 4
    assert agreement(found, points, labels) == 1.0
    assert found.clusters.score(everyone).is_remote.tolist() == [False] * 400 + [True] * 2


def test_outliers_so_far_that_each_is_a_segment_are_refused_in_a_sentence() -> None:
    points, _ = planted(150, 150, 150, 150, spread=0.7)
    far = np.array([[1e6, -1e6, 1e6], [1e6, 1e6, -1e6]])

    with pytest.raises(ClusteringError, match=r"smallest segment holds 0\.2 %, below the"):
        sweep_of(np.vstack([points, far]))


@pytest.mark.parametrize("seed", [1, 2])
def test_noise_has_no_natural_clusters(seed: int) -> None:
    found = sweep_of(noise(seed).points).selection

    assert not found.has_natural_clusters
    assert found.verdict.startswith("No natural clusters: this is a discretisation of a continuum")


def test_skewed_and_correlated_customers_without_groups_have_no_natural_clusters() -> None:
    found = sweep_of(skewed().points).selection

    assert not found.has_natural_clusters
    assert found.verdict.startswith("No natural clusters: this is a discretisation of a continuum")


@pytest.mark.parametrize("algorithms", ALONE, ids="-".join)
def test_an_algorithm_alone_finds_no_natural_clusters_where_there_are_none(
    algorithms: tuple[Algorithm, ...],
) -> None:
    generator = np.random.default_rng(9)
    settings = SweepSettings(algorithms=algorithms, most_segments=5, mixture_restarts=1)
    even = generator.normal(size=(500, 3))
    skewed = np.exp(generator.multivariate_normal([0.0, 0.0], [[0.25, -0.125], [-0.125, 0.2]], 500))
    for points in (even, skewed):
        assert not calls_natural(standardised(points), settings)


def test_nearly_equal_customers_of_planted_groups_are_those_groups() -> None:
    customers = nearly_equal()

    found = sweep_of(customers.points)

    assert found.selection.chosen.candidate.segment_count == 4
    assert agreement(found, customers.points, groups_of(customers)) == 1.0


@pytest.mark.parametrize("constant", [0.0, 7.0])
def test_a_constant_column_changes_no_segment(constant: float) -> None:
    customers = constant_column(constant)

    found = sweep_of(customers.points)

    assert found.selection.chosen.candidate.segment_count == 4
    assert agreement(found, customers.points, groups_of(customers)) == 1.0


def test_more_segments_than_distinct_points_are_refused_one_by_one() -> None:
    found = sweep_of(few_distinct().points, SweepSettings(most_segments=6))

    assert found.selection.chosen.candidate.segment_count == 4
    reasons = {
        row.reason
        for row in found.selection.rows
        if row.candidate.segment_count > len(FOUR_CENTRES)
    }
    assert reasons == {
        "not fitted: 5 segments were asked of 4 distinct points",
        "not fitted: 6 segments were asked of 4 distinct points",
    }


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (0, "there are no customers to cluster"),
        (1, "none of 9 candidates can be chosen .kmeans-3: not fitted: 3 segments were asked of 1"),
        (2, "none of 9 candidates can be chosen .kmeans-3: not fitted: 3 segments were asked of 2"),
    ],
)
def test_too_few_customers_are_refused_in_a_sentence(rows: int, sentence: str) -> None:
    with pytest.raises(ClusteringError, match=sentence):
        sweep_of(FOUR_CENTRES[:rows])


def test_equal_customers_are_refused_in_a_sentence() -> None:
    with pytest.raises(ClusteringError, match="3 segments were asked of 1 distinct points"):
        sweep_of(np.ones((50, 3)))


def test_every_algorithm_refuses_or_fits_a_few_customers() -> None:
    found = sweep_of(FOUR_CENTRES / 4, SweepSettings(most_segments=4)).selection

    by_algorithm = {row.candidate.algorithm for row in found.rows if row.evidence is not None}
    assert by_algorithm == set(UP_TO_FIVE.algorithms)
