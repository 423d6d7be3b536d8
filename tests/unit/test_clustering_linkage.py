from typing import Literal

import numpy as np
import pytest
from scipy.cluster.hierarchy import dendrogram, fcluster, linkage
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score

from segspark.clustering.linkage import average_tree, linkage_tree, segments_of
from segspark.model.scores import Floats
from segspark.settings.training import Algorithm
from tests.micro import counted, each_its_own, finely

IN_SCIPY: dict[Algorithm, Literal["ward", "complete", "average"]] = {
    Algorithm.WARD: "ward",
    Algorithm.COMPLETE_LINKAGE: "complete",
    Algorithm.AVERAGE_LINKAGE: "average",
}


def cloud(rows: int = 120) -> Floats:
    return np.random.default_rng(4).normal(size=(rows, 3))


@pytest.mark.parametrize("algorithm", list(IN_SCIPY))
def test_a_tree_of_single_points_is_scipys(algorithm: Algorithm) -> None:
    expected = linkage(cloud(), IN_SCIPY[algorithm])

    found = linkage_tree(each_its_own(cloud()), algorithm)

    np.testing.assert_array_equal(found[:, [0, 1, 3]], expected[:, [0, 1, 3]])
    np.testing.assert_allclose(found[:, 2], expected[:, 2], rtol=1e-9)


@pytest.mark.parametrize("algorithm", list(IN_SCIPY))
def test_a_point_that_counts_several_times_is_joined_as_if_it_were_repeated(
    algorithm: Algorithm,
) -> None:
    counts = np.random.default_rng(5).integers(1, 9, 120)
    expected = linkage(np.repeat(cloud(), counts, axis=0), IN_SCIPY[algorithm])

    found = linkage_tree(counted(cloud(), counts.astype(float)), algorithm)

    np.testing.assert_allclose(found[:, 2], expected[-119:, 2], rtol=1e-9)
    repeated = np.repeat(segments_of(found, 6), counts)
    assert adjusted_rand_score(repeated, fcluster(expected, 6, "maxclust")) == 1.0


def test_counts_decide_what_ward_joins_first() -> None:
    points = np.array([[0.0], [1.0], [2.2]])

    few_left = linkage_tree(counted(points, np.array([100.0, 100.0, 1.0])), Algorithm.WARD)
    all_one = linkage_tree(each_its_own(points), Algorithm.WARD)

    assert few_left[0, :2].tolist() == [1, 2]
    assert all_one[0, :2].tolist() == [0, 1]


def test_every_number_of_segments_is_cut_from_the_same_tree() -> None:
    tree = linkage_tree(each_its_own(cloud()), Algorithm.WARD)

    for count in (1, 2, 3, 14, 119, 120):
        segments = segments_of(tree, count)
        expected = fcluster(linkage(cloud(), "ward"), count, "maxclust")
        assert len(np.unique(segments)) == count
        assert adjusted_rand_score(segments, expected) == 1.0


def test_segments_are_numbered_in_the_order_of_their_first_points() -> None:
    points = np.array([[9.0], [0.0], [9.1], [0.1], [5.0]])

    found = segments_of(linkage_tree(each_its_own(points), Algorithm.WARD), 3)

    assert found.tolist() == [0, 1, 0, 1, 2]


def test_a_dendrogram_can_be_drawn_of_a_tree_with_ties() -> None:
    grid = np.stack(np.meshgrid(np.arange(5.0), np.arange(5.0)), axis=-1).reshape(-1, 2)

    for algorithm in IN_SCIPY:
        tree = linkage_tree(counted(grid, np.full(25, 7.0)), algorithm)
        assert sorted(dendrogram(tree, no_plot=True)["leaves"] or []) == list(range(25))


def test_a_single_point_is_a_tree_without_unions() -> None:
    tree = average_tree(np.zeros((1, 1)), np.ones(1))

    assert tree.shape == (0, 4)
    assert segments_of(tree, 1).tolist() == [0]


@pytest.mark.parametrize("algorithm", [Algorithm.WARD, Algorithm.AVERAGE_LINKAGE])
def test_planted_clouds_of_unequal_sizes_are_found_on_micro_clusters(algorithm: Algorithm) -> None:
    points, planted = make_blobs(
        [4000, 800, 150, 50], 3, centers=np.eye(4, 3) * 6.0, cluster_std=0.5, random_state=3
    )
    micro = finely(points, 200)

    segments = segments_of(linkage_tree(micro, algorithm), 4)

    nearest = np.square(points[:, None] - micro.centres).sum(axis=2).argmin(axis=1)
    assert adjusted_rand_score(segments[nearest], planted) == 1.0
