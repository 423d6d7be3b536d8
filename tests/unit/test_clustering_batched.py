import re

import numpy as np
import pytest
from sklearn.cluster import BisectingKMeans, KMeans
from sklearn.datasets import make_blobs
from sklearn.mixture import GaussianMixture

from segspark.clustering import batched
from segspark.clustering.batched import BatchedEngine
from segspark.clustering.engine import Candidate, FittedCandidate
from segspark.clustering.evaluation import evaluate
from segspark.model.clusters import ClusterModel
from segspark.model.mixture import Mixture
from segspark.model.scores import Floats
from segspark.settings.training import Algorithm, Covariance, SweepSettings
from tests.clustering_data import COVARIANCE_TYPES
from tests.point_blocks import memory_blocks

pytestmark = pytest.mark.usefixtures("one_thread")

STEP_BY_STEP = [each for each in Algorithm if not each.is_on_micro_clusters]
EVERYTHING = [
    *(Candidate(algorithm, count) for algorithm in STEP_BY_STEP for count in (2, 3, 5, 7)),
    *(
        Candidate(Algorithm.GAUSSIAN_MIXTURE, count, covariance=covariance)
        for covariance in Covariance
        if covariance is not Covariance.FULL
        for count in (2, 5)
    ),
]


def noise(rows: int = 900) -> Floats:
    return np.random.default_rng(12).normal(size=(rows, 3))


def data_sets() -> dict[str, Floats]:
    generator = np.random.default_rng(8)
    shear = generator.normal(size=(4, 4))
    return {
        "blobs": make_blobs(3000, 4, centers=6, cluster_std=1.5, random_state=1)[0],
        "overlapping": make_blobs(3000, 3, centers=8, cluster_std=4.0, random_state=2)[0],
        "correlated": generator.normal(size=(3000, 4)) @ shear,
        "skewed": generator.lognormal(size=(3000, 3)),
        "noise": generator.normal(size=(3000, 2)),
    }


def fit(
    points: Floats,
    candidates: list[Candidate],
    settings: SweepSettings | None = None,
    *,
    parts: int = 3,
) -> list[FittedCandidate]:
    held = memory_blocks(points, parts=parts)
    settings = settings or SweepSettings()
    return BatchedEngine().fit(held, candidates, settings, progress=lambda _: None)


def model_of(fitted: FittedCandidate) -> ClusterModel:
    assert fitted.clusters is not None, fitted.refusal
    return fitted.clusters


@pytest.mark.parametrize("name", list(data_sets()))
def test_costs_are_those_of_the_best_of_scikit_learns_three_starts_or_lower(name: str) -> None:
    points = data_sets()[name]
    candidates = [Candidate(Algorithm.KMEANS, count) for count in range(2, 9)]

    fitted = fit(points, candidates)

    judged = evaluate(memory_blocks(points), [model_of(each) for each in fitted])
    ratios = []
    for candidate, found in zip(candidates, judged, strict=True):
        theirs = KMeans(candidate.segment_count, n_init=3, random_state=0).fit(points)
        ratios.append(found.within_cluster_sum / theirs.inertia_)
    # Both are the best of three draws: either may be the luckier one of a single number.
    assert np.mean(ratios) <= 1.0005
    assert max(ratios) <= 1.002


@pytest.mark.parametrize("name", ["blobs", "overlapping", "skewed"])
def test_bisecting_costs_are_at_most_a_fiftieth_above_scikit_learns(name: str) -> None:
    points = data_sets()[name]
    candidates = [Candidate(Algorithm.BISECTING_KMEANS, count) for count in range(2, 9)]

    fitted = fit(points, candidates)

    judged = evaluate(memory_blocks(points), [model_of(each) for each in fitted])
    for candidate, found in zip(candidates, judged, strict=True):
        # Both cut a tree; scikit-learn the part of the largest sum, which falls less or as much.
        theirs = BisectingKMeans(candidate.segment_count, n_init=3, random_state=0).fit(points)
        assert found.within_cluster_sum <= 1.02 * theirs.inertia_


def test_a_candidate_is_the_same_whatever_is_tried_beside_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A sample that is not everybody: the passes over all points have something left to do.
    monkeypatch.setattr(batched, "SAMPLE_ROWS", 300)
    together = fit(noise(), EVERYTHING)

    for candidate, beside in zip(EVERYTHING, together, strict=True):
        (alone,) = fit(noise(), [candidate])
        np.testing.assert_allclose(
            model_of(alone).centres, model_of(beside).centres, rtol=0, atol=1e-9
        )
        assert alone.iterations == beside.iterations


