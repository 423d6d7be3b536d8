from dataclasses import dataclass, replace
from itertools import product
from math import fsum, inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import cdist
from sklearn.cluster import HDBSCAN
from sklearn.datasets import make_blobs, make_moons
from sklearn.metrics import adjusted_rand_score

from segspark.clustering.density import density_model
from segspark.clustering.hierarchical_density import (
    NOISE,
    DenseClusters,
    dense_clusters,
    hierarchical_density_model,
)
from segspark.model.micro_clusters import MicroClusters
from segspark.model.scores import Floats, Indices, Places
from tests.micro import counted, each_its_own, finely

SHAPES = st.sampled_from(["blobs", "moons", "uniform"])
SEEDS = st.integers(0, 10_000)


def shape(name: str, seed: int, rows: int = 120) -> Floats:
    points: Floats = np.random.default_rng(seed).uniform(size=(rows, 2))
    if name == "blobs":
        points = make_blobs(rows, 2, cluster_std=[0.3, 0.8, 1.5], random_state=seed)[0]
    if name == "moons":
        points = make_moons(rows, noise=0.1, random_state=seed)[0]
    return points


def with_counts(points: Floats, seed: int) -> MicroClusters:
    counts = np.random.default_rng(seed).integers(1, 4, len(points)).astype(np.float64)
    return counted(points, counts)


def repeated(micro: MicroClusters) -> Places:
    return np.repeat(np.arange(len(micro.counts)), micro.counts.astype(np.intp))


def clusters(micro: MicroClusters, core: int, smallest: int) -> DenseClusters:
    return dense_clusters(micro, core_customers=core, smallest_customers=smallest)


def scikit_learn(points: Floats, core: int, smallest: int) -> Indices:
    theirs = HDBSCAN(min_cluster_size=smallest, min_samples=core, algorithm="kd_tree", copy=True)
    return np.asarray(theirs.fit_predict(points))


def groups(labels: Indices) -> set[frozenset[int]]:
    found = [np.flatnonzero(labels == label) for label in np.unique(labels) if label != NOISE]
    return {frozenset(each.tolist()) for each in found}


def reachability(rows: Floats, core: int) -> Floats:
    distances = cdist(rows, rows)
    cores = np.sort(distances, axis=1)[:, min(core, len(rows)) - 1]
    found: Floats = np.maximum(distances, np.maximum(cores[:, None], cores))
    return found


@dataclass(frozen=True)
class ByThePaper:
    """HDBSCAN of rows: take away all links of a length at once, the longest first."""

    reach: Floats
    smallest: int

    def parts(self, rows: Places, level: float) -> list[Places]:
        labels = connected_components(self.reach[np.ix_(rows, rows)] < level, directed=False)[1]
        parts = [rows[labels == label] for label in np.unique(labels)]
        return [part for part in parts if len(part) >= self.smallest]

    def chosen(self, rows: Places, birth: float = inf) -> tuple[float, dict[frozenset[int], float]]:
        born, masses, left = frozenset(rows.tolist()), [], rows
        for level in np.unique(self.reach[np.ix_(rows, rows)])[::-1].tolist():
            parts = self.parts(left, level)
            lost = len(left) - (len(parts[0]) if len(parts) == 1 else 0)
            if lost:
                masses.append(lost * ((1 / level if level else inf) - 1 / birth))
            if len(parts) != 1:
                break
            left = parts[0]
        below = [self.chosen(part, level) for part in parts]
        of_parts = fsum(stability for stability, _ in below)
        if of_parts > fsum(masses) or birth == inf:
            return of_parts, {each: at for _, found in below for each, at in found.items()}
        return fsum(masses), {born: birth}


