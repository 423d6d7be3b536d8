from functools import reduce
from itertools import pairwise
from operator import add

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.datasets import make_blobs

from segspark.clustering.centre_steps import CentreSet
from segspark.clustering.points import MemoryPoints
from segspark.clustering.split_steps import SideSums, Split, SplitSteps
from segspark.clustering.starts import starting_splits
from segspark.clustering.stepping import settle
from segspark.model.clusters import ClusterModel
from segspark.model.scores import Floats

pytestmark = pytest.mark.usefixtures("one_thread")

WHOLE = st.integers(-3, 3).map(float)
POINTS = st.integers(0, 25).flatmap(lambda rows: arrays(np.float64, (rows, 2), elements=WHOLE))


@st.composite
def split_trees(draw: st.DrawFn) -> tuple[Split, ...]:
    """One to five splits between whole numbers, each of a part that there is and is not cut yet."""
    splits: list[Split] = []
    open_parts = [0]
    for place in range(draw(st.integers(1, 5))):
        part = open_parts.pop(draw(st.integers(0, len(open_parts) - 1)))
        centres = draw(arrays(np.float64, (2, 2), elements=WHOLE))
        splits.append(Split(part, CentreSet(centres)))
        open_parts += [2 * place + 1, 2 * place + 2]
    return tuple(splits)


def members_of(points: Floats, splits: tuple[Split, ...]) -> dict[int, list[int]]:
    """Rows of each part: a plain loop; a point in the middle falls into the first half."""
    members = {0: list(range(len(points)))}
    for place, split in enumerate(splits):
        first, second = split.halves.centres
        members[2 * place + 1], members[2 * place + 2] = [], []
        for row in members[split.part]:
            nearer = ((points[row] - second) ** 2).sum() < ((points[row] - first) ** 2).sum()
            members[2 * place + 1 + int(nearer)].append(row)
    return members


def squares_about_mean(points: Floats) -> float:
    return float(((points - points.mean(axis=0)) ** 2).sum()) if len(points) else 0.0


def settled(points: Floats, *, splits: int, seed: int = 1) -> SplitSteps:
    start = starting_splits(points, splits, restarts=3, seed=seed)
    (reached,) = settle(
        [SplitSteps(start, points.mean(axis=0))], MemoryPoints(points).add_up, most_steps=300
    )
    return reached


def trees(points: Floats, counts: list[int], *, splits: int) -> list[ClusterModel]:
    return [model for model, _ in settled(points, splits=splits).models(counts)]


def blobs(rows: int = 400, *, spread: float = 1.0) -> Floats:
    points, _ = make_blobs(rows, 2, centers=6, cluster_std=spread, random_state=9)
    return np.asarray(points)


@settings(deadline=None)
@given(points=POINTS, splits=split_trees())
def test_every_point_counts_in_the_halves_that_it_descends_to(
    points: Floats, splits: tuple[Split, ...]
) -> None:
    members = members_of(points, splits)

    found = SideSums.of(points, splits)

    for place in range(len(splits)):
        for half in range(2):
            own = points[members[2 * place + 1 + half]]
            np.testing.assert_array_equal(found.sums[place, half], [*own.sum(axis=0), len(own)])
            assert found.squares[place, half] == (own**2).sum()


@settings(deadline=None)
@given(points=POINTS, splits=split_trees(), cuts=st.lists(st.integers(0, 25), max_size=3))
def test_blocks_add_up_to_the_whole(
    points: Floats, splits: tuple[Split, ...], cuts: list[int]
) -> None:
    whole = SideSums.of(points, splits)

    blocks = np.split(points, sorted(min(cut, len(points)) for cut in cuts))
    parts: SideSums = reduce(add, [SideSums.of(block, splits) for block in blocks])

    np.testing.assert_array_equal(parts.sums, whole.sums)
    np.testing.assert_array_equal(parts.squares, whole.squares)


@settings(deadline=None)
@given(points=POINTS, splits=split_trees())
def test_a_tree_assigns_points_to_the_leaf_that_they_were_counted_in(
    points: Floats, splits: tuple[Split, ...]
) -> None:
    counted = SideSums.of(points, splits).sums[..., -1].ravel()
    leaves = set(range(1, 2 * len(splits) + 1)) - {split.part for split in splits}
    ((tree, _),) = SplitSteps(splits, np.zeros(2)).models([len(splits) + 1])

    assigned = np.bincount(tree.assign(points), minlength=tree.k)

    assert sorted(assigned) == sorted(counted[leaf - 1] for leaf in leaves)


@pytest.mark.parametrize("rows", [1, 2047, 2048, 2049])
def test_no_point_is_lost_or_doubled_where_chunks_end(rows: int) -> None:
    points = np.random.default_rng(rows).integers(-9, 9, size=(rows, 2)).astype(np.float64)
    splits = (
        Split(0, CentreSet(np.array([[0.0, 1.0], [2.0, -1.0]]))),
        Split(2, CentreSet(np.array([[3.0, 3.0], [1.0, -4.0]]))),
    )
    members = members_of(points, splits)

    found = SideSums.of(points, splits)

    assert found.sums[..., -1].ravel().tolist() == [len(members[part]) for part in range(1, 5)]


