import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import make_blobs

from segspark.clustering.centre_steps import CentreSet
from segspark.clustering.split_steps import SideSums
from segspark.clustering.starts import starting_centres, starting_mixtures, starting_splits
from segspark.model.scores import Floats
from segspark.settings.training import Covariance

pytestmark = pytest.mark.usefixtures("one_thread")


def blobs() -> Floats:
    points, _ = make_blobs(500, 3, centers=5, cluster_std=1.5, random_state=2)
    return np.asarray(points)


def centres_of(found: list[list[CentreSet]]) -> list[list[list[float]]]:
    return [[start.centres.ravel().tolist() for start in group] for group in found]


def test_the_draw_of_a_larger_number_begins_with_the_smaller_one() -> None:
    few, many = starting_centres(blobs(), [3, 8], restarts=4, seed=5, most_steps=0)
    (alone,) = starting_centres(blobs(), [3], restarts=4, seed=5, most_steps=0)

    for small, large, own in zip(few, many, alone, strict=True):
        np.testing.assert_array_equal(large.centres[:3], small.centres)
        np.testing.assert_array_equal(own.centres, small.centres)


def test_the_seed_decides_and_nothing_else() -> None:
    first = starting_centres(blobs(), [2, 6], restarts=3, seed=5)
    again = starting_centres(blobs(), [2, 6], restarts=3, seed=5)
    other = starting_centres(blobs(), [2, 6], restarts=3, seed=6)

    assert centres_of(first) == centres_of(again)
    assert centres_of(first) != centres_of(other)
    cuts = [
        [split.halves.centres.tolist() for split in starting_splits(blobs(), 4, restarts=2, seed=s)]
        for s in (5, 5, 6)
    ]
    assert cuts[0] == cuts[1] != cuts[2]


def test_a_number_starts_the_same_way_whatever_others_are_asked() -> None:
    together = dict(
        zip((2, 4, 9), starting_centres(blobs(), [2, 4, 9], restarts=3, seed=1), strict=True)
    )

    for count, beside in together.items():
        (alone,) = starting_centres(blobs(), [count], restarts=3, seed=1)
        for own, other in zip(alone, beside, strict=True):
            np.testing.assert_allclose(own.centres, other.centres, rtol=0, atol=1e-9)


def test_starts_are_settled_and_come_cheapest_first() -> None:
    (found,) = starting_centres(blobs(), [7], restarts=5, seed=3)

    assert all(start.is_settled for start in found)
    assert [start.cost for start in found] == sorted(start.cost for start in found)


def test_more_restarts_are_never_worse() -> None:
    costs = [starting_centres(blobs(), [8], restarts=r, seed=3)[0][0].cost for r in (1, 3, 6)]

    assert costs == sorted(costs, reverse=True)


def test_no_more_centres_start_than_there_are_distinct_points() -> None:
    points = np.repeat(np.eye(3), 10, axis=0)

    (found,) = starting_centres(points, [5], restarts=3, seed=1)

    for start in found:
        rows = sorted(start.centres.tolist(), reverse=True)
        assert rows == np.eye(3).tolist()


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 10**6),
    size=st.floats(-2, 4).map(lambda power: 10.0**power),
    closeness=st.floats(-16, -5).map(lambda power: 10.0**power),
)
def test_points_too_near_to_be_told_apart_are_not_cut(
    seed: int, size: float, closeness: float
) -> None:
    steps = np.random.default_rng(seed).integers(0, 3, size=(7, 2))
    points: Floats = np.asarray(size * (1.0 + closeness * steps), dtype=np.float64)

    splits = starting_splits(points, 3, restarts=2, seed=seed)

    assert all(split.halves.centres.shape == (2, 2) for split in splits)
    if splits:
        sums = SideSums.of(points, splits)
        assert sums.sums[0, :, -1].sum() == len(points)
        assert np.isfinite(sums.costs).all()


@pytest.mark.parametrize("covariance", Covariance)
def test_a_mixture_starts_where_a_centre_has_no_points(covariance: Covariance) -> None:
    away = CentreSet(np.vstack([blobs()[:2], [[500.0, 500.0, 500.0]]]))

    (found,) = starting_mixtures(blobs(), [[away]], covariances=[covariance])

    assert found.k == 3
    assert np.isfinite(found.mixture.centres).all()
    assert found.mixture.weights.sum() == pytest.approx(1.0)
    assert (np.linalg.eigvalsh(found.mixture.covariances) > 0).all()


def test_the_mixture_of_highest_likelihood_goes_on_and_has_not_settled() -> None:
    (sets,) = starting_centres(blobs(), [5], restarts=1, seed=3)
    poor = CentreSet(blobs()[:5])

    best, *_ = starting_mixtures(blobs(), [[poor, *sets]], covariances=[Covariance.FULL])
    alone = [
        starting_mixtures(blobs(), [[each]], covariances=[Covariance.FULL])[0]
        for each in (poor, *sets)
    ]

    likelihoods = [each.mixture.score(blobs()).log_density.sum() for each in alone]
    assert best.mixture.score(blobs()).log_density.sum() == pytest.approx(
        max(likelihoods), rel=1e-9
    )
    assert not best.is_settled
    assert best.steps == 0
