import numpy as np
import pytest
from sklearn.cluster import DBSCAN, KMeans
from sklearn.datasets import make_circles, make_moons
from sklearn.metrics import adjusted_rand_score
from sklearn.neighbors import NearestNeighbors

from segspark.clustering.density import (
    density_model,
    eps_of,
    eps_steps,
    least_customers,
    too_coarse,
)
from segspark.model.micro_clusters import MicroClusterModel, MicroClusters
from segspark.model.scores import Floats
from tests.micro import counted, each_its_own, finely

MOONS, MOON_OF = make_moons(3000, noise=0.06, random_state=1)
RINGS, RING_OF = make_circles(3000, noise=0.04, factor=0.4, random_state=1)


def dense(micro: MicroClusters, eps: float, core: int) -> MicroClusterModel:
    model = density_model(micro, eps=eps, core_customers=core)
    assert model is not None
    return model


@pytest.mark.parametrize(("points", "planted"), [(MOONS, MOON_OF), (RINGS, RING_OF)])
def test_shapes_that_kmeans_cuts_in_two_are_found_at_the_knee(
    points: Floats, planted: Floats
) -> None:
    micro = finely(points)
    core = least_customers(micro, ratio=0.01)
    eps = eps_of(micro, core_customers=core)

    found = dense(micro, eps, core)

    assert too_coarse(micro, eps=eps) is None
    assert found.k == 2
    assert adjusted_rand_score(found.assign(points), planted) == 1.0
    cut = KMeans(2, n_init=3, random_state=0).fit_predict(points)
    assert adjusted_rand_score(cut, planted) < 0.5


def test_distances_worth_trying_are_those_to_the_nearest_customers_by_even_ratios() -> None:
    points, copies = MOONS[:300], np.repeat(MOONS[:300], 2, axis=0)
    distances, _ = NearestNeighbors(n_neighbors=6).fit(copies).kneighbors(points)

    found = eps_steps(counted(points, np.full(300, 2.0)), core_customers=6, most=5)

    assert found[0] == pytest.approx(distances[:, -1].min(), rel=0.01)
    assert found[-1] == pytest.approx(distances[:, -1].max(), rel=0.01)
    assert np.diff(np.log(found)) == pytest.approx(
        np.full(4, np.log(found[-1] / found[0]) / 4), abs=0.02
    )


def test_no_distance_is_worth_trying_that_is_refused_as_too_fine_or_where_all_are_nought() -> None:
    micro = finely(MOONS, 60)

    for core in (2, 60):
        found = eps_steps(micro, core_customers=core, most=4)
        # Three tenths more than these need, as those of more customers are wider.
        assert too_coarse(micro, eps=found[0] / 1.3) is None
        assert too_coarse(micro, eps=0.97 * found[0] / 1.3) is not None
    assert eps_steps(counted(np.zeros((1, 2)), np.array([9])), core_customers=5, most=4) == ()


def test_noise_is_what_dbscan_of_all_customers_calls_noise() -> None:
    scattered = np.random.default_rng(2).uniform(-2.5, 3.5, (150, 2))
    points = np.concatenate([MOONS, scattered])
    micro = finely(points)
    expected = DBSCAN(eps=0.2, min_samples=31).fit_predict(points)

    found = dense(micro, 0.2, 31).score(points)

    is_noise = expected < 0
    assert 0.02 < is_noise.mean() < 0.05
    assert (found.is_out_of_range != is_noise).mean() < 0.01
    both = ~is_noise & ~found.is_out_of_range
    assert adjusted_rand_score(found.cluster_index[both], expected[both]) == 1.0
    assert set(found.cluster_index[is_noise].tolist()) == {0, 1}


def test_a_micro_cluster_weighs_as_many_customers_as_it_holds() -> None:
    points = np.array([[0.0], [0.5], [5.0], [5.5], [9.0]])
    counts = np.array([6, 5, 2, 1, 40])

    found = dense(counted(points, counts), 1.0, 10)

    assert found.micro.centres.ravel().tolist() == [0.0, 0.5, 9.0]
    assert found.segments.tolist() == [0, 0, 1]
    assert found.score(points).is_out_of_range.tolist() == [False, False, True, True, False]
    assert density_model(counted(points, counts), eps=1.0, core_customers=50) is None


def test_a_segments_centre_counts_its_rim_and_no_noise() -> None:
    points = np.array([[0.0], [0.5], [1.4], [4.0]])
    counts = np.array([10, 10, 5, 1])

    found = dense(counted(points, counts), 1.0, 20)

    assert found.micro.centres.ravel().tolist() == [0.0, 0.5]
    assert found.centres.tolist() == [[(0.5 * 10 + 1.4 * 5) / 25]]


def test_eps_is_where_the_distances_to_the_nearest_bend() -> None:
    line = np.arange(90.0) * 0.1
    far = 100.0 + np.cumsum(np.arange(1.0, 11.0) * 10)
    micro = each_its_own(np.concatenate([line, far])[:, None])

    # The customer counts as the first: both neighbours, and the next but one at either end.
    assert eps_of(micro, core_customers=3) == 0.2


def test_eps_is_no_less_than_micro_clusters_are_fine_enough_for() -> None:
    coarse = finely(MOONS, 50)
    core = least_customers(coarse, ratio=0.01)

    eps = eps_of(coarse, core_customers=core)

    assert eps == pytest.approx(5 * coarse.usual_radius, rel=0.01)
    assert too_coarse(coarse, eps=eps) is None
    assert too_coarse(coarse, eps=eps / 2) == (
        f"nine customers in ten lie in micro-clusters with a radius of up to "
        f"{coarse.usual_radius:.3g}, above 0.2 of eps {eps / 2:g}: raise "
        f"training.sweep.micro_cluster_count, or give an eps of at least {eps:g} in "
        f"training.sweep.dbscan_eps"
    )


def test_customers_at_one_point_give_no_eps() -> None:
    assert eps_of(counted(np.zeros((1, 2)), np.array([500])), core_customers=5) == 0.0


def test_a_share_of_the_customers_is_two_of_them_at_least() -> None:
    assert least_customers(each_its_own(MOONS), ratio=0.01) == 30
    assert least_customers(each_its_own(MOONS[:20]), ratio=0.01) == 2