@given(SHAPES, SEEDS, st.integers(1, 2), st.integers(3, 20))
@settings(max_examples=60, deadline=None)
def test_one_customer_each_is_clustered_as_by_scikit_learn(
    name: str, seed: int, core: int, smallest: int
) -> None:
    points = shape(name, seed)

    found = clusters(each_its_own(points), core, smallest)

    assert groups(found.labels) == groups(scikit_learn(points, core, smallest))


@given(SHAPES, SEEDS, st.integers(4, 40))
@settings(max_examples=60, deadline=None)
def test_counts_are_as_many_rows_to_scikit_learn(name: str, seed: int, smallest: int) -> None:
    micro = with_counts(shape(name, seed, 60), seed)
    rows = repeated(micro)

    found = clusters(micro, 2, smallest)

    assert groups(found.labels[rows]) == groups(scikit_learn(micro.centres[rows], 2, smallest))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("core", [5, 15, 30])
@pytest.mark.parametrize("name", ["blobs", "moons"])
def test_scikit_learn_adds_to_clusters_only_what_comes_apart_as_they_are_born(
    name: str, core: int, seed: int
) -> None:
    micro = with_counts(shape(name, seed, 300), seed)
    rows = repeated(micro)
    points = micro.centres[rows]

    found = clusters(micro, core, 40)

    theirs, ours = scikit_learn(points, core, 40), found.labels[rows]
    reach = reachability(points, core)
    assert theirs.max() == ours.max() >= 1
    for place, birth in enumerate(found.births):
        (label,) = np.unique(theirs[ours == place])
        tied = np.flatnonzero((theirs == label) & (ours != place))
        assert set(ours[tied].tolist()) <= {NOISE}
        if len(tied):
            assert reach[np.ix_(tied, ours == place)].min() == pytest.approx(birth, rel=1e-12)


GRID = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 3), st.integers(1, 5)), min_size=1, max_size=14
)


@given(GRID, st.integers(1, 7), st.integers(2, 8))
@settings(max_examples=200, deadline=None)
def test_ties_and_equal_centres_come_apart_as_in_the_paper(
    grid: list[tuple[int, int, int]], core: int, smallest: int
) -> None:
    values = np.array(grid, dtype=np.float64)
    micro = counted(values[:, :2], values[:, 2])
    rows = repeated(micro)

    found = clusters(micro, core, smallest)

    paper = ByThePaper(reachability(micro.centres[rows], core), smallest)
    _, expected = paper.chosen(np.arange(len(rows)))
    labels = found.labels[rows]
    assert groups(labels) == set(expected)
    for place, birth in enumerate(found.births.tolist()):
        members = frozenset(np.flatnonzero(labels == place).tolist())
        assert expected[members] == birth


@given(GRID, st.integers(1, 7), st.integers(2, 8), SEEDS)
@settings(max_examples=200, deadline=None)
def test_clusters_do_not_depend_on_the_order_of_micro_clusters(
    grid: list[tuple[int, int, int]], core: int, smallest: int, seed: int
) -> None:
    values = np.array(grid, dtype=np.float64)
    order = np.random.default_rng(seed).permutation(len(values))
    shuffled = values[order]

    once = clusters(counted(values[:, :2], values[:, 2]), core, smallest)
    again = clusters(counted(shuffled[:, :2], shuffled[:, 2]), core, smallest)

    assert groups(once.labels[order]) == groups(again.labels)


def test_customers_at_one_spot_are_infinitely_dense_unless_they_have_a_radius() -> None:
    beside, far = make_blobs(200, 2, centers=[[0.0, 0.0]], cluster_std=0.5, random_state=1)[0], 20.0
    points = np.concatenate([[[2.0, 0.0]], beside, beside + far])
    micro = counted(points, np.array([20.0, *np.ones(400)]))
    wide = replace(micro, radii=np.array([1.0, *np.zeros(400)]))
    rows = repeated(micro)

    found = clusters(micro, 2, 15).labels
    finite = clusters(wide, 2, 15).labels

    assert groups(found[rows]) == groups(scikit_learn(points[rows], 2, 15))
    assert frozenset([0]) in groups(found)
    assert frozenset([0]) not in groups(finite)


