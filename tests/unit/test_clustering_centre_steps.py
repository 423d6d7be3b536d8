from functools import reduce
from operator import add

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs

from segspark.clustering.centre_steps import CentreSet, nearest_sums
from segspark.clustering.points import MemoryPoints
from segspark.clustering.stepping import SetSteps, SetSums, settle
from segspark.model.scores import Floats

pytestmark = pytest.mark.usefixtures("one_thread")

WHOLE = st.integers(-3, 3).map(float)
"""Whole numbers: equal distances are many, and every sum is exact."""
POINTS = st.integers(0, 30).flatmap(lambda rows: arrays(np.float64, (rows, 2), elements=WHOLE))
CENTRES = st.integers(1, 5).flatmap(lambda k: arrays(np.float64, (k, 2), elements=WHOLE))


def one_by_one(points: Floats, centres: Floats) -> tuple[Floats, float]:
    """Sums, counts and cost of the nearest centres: a plain loop, the first of equals."""
    sums, cost = np.zeros((len(centres), points.shape[1] + 1)), 0.0
    for point in points:
        distances = [float(((point - centre) ** 2).sum()) for centre in centres]
        own = distances.index(min(distances))
        sums[own] += [*point, 1.0]
        cost += distances[own]
    return sums, cost


def stepped(points: Floats, centres: Floats, *, steps: int) -> CentreSet:
    reached = CentreSet(centres)
    for _ in range(steps):
        sums = nearest_sums(points, [reached])
        reached = reached.moved(sums.sums, float(sums.figures[0]))
    return reached


def settled(points: Floats, *starts: Floats) -> tuple[CentreSet, ...]:
    sets = tuple(CentreSet(start) for start in starts)
    (reached,) = settle([SetSteps(sets, nearest_sums)], MemoryPoints(points).add_up, most_steps=300)
    return reached.sets


@settings(deadline=None)
@given(points=POINTS, centres=CENTRES)
def test_every_point_counts_once_at_the_first_of_its_nearest_centres(
    points: Floats, centres: Floats
) -> None:
    expected, cost = one_by_one(points, centres)

    found = nearest_sums(points, [CentreSet(centres)])

    np.testing.assert_array_equal(found.sums, expected)
    assert found.figures[0] == cost


@settings(deadline=None)
@given(points=POINTS, sets=st.lists(CENTRES, min_size=1, max_size=4))
def test_several_sets_at_once_add_up_to_what_each_does_alone(
    points: Floats, sets: list[Floats]
) -> None:
    together = nearest_sums(points, [CentreSet(centres) for centres in sets])

    alone = [nearest_sums(points, [CentreSet(centres)]) for centres in sets]
    np.testing.assert_array_equal(together.sums, np.concatenate([each.sums for each in alone]))
    np.testing.assert_array_equal(together.figures, [each.figures[0] for each in alone])


@settings(deadline=None)
@given(points=POINTS, centres=CENTRES, cuts=st.lists(st.integers(0, 30), max_size=4))
def test_blocks_add_up_to_the_whole(points: Floats, centres: Floats, cuts: list[int]) -> None:
    sets = [CentreSet(centres), CentreSet(centres[:1])]
    whole = nearest_sums(points, sets)

    blocks = np.split(points, sorted(min(cut, len(points)) for cut in cuts))
    parts: SetSums = reduce(add, [nearest_sums(block, sets) for block in blocks])

    np.testing.assert_array_equal(parts.sums, whole.sums)
    np.testing.assert_array_equal(parts.figures, whole.figures)


