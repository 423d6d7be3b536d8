import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score

from segspark.clustering.batched import fit_in_memory
from segspark.clustering.engine import Candidate
from segspark.clustering.stability import (
    Stability,
    agreement,
    best_jaccards,
    resampled_customers,
    stabilities,
)
from segspark.model.clusters import Centres
from segspark.model.scores import Floats, Indices
from segspark.settings.training import Algorithm, SweepSettings

SETTINGS = SweepSettings(most_iterations=20)
KMEANS_3 = Candidate(Algorithm.KMEANS, 3)
ALL_OF_THREE = [Candidate(algorithm, 3) for algorithm in SweepSettings().algorithms]


def groups(rows: int = 300) -> Floats:
    points, _ = make_blobs(rows, 2, centers=[[0, 0], [6, 0], [0, 6]], random_state=4)
    return np.asarray(points)


def overlaps_by_sets(own: Indices, theirs: Indices) -> dict[int, float]:
    """The same by sets of customers, as Hennig writes it."""
    members = {c: {int(i) for i in np.flatnonzero(own == c)} for c in set(own.tolist())}
    others = [{int(i) for i in np.flatnonzero(theirs == c)} for c in set(theirs.tolist())]
    return {
        cluster: max(len(these & those) / len(these | those) for those in others)
        for cluster, these in members.items()
    }


def test_overlaps_are_those_of_sets_of_customers() -> None:
    generator = np.random.default_rng(7)
    own = generator.integers(4, size=200).astype(np.int32)
    theirs = np.where(generator.random(200) < 0.7, (own + 1) % 5, 6).astype(np.int32)

    assert best_jaccards(own, theirs) == pytest.approx(overlaps_by_sets(own, theirs), rel=1e-12)


def test_numbers_of_clusters_may_differ() -> None:
    own = np.array([0, 0, 2, 2, 2], dtype=np.int32)
    theirs = np.array([5, 5, 5, 1, 1], dtype=np.int32)

    assert best_jaccards(own, theirs) == {0: pytest.approx(2 / 3), 2: pytest.approx(2 / 3)}


def test_two_clusterings_agree_by_the_overlaps_of_the_first_ones_clusters() -> None:
    own = np.array([0, 0, 2, 2, 2], dtype=np.int32)
    theirs = np.array([5, 5, 5, 1, 1], dtype=np.int32)

    found = agreement(own, theirs, clusters=3)

    assert found.jaccards == pytest.approx((2 / 3, 0, 2 / 3))
    assert found.rand_index == pytest.approx(adjusted_rand_score(own, theirs))
    again = agreement(own, own + 3, clusters=3)
    assert (again.lowest, again.rand_index) == (0.0, 1.0)
    assert again.mean == pytest.approx(2 / 3)


def test_stability_is_that_of_a_naive_loop_over_the_same_resamples() -> None:
    sample = np.random.default_rng(1).normal(size=(120, 2))
    model = Centres(KMeans(3, n_init=5, random_state=0).fit(sample).cluster_centers_)
    overlaps, rands = [], []
    for generator in np.random.default_rng(SETTINGS.seed).spawn(4):
        drawn = generator.integers(120, size=120)
        refitted = fit_in_memory(sample[drawn], [KMEANS_3], SETTINGS)[KMEANS_3]
        once = sample[sorted(set(drawn.tolist()))]
        pair = model.assign(once), refitted.assign(once)
        overlaps.append([overlap for _, overlap in sorted(overlaps_by_sets(*pair).items())])
        rands.append(adjusted_rand_score(*pair))

    found = stabilities(sample, {KMEANS_3: model}, settings=SETTINGS, resamples=4)[KMEANS_3]

    assert found.jaccards == pytest.approx(np.mean(overlaps, axis=0), rel=1e-12)
    assert found.rand_index == pytest.approx(np.mean(rands), rel=1e-12)
    assert found.mean == pytest.approx(np.mean(overlaps))
    assert found.lowest == np.min(np.array(found.jaccards, dtype=np.float64))
    assert found.resample_count == 4


@pytest.mark.parametrize("candidate", ALL_OF_THREE)
def test_planted_groups_come_back_and_more_than_there_are_do_not(candidate: Candidate) -> None:
    sample, seven = groups(), Candidate(candidate.algorithm, 7)
    models = fit_in_memory(sample, [candidate, seven], SETTINGS)

    found = stabilities(sample, models, settings=SETTINGS, resamples=5)

    assert found[candidate].lowest > 0.95
    assert found[candidate].rand_index > 0.95
    assert found[seven].mean < 0.75


def test_a_candidate_is_as_stable_whatever_is_looked_at_beside_it() -> None:
    sample = groups()
    models = fit_in_memory(sample, [*ALL_OF_THREE, Candidate(Algorithm.KMEANS, 5)], SETTINGS)

    alone = stabilities(sample, {KMEANS_3: models[KMEANS_3]}, settings=SETTINGS, resamples=3)
    beside = stabilities(sample, models, settings=SETTINGS, resamples=3)

    assert alone[KMEANS_3].jaccards == pytest.approx(beside[KMEANS_3].jaccards, rel=1e-9)
    assert list(beside) == list(models)


def test_a_resample_with_too_few_distinct_points_finds_nothing_again() -> None:
    sample = np.array([[0.0], [1.0], [2.0]])
    once = [
        len(set(g.integers(3, size=3).tolist())) == 3
        for g in np.random.default_rng(SETTINGS.seed).spawn(20)
    ]

    found = stabilities(sample, {KMEANS_3: Centres(sample)}, settings=SETTINGS, resamples=20)

    assert 0 < sum(once) < 20
    assert found[KMEANS_3].rand_index == pytest.approx(np.mean(once))


def test_a_cluster_without_a_customer_in_the_sample_keeps_its_place_and_does_not_count() -> None:
    far = Centres(np.array([[0.0, 0.0], [6.0, 0.0], [0.0, 6.0], [900.0, 0.0]]))
    four = Candidate(Algorithm.KMEANS, 4)

    found = stabilities(groups(), {four: far}, settings=SETTINGS, resamples=2)

    *drawn, of_nobody = found[four].jaccards
    assert of_nobody is None
    known = [jaccard for jaccard in drawn if jaccard is not None]
    assert len(known) == len(drawn) == 3
    assert found[four].mean == pytest.approx(np.mean(known), rel=1e-12)
    assert found[four].lowest == min(known)


def test_a_twentieth_is_sampled_between_two_bounds() -> None:
    asked = (100, 2000, 10_000, 100_000, 500_000, 3_000_000)

    rows = [resampled_customers(count) for count in asked]

    assert rows == [100, 2000, 2000, 5000, 25_000, 25_000]


def test_the_mean_counts_every_cluster_as_one() -> None:
    found = Stability(jaccards=(1.0, 0.4, 0.7), rand_index=0.5, resample_count=1)

    assert found.mean == pytest.approx(0.7)
    assert found.lowest == 0.4