def test_the_order_of_the_candidates_changes_nothing() -> None:
    forwards = fit(noise(), EVERYTHING)
    backwards = fit(noise(), EVERYTHING[::-1])[::-1]

    for one, other in zip(forwards, backwards, strict=True):
        assert one.candidate == other.candidate
        np.testing.assert_allclose(
            model_of(one).centres, model_of(other).centres, rtol=0, atol=1e-9
        )


def test_blocks_of_any_size_lead_to_the_same_segments() -> None:
    one, many = fit(noise(), EVERYTHING, parts=1), fit(noise(), EVERYTHING, parts=9)

    for first, second in zip(one, many, strict=True):
        np.testing.assert_array_equal(
            model_of(first).assign(noise()), model_of(second).assign(noise())
        )
        np.testing.assert_allclose(
            model_of(first).centres, model_of(second).centres, rtol=0, atol=1e-9
        )


def test_the_seed_decides_the_starts() -> None:
    first, again, other = (
        [model_of(each).to_dict() for each in fit(noise(), EVERYTHING, SweepSettings(seed=seed))]
        for seed in (1, 1, 2)
    )

    assert first == again
    assert first != other


@pytest.mark.parametrize("covariance", Covariance)
def test_every_covariance_of_a_mixture_fits(covariance: Covariance) -> None:
    candidates = [
        Candidate(Algorithm.GAUSSIAN_MIXTURE, count, covariance=covariance) for count in (2, 4)
    ]

    fitted = fit(data_sets()["blobs"], candidates)

    for candidate, each in zip(candidates, fitted, strict=True):
        assert model_of(each).k == candidate.segment_count
        assert np.isfinite(model_of(each).score(data_sets()["blobs"]).log_density).all()


def test_mixtures_of_every_covariance_are_fitted_together_each_in_its_own_shape() -> None:
    points = data_sets()["overlapping"]
    mixtures = [
        Candidate(Algorithm.GAUSSIAN_MIXTURE, 3, covariance=covariance) for covariance in Covariance
    ]

    fitted = fit(points, mixtures)

    for candidate, each in zip(mixtures, fitted, strict=True):
        model = model_of(each)
        assert isinstance(model, Mixture)
        own = model.covariances
        diagonals = own * np.eye(3)
        is_diagonal, is_tied = np.array_equal(own, diagonals), (own == own[0]).all()
        is_spherical = is_diagonal and np.ptp(np.diagonal(own, axis1=1, axis2=2), axis=1).max() == 0
        assert {
            Covariance.FULL: (False, False, False),
            Covariance.DIAGONAL: (True, False, False),
            Covariance.TIED: (False, True, False),
            Covariance.SPHERICAL: (True, False, True),
        }[candidate.covariance or Covariance.FULL] == (is_diagonal, is_tied, is_spherical)
        shape = COVARIANCE_TYPES[candidate.covariance or Covariance.FULL]
        theirs = GaussianMixture(3, covariance_type=shape, n_init=5, random_state=1)
        best = theirs.fit(points).score(points) * len(points)
        assert model.score(points).log_density.sum() >= best - 1.0


@pytest.mark.parametrize("closeness", [1e-16, 1e-15, 1e-14, 1e-12, 1e-9])
@pytest.mark.parametrize("algorithm", STEP_BY_STEP)
def test_nearly_equal_points_end_in_a_model_or_a_sentence(
    algorithm: Algorithm, closeness: float
) -> None:
    near = 1.0 + closeness * np.random.default_rng(1).integers(0, 4, size=(60, 2))
    points = np.vstack([100.0 * near, 101.0 * near])

    for each in fit(points, [Candidate(algorithm, count) for count in (2, 3, 4)]):
        if each.clusters is None:
            assert re.fullmatch("[234] segments were asked (and|of) .*", each.refusal or "")
        else:
            assert np.isfinite(each.clusters.centres).all()
            assert each.clusters.k == each.candidate.segment_count


def test_iterations_stop_where_the_settings_say() -> None:
    told: list[str] = []
    settings = SweepSettings(most_iterations=1)

    fitted = BatchedEngine().fit(memory_blocks(noise()), EVERYTHING, settings, progress=told.append)

    assert told == ["starting 18 candidates from a sample", "pass 1 over all customers"]
    assert {each.iterations for each in fitted} == {1}
