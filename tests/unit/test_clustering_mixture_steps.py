import warnings
from functools import reduce
from operator import add

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import make_blobs
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from segspark.clustering.mixture_steps import (
    MovingMixture,
    posterior_sums,
    shaped_covariances,
)
from segspark.clustering.starts import starting_centres, starting_mixtures
from segspark.clustering.stepping import SetSums
from segspark.model.mixture import Mixture
from segspark.model.scores import CACHED_ROWS, Floats
from segspark.settings.training import Covariance
from tests.clustering_data import COVARIANCE_TYPES

pytestmark = pytest.mark.usefixtures("one_thread")


def overlapping(rows: int = 600) -> Floats:
    points, _ = make_blobs(rows, 3, centers=3, cluster_std=2.5, random_state=5)
    shear = np.array([[1.0, 0.8, 0.0], [0.0, 1.0, 0.0], [0.3, 0.0, 0.5]])
    sheared: Floats = points @ shear
    return sheared


def start_at(points: Floats, covariance: Covariance, *, k: int = 3) -> Mixture:
    """A poor start: the first points, and one shape for all components."""
    spread = np.broadcast_to(np.cov(points.T), (k, *2 * points.shape[1:]))
    weights = np.arange(1.0, k + 1.0)
    shaped = shaped_covariances(spread, weights, covariance)
    return Mixture(weights / weights.sum(), points[:k], shaped)


def step(points: Floats, moving: MovingMixture) -> MovingMixture:
    sums = posterior_sums(points, [moving])
    return moving.moved(sums.sums, float(sums.figures[0]))


def stepped(points: Floats, covariance: Covariance, *, steps: int) -> list[MovingMixture]:
    """Every state on the way, the start first."""
    states = [MovingMixture(start_at(points, covariance), covariance, gain=0.0)]
    for _ in range(steps):
        states.append(step(points, states[-1]))
    return states