def test_segments_of_unlike_densities_are_found_that_no_eps_finds() -> None:
    # Between the two that are close it is denser than in the middle of the third.
    centres = np.array([[0.0, 0.0], [1.0, 0.0], [14.0, 0.0]])
    deviations = [0.15, 0.15, 2.5]
    points, planted = make_blobs(
        [1000] * 3, 2, centers=centres, cluster_std=deviations, random_state=1
    )
    micro = finely(points)

    found = hierarchical_density_model(micro, smallest_customers=120)

    assert found is not None
    assert adjusted_rand_score(found.assign(points), planted) > 0.99
    for core, eps in product((30, 120), np.geomspace(0.02, 20.0, 60).tolist()):
        by_eps = density_model(micro, eps=eps, core_customers=core)
        assert by_eps is None or adjusted_rand_score(by_eps.assign(points), planted) < 0.9


def test_noise_goes_to_the_nearest_segment_and_is_out_of_range() -> None:
    moons, moon_of = make_moons(3000, noise=0.06, random_state=1)
    scattered = np.random.default_rng(2).uniform(-2.5, 3.5, (300, 2))
    points = np.concatenate([moons, scattered])
    expected = scikit_learn(points, 132, 132)

    model = hierarchical_density_model(finely(points), smallest_customers=132)

    assert model is not None
    found = model.score(points)
    assert adjusted_rand_score(found.cluster_index[:3000], moon_of) > 0.99
    is_noise = expected == NOISE
    assert 0.05 < is_noise.mean() < 0.12
    assert (found.is_out_of_range != is_noise).mean() < 0.02
    assert set(found.cluster_index[is_noise].tolist()) == {0, 1}


def test_a_segment_reaches_as_far_as_it_is_apart_from_others() -> None:
    line = np.array([0.0, 1.0, 2.0, 10.0, 11.0, 12.0, 40.0, 41.0, 42.0])

    model = hierarchical_density_model(each_its_own(line[:, None]), smallest_customers=2)

    assert model is not None
    assert model.segments.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert model.centres.ravel().tolist() == [1.0, 11.0, 41.0]
    assert model.reach is not None
    assert model.reach.tolist() == [8.0, 8.0, 28.0]
    found = model.score(np.array([[20.0], [20.1], [25.0], [69.0], [71.0]]))
    assert found.cluster_index.tolist() == [1, 1, 1, 2, 2]
    assert found.is_out_of_range.tolist() == [False, True, True, False, True]


def test_a_cluster_that_is_as_stable_as_its_parts_is_kept_whole() -> None:
    # Eight customers from distance 4 to 2, of which four hang together down to 1.
    line = np.array([0.0, 1.0, 3.0, 5.0, 7.0, 9.0, 11.0, 12.0, 16.0, 17.0])

    found = clusters(each_its_own(line[:, None]), 1, 2)

    assert found.labels.tolist() == [0] * 8 + [1] * 2


def test_a_wide_micro_cluster_is_no_denser_than_its_radius_tells() -> None:
    points, _ = make_blobs(4000, 3, centers=4, cluster_std=[0.2, 0.5, 1.0, 1.5], random_state=6)
    coarse = finely(points, 100)
    points_alone = replace(coarse, radii=np.zeros(len(coarse.radii)))

    assert len(clusters(coarse, 40, 200).births) == 4
    assert len(clusters(points_alone, 40, 200).births) > 4


def test_one_crowd_and_one_spot_are_no_clusters() -> None:
    normal = np.random.default_rng(5).normal(size=(2000, 3))

    assert hierarchical_density_model(finely(normal), smallest_customers=80) is None
    spot = counted(np.zeros((1, 2)), np.array([500]))
    assert hierarchical_density_model(spot, smallest_customers=20) is None