@pytest.mark.parametrize("rows", [0, 1, 2047, 2048, 2049, 4096, 4097])
def test_no_point_is_lost_or_doubled_where_chunks_end(rows: int) -> None:
    generator = np.random.default_rng(rows)
    points = generator.integers(-50, 50, size=(rows, 3)).astype(np.float64)
    centres = generator.integers(-50, 50, size=(4, 3)).astype(np.float64)
    expected, cost = one_by_one(points, centres)

    found = nearest_sums(points, [CentreSet(centres)])

    np.testing.assert_array_equal(found.sums, expected)
    assert found.figures[0] == cost


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_steps_are_those_of_scikit_learn(steps: int) -> None:
    points, _ = make_blobs(700, 3, centers=5, cluster_std=3.0, random_state=4)
    start = points[:5]
    theirs = KMeans(5, init=start, n_init=1, max_iter=steps, tol=0.0).fit(points)

    ours = stepped(points, start, steps=steps)
    after = nearest_sums(points, [ours])

    np.testing.assert_allclose(ours.centres, theirs.cluster_centers_, rtol=0, atol=1e-9)
    assert after.figures[0] == pytest.approx(theirs.inertia_, rel=1e-9)
    assert ours.steps == steps


def test_candidates_settle_together_where_scikit_learn_settles_each() -> None:
    points, _ = make_blobs(600, 2, centers=4, cluster_std=0.6, random_state=1)
    starts = [points[:count] for count in (2, 3, 4, 6)]

    found = settled(points, *starts)

    for start, ours in zip(starts, found, strict=True):
        theirs = KMeans(len(start), init=start, n_init=1, tol=0.0).fit(points)
        assert ours.is_settled
        assert ours.cost == pytest.approx(theirs.inertia_, rel=1e-6)
        np.testing.assert_allclose(ours.centres, theirs.cluster_centers_, atol=1e-2)


def test_a_candidate_settles_the_same_way_whatever_moves_beside_it() -> None:
    points, _ = make_blobs(500, 2, centers=6, cluster_std=2.0, random_state=8)
    starts = [points[:count] for count in (2, 5, 9)]

    together = settled(points, *starts)

    for start, beside in zip(starts, together, strict=True):
        (alone,) = settled(points, start)
        assert alone.steps == beside.steps
        np.testing.assert_allclose(alone.centres, beside.centres, rtol=0, atol=1e-9)


def test_a_centre_without_points_stays_and_the_others_move_on() -> None:
    points = np.array([[0.0], [2.0], [10.0]])

    found = stepped(points, np.array([[1.0], [50.0], [9.0]]), steps=3)

    np.testing.assert_array_equal(found.centres, [[1.0], [50.0], [10.0]])


def test_the_second_of_two_equal_centres_gets_no_points() -> None:
    points = np.array([[0.0], [1.0], [2.0]])

    found = nearest_sums(points, [CentreSet(np.array([[1.0], [1.0]]))])

    np.testing.assert_array_equal(found.sums, [[3.0, 3.0], [0.0, 0.0]])


def test_the_cost_never_rises() -> None:
    points = np.random.default_rng(2).normal(size=(800, 4))
    costs = [stepped(points, points[:7], steps=steps).cost for steps in range(1, 25)]

    assert (np.diff(costs) <= 1e-9).all()


@pytest.mark.parametrize("distance", [1e3, 1e6])
def test_a_far_outlier_leaves_the_centres_of_the_others_exact(distance: float) -> None:
    points, _ = make_blobs(300, 2, centers=2, cluster_std=0.5, random_state=3)
    far = np.vstack([points, [[distance, distance]]])
    start = np.vstack([points[:2], [[distance, 0.0]]])

    plain, beside = stepped(points, points[:2], steps=6), stepped(far, start, steps=6)

    np.testing.assert_allclose(beside.centres[:2], plain.centres, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(beside.centres[2], [distance, distance])


def test_what_has_not_settled_stays_where_the_last_step_took_it() -> None:
    points = np.random.default_rng(2).normal(size=(400, 3))
    told: list[int] = []
    start = SetSteps((CentreSet(points[:6]),), nearest_sums)

    (reached,) = settle([start], MemoryPoints(points).add_up, most_steps=2, told=told.append)

    assert told == [1, 2]
    assert not reached.is_settled
    expected = stepped(points, points[:6], steps=2)
    np.testing.assert_array_equal(reached.sets[0].centres, expected.centres)