def theirs(
    points: Floats, start: Mixture, covariance: Covariance, *, steps: int
) -> GaussianMixture:
    precisions = np.linalg.inv(start.covariances)
    shaped = {
        Covariance.FULL: precisions,
        Covariance.DIAGONAL: np.diagonal(precisions, axis1=1, axis2=2),
        Covariance.TIED: precisions[0],
        Covariance.SPHERICAL: precisions[:, 0, 0],
    }
    mixture = GaussianMixture(
        start.k,
        covariance_type=COVARIANCE_TYPES[covariance],
        reg_covar=1e-6,
        tol=0.0,
        max_iter=steps,
        weights_init=start.weights,
        means_init=start.centres,
        precisions_init=shaped[covariance],
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return mixture.fit(points)


def their_covariances(mixture: GaussianMixture, covariance: Covariance, *, width: int) -> Floats:
    own = mixture.covariances_
    match covariance:
        case Covariance.FULL:
            shaped = own
        case Covariance.DIAGONAL:
            shaped = [np.diag(each) for each in own]
        case Covariance.TIED:
            shaped = [own] * mixture.n_components
        case Covariance.SPHERICAL:
            shaped = [each * np.eye(width) for each in own]
    return np.array(shaped, dtype=np.float64)


def is_possible(moving: MovingMixture) -> bool:
    mixture = moving.mixture
    return bool(
        np.isfinite(mixture.centres).all()
        and (mixture.weights > 0).all()
        and abs(mixture.weights.sum() - 1) < 1e-9
        and (np.linalg.eigvalsh(mixture.covariances) > 0).all()
        and np.isfinite(moving.log_likelihood)
    )


@pytest.mark.parametrize("steps", [1, 7])
@pytest.mark.parametrize("covariance", Covariance)
def test_steps_are_those_of_scikit_learn(covariance: Covariance, steps: int) -> None:
    points = overlapping()
    expected = theirs(points, start_at(points, covariance), covariance, steps=steps)

    found = stepped(points, covariance, steps=steps)[-1]

    np.testing.assert_allclose(found.mixture.weights, expected.weights_, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.mixture.centres, expected.means_, rtol=0, atol=1e-8)
    np.testing.assert_allclose(
        found.mixture.covariances, their_covariances(expected, covariance, width=3), atol=1e-8
    )
    assert found.log_likelihood == pytest.approx(expected.lower_bound_, rel=1e-10)
    assert found.steps == steps


@pytest.mark.parametrize("covariance", Covariance)
def test_the_likelihood_never_falls(covariance: Covariance) -> None:
    states = stepped(overlapping(), covariance, steps=40)

    assert (np.diff([each.log_likelihood for each in states[1:]]) >= -1e-9).all()


@pytest.mark.parametrize("rows", [0, 1, 2047, 2048, 2049, CACHED_ROWS, CACHED_ROWS + 1])
def test_the_likelihood_and_the_posteriors_are_those_of_the_served_model(rows: int) -> None:
    points = np.random.default_rng(3).normal(size=(rows, 3))
    mixture = start_at(overlapping(), Covariance.FULL)

    found = posterior_sums(points, [MovingMixture(mixture, Covariance.FULL, gain=0.0)])

    densities = mixture.weighted_densities(points)
    posteriors = densities / densities.sum(axis=1, keepdims=True)
    assert found.figures[0] == pytest.approx(mixture.score(points).log_density.sum(), rel=1e-12)
    np.testing.assert_allclose(found.sums[:, -1], posteriors.sum(axis=0), rtol=1e-9)
    np.testing.assert_allclose(found.sums[:, -4:-1], posteriors.T @ points, atol=1e-9)


@settings(deadline=None, max_examples=30)
@given(
    rows=st.integers(1, 60),
    counts=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    cuts=st.lists(st.integers(0, 60), max_size=3),
)
def test_blocks_and_candidates_add_up_to_each_alone(
    rows: int, counts: list[int], cuts: list[int]
) -> None:
    points = overlapping(80)[:rows]
    sets = [
        MovingMixture(start_at(overlapping(), covariance, k=count), covariance, gain=0.0)
        for count, covariance in zip(counts, Covariance, strict=False)
    ]

    blocks = np.split(points, sorted(min(cut, rows) for cut in cuts))
    together: SetSums = reduce(add, [posterior_sums(block, sets) for block in blocks])

    alone = [posterior_sums(points, [each]) for each in sets]
    np.testing.assert_allclose(
        together.sums, np.concatenate([each.sums for each in alone]), rtol=1e-9, atol=1e-9
    )
    np.testing.assert_allclose(
        together.figures, np.concatenate([each.figures for each in alone]), rtol=1e-9
    )


@pytest.mark.parametrize("distance", [50.0, 1e3, 1e6])
def test_a_far_outlier_belongs_to_somebody_and_underflows_nowhere(distance: float) -> None:
    points = np.vstack([overlapping(), [[distance, -distance, distance]]])
    moving = MovingMixture(start_at(overlapping(), Covariance.FULL), Covariance.FULL, gain=0.0)

    sums = posterior_sums(points, [moving])
    after = moving.moved(sums.sums, float(sums.figures[0]))

    assert sums.sums[:, -1].sum() == pytest.approx(len(points), rel=1e-12)
    assert sums.figures[0] == pytest.approx(
        moving.mixture.score(points).log_density.sum(), rel=1e-9
    )
    assert is_possible(after)


@pytest.mark.parametrize("distance", [1e2, 1e4, 1e5, 1e8])
@pytest.mark.parametrize("covariance", Covariance)
def test_a_component_of_far_outliers_alone_stays_possible(
    covariance: Covariance, distance: float
) -> None:
    near = np.random.default_rng(1).normal(size=(400, 3))
    far = distance + 1e-3 * np.random.default_rng(2).normal(size=(20, 3))
    points = np.vstack([near, far])
    starts = starting_centres(points, [2, 3], restarts=2, seed=1)

    found = starting_mixtures(points, starts, covariances=[covariance] * 2)

    for moving in found:
        after = step(points, step(points, moving))
        assert is_possible(after)
    first = found[0].mixture
    np.testing.assert_allclose(np.sort(first.weights), [20 / 420, 400 / 420], atol=1e-6)


@pytest.mark.parametrize("covariance", Covariance)
@pytest.mark.parametrize(
    "points",
    [
        np.repeat([[0.0, 1.0], [2.0, 3.0], [5.0, 1.0]], 20, axis=0),
        np.column_stack([np.random.default_rng(4).normal(size=90), np.full(90, 7.0)]),
        3.0 + 1e-9 * np.random.default_rng(4).normal(size=(90, 2)),
        np.vstack([np.random.default_rng(4).normal(size=(90, 2)), [[9.0, 9.0]]]),
    ],
    ids=["three points", "a constant column", "nearly one point", "one point alone"],
)
def test_collapsing_components_stay_possible(points: Floats, covariance: Covariance) -> None:
    starts = starting_centres(points, [2, 3], restarts=2, seed=1)
    mixtures = starting_mixtures(points, starts, covariances=[covariance] * 2)

    for moving in mixtures:
        states = [moving]
        for _ in range(30):
            states.append(step(points, states[-1]))

        assert all(is_possible(each) for each in states[1:])


@pytest.mark.parametrize("covariance", Covariance)
def test_a_component_that_no_point_belongs_to_stays_possible(covariance: Covariance) -> None:
    points = overlapping(100)
    mixture = start_at(points, covariance)
    away = Mixture(mixture.weights, np.vstack([points[:2], [[1e4, 1e4, 1e4]]]), mixture.covariances)

    after = step(points, MovingMixture(away, covariance, gain=0.0))

    assert is_possible(after)
    assert after.mixture.weights[2] < 1e-11
    assert is_possible(step(points, after))


def test_a_mixture_settles_once_a_step_gains_too_little() -> None:
    points = overlapping()
    slow = MovingMixture(start_at(points, Covariance.FULL), Covariance.FULL, gain=1e-3)
    states = [slow]
    while not states[-1].is_settled:
        states.append(step(points, states[-1]))

    gains = np.diff([each.log_likelihood for each in states[1:]])
    assert gains[-1] < 1e-3
    assert (gains[:-1] >= 1e-3).all()