@pytest.mark.parametrize("spread", [0.4, 2.0])
def test_each_half_has_settled_on_the_mean_of_the_points_that_reach_it(spread: float) -> None:
    points = blobs(spread=spread)

    reached = settled(points, splits=7)

    members = members_of(points, reached.splits)
    assert len(reached.splits) == 7
    assert reached.is_settled
    np.testing.assert_allclose(reached.root, points.mean(axis=0), rtol=1e-12)
    for place, split in enumerate(reached.splits):
        for half in range(2):
            mean = points[members[2 * place + 1 + half]].mean(axis=0)
            np.testing.assert_allclose(split.halves.centres[half], mean, rtol=0, atol=2e-2)


def test_a_split_makes_the_steps_of_kmeans_within_its_part() -> None:
    points = blobs()
    first = Split(0, CentreSet(np.array([[-100.0, 0.0], [100.0, 0.0]]), is_settled=True))
    second = Split(2, CentreSet(points[points[:, 0] > 0][:2]))
    part = points[points[:, 0] > 0]
    start = SplitSteps((first, second), points.mean(axis=0))

    (reached,) = settle([start], MemoryPoints(points).add_up, most_steps=3)

    centres = part[:2]
    for _ in range(3):
        nearest = np.linalg.norm(part[:, None] - centres, axis=2).argmin(axis=1)
        centres = np.array([part[nearest == half].mean(axis=0) for half in range(2)])
    np.testing.assert_array_equal(reached.splits[0].halves.centres, first.halves.centres)
    np.testing.assert_allclose(reached.splits[1].halves.centres, centres, rtol=0, atol=1e-9)


def test_a_split_does_not_settle_before_the_one_above_it() -> None:
    points = np.array([[0.0], [1.0], [2.0], [10.0], [11.0], [30.0]])
    start = SplitSteps(
        (
            Split(0, CentreSet(np.array([[0.0], [1.0]]))),
            # Without a change from the first step on, and about other points after it.
            Split(1, CentreSet(np.array([[0.0], [5.0]]))),
        ),
        points.mean(axis=0),
    )

    after = start.stepped(start.sums(points))

    assert [split.halves.is_settled for split in after.splits] == [False, False]
    (reached,) = settle([start], MemoryPoints(points).add_up, most_steps=50)
    members = members_of(points, reached.splits)
    assert reached.is_settled
    for part in range(1, 5):
        split, half = reached.splits[(part - 1) // 2], (part - 1) % 2
        if members[part]:
            assert split.halves.centres[half] == points[members[part]].mean(axis=0)


@pytest.mark.parametrize("spread", [0.4, 2.0])
def test_each_tree_cuts_one_part_of_the_tree_before_it(spread: float) -> None:
    points = blobs(spread=spread)
    counts = [1, 2, 3, 5, 8]

    found = [model.assign(points) for model in trees(points, counts, splits=7)]

    for count, labels in zip(counts, found, strict=True):
        assert len(np.unique(labels)) == count
    for coarse, fine in pairwise(found):
        pairs = set(zip(fine.tolist(), coarse.tolist(), strict=True))
        assert len(pairs) == len(np.unique(fine))


def test_a_tree_is_the_same_whatever_larger_ones_are_tried() -> None:
    points = np.random.default_rng(3).normal(size=(900, 3))

    (alone,) = trees(points, [3], splits=2)
    beside, _ = trees(points, [3, 9], splits=8)

    np.testing.assert_allclose(alone.centres, beside.centres, rtol=0, atol=1e-9)


def test_the_part_is_cut_whose_cut_lowers_the_squares_most() -> None:
    points = blobs(spread=0.3)
    splits = starting_splits(points, 5, restarts=5, seed=2)
    members = members_of(points, splits)

    gains = [
        squares_about_mean(points[members[split.part]])
        - squares_about_mean(points[members[2 * place + 1]])
        - squares_about_mean(points[members[2 * place + 2]])
        for place, split in enumerate(splits)
    ]

    for place in range(len(splits)):
        open_now = [s for s in range(place, 5) if splits[s].part <= 2 * place]
        assert gains[place] == max(gains[s] for s in open_now)


def test_by_levels_all_parts_are_cut_before_their_halves_and_the_largest_first() -> None:
    points = blobs(spread=2.0)

    splits = starting_splits(points, 10, restarts=3, seed=2, by_levels=True)

    members = members_of(points, splits)
    levels: dict[int | None, int] = {None: -1}
    for place, split in enumerate(splits):
        levels[place] = levels[split.parent] + 1
    assert [levels[place] for place in range(10)] == [0, 1, 1, 2, 2, 2, 2, 3, 3, 3]
    sizes = [len(members[split.part]) for split in splits]
    for start, end in ((1, 3), (3, 7), (7, 10)):
        assert sizes[start:end] == sorted(sizes[start:end], reverse=True)
    of_last_level = [
        len(members[part]) for place in range(3, 7) for part in (2 * place + 1, 2 * place + 2)
    ]
    assert sizes[7:] == sorted(of_last_level, reverse=True)[:3]


def test_one_point_is_not_cut() -> None:
    points = np.ones((4, 2))

    (tree,) = trees(points, [3], splits=2)

    assert tree.k == 1
    np.testing.assert_array_equal(tree.assign(points), [0, 0, 0, 0])
    np.testing.assert_array_equal(tree.centres, [[1.0, 1.0]])
