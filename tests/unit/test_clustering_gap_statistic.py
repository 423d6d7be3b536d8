from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import kstest
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

from segspark.clustering.engine import Candidate
from segspark.clustering.evidence import Evidence
from segspark.clustering.gap_statistic import (
    GapStatistic,
    cluster_uniform,
    draw_uniform,
    gap_choice,
    gap_statistics,
)
from segspark.clustering.structureless import (
    cluster_structureless,
    counterparts,
    draw_structureless,
)
from segspark.clustering.verdict import verdict_on_gaps
from segspark.model.scores import Floats
from segspark.settings.training import Algorithm, SweepSettings

KMEANS_3 = Candidate(Algorithm.KMEANS, 3)
SETTINGS = SweepSettings(seed=1)
COUNTS = range(1, 7)
REFERENCES = [
    pytest.param(cluster_uniform, draw_uniform, id="uniform"),
    pytest.param(cluster_structureless, draw_structureless, id="copula"),
]

pytestmark = pytest.mark.usefixtures("one_thread")


def three_groups(rows: int = 150) -> Floats:
    generator = np.random.default_rng(2)
    places = ([0, 0], [3, 3], [0, 3])
    return np.concatenate([generator.normal(c, 0.1, (rows // 3, 2)) for c in places])


def shapeless(rows: int = 400) -> Floats:
    """Even in a box that is longer than wide and lies askew."""
    even = np.random.default_rng(4).uniform(size=(rows, 3)) * [5.0, 2.0, 1.0]
    turn, _ = np.linalg.qr(np.random.default_rng(5).normal(size=(3, 3)))
    return np.asarray(7.0 + even @ turn)


def gaps_of(sample: Floats, *, draws: int = 3) -> dict[int, GapStatistic]:
    """Gap of KMeans to uniform data by number of clusters."""
    candidates = [Candidate(Algorithm.KMEANS, count) for count in COUNTS]
    drawn = cluster_uniform(sample, candidates, SETTINGS, draws=draws)
    found = gap_statistics(counterparts(sample, candidates, SETTINGS), drawn)
    return {candidate.segment_count: gap for candidate, gap in found.items()}


@pytest.mark.parametrize(("cluster", "draw"), REFERENCES)
def test_the_gap_is_the_mean_logarithm_of_within_sums_on_draws_less_the_samples_own(
    cluster: Callable[..., dict[Candidate, list[Evidence]]], draw: Callable[..., list[Floats]]
) -> None:
    sample = three_groups()
    fit = KMeans(3, n_init=20, random_state=1).fit
    draws = draw(sample, np.random.default_rng(1).spawn(3))
    sums = [fit(points).inertia_ for points in draws]

    many_starts = SweepSettings(seed=1, kmeans_restarts=20)
    drawn = cluster(sample, [KMEANS_3], many_starts, draws=3)
    found = gap_statistics(counterparts(sample, [KMEANS_3], many_starts), drawn)[KMEANS_3]

    assert found.gap == pytest.approx(np.log(sums).mean() - np.log(fit(sample).inertia_), rel=1e-9)
    assert found.deviation == pytest.approx(np.log(sums).std() * np.sqrt(1 + 1 / 3), rel=1e-9)


def test_the_gap_to_uniform_data_is_that_of_the_paper_worked_out_anew() -> None:
    sample, generator = shapeless(), np.random.default_rng(9)
    # As the paper writes it: X = U D V', uniform over the ranges of X V, and back by V'.
    centred = sample - sample.mean(axis=0)
    axes = np.linalg.svd(centred)[2]
    turned = centred @ axes.T
    low, high = turned.min(axis=0), turned.max(axis=0)
    draws = [generator.uniform(low, high, sample.shape) @ axes for _ in range(30)]

    found = gaps_of(sample, draws=30)

    for count, gap in found.items():
        fit = KMeans(count, n_init=3, random_state=1).fit
        sums = np.log([fit(points).inertia_ for points in draws])
        error = sums.std() / np.sqrt(len(draws))
        assert gap.gap == pytest.approx(sums.mean() - np.log(fit(sample).inertia_), abs=5 * error)
        assert gap.deviation == pytest.approx(sums.std() * np.sqrt(1 + 1 / 30), rel=0.5)


def test_uniform_draws_fill_the_box_of_the_principal_components_evenly() -> None:
    sample = three_groups() @ np.array([[2.0, 1.0], [0.0, 1.0]])
    components = PCA().fit(sample)
    turned = components.transform(sample)
    low, high = turned.min(axis=0), turned.max(axis=0)

    draws = draw_uniform(sample, np.random.default_rng(1).spawn(20))

    found = components.transform(np.concatenate(draws))
    assert [each.shape for each in draws] == [sample.shape] * 20
    for column in range(2):
        width = high[column] - low[column]
        assert kstest(found[:, column], "uniform", (low[column], width)).pvalue > 0.01
    assert abs(np.corrcoef(found.T)[0, 1]) < 0.05


def test_the_one_error_rule_finds_planted_groups_and_none_in_even_data() -> None:
    assert gap_choice(gaps_of(three_groups())) == 3
    assert gap_choice(gaps_of(shapeless())) == 1


def test_the_one_error_rule_takes_the_fewest_whose_gap_one_more_does_not_surpass_by_its_error() -> (
    None
):
    rising = {k: GapStatistic(gap, 0.1) for k, gap in enumerate((0.0, 0.5, 0.55, 1.5), start=1)}

    assert gap_choice(rising) == 2
    assert gap_choice(rising | {3: GapStatistic(0.55, 0.01)}) is None
    assert gap_choice({1: GapStatistic(0.0, 0.1)}) is None


def test_the_verdict_says_what_the_gap_statistic_would_have_chosen() -> None:
    up, down = GapStatistic(1.0, 0.1), GapStatistic(0.0, 0.1)

    assert verdict_on_gaps({1: down, 2: up, 3: down}) == (
        "Of KMeans the gap to uniform data would have chosen 2 segments."
    )
    assert verdict_on_gaps({1: up, 2: down}).endswith("would have chosen one segment: no clusters.")
    assert verdict_on_gaps({1: down, 2: up}).endswith("still grows with 2 segments.")
    assert verdict_on_gaps({1: up}) == ""


def test_structureless_data_have_no_gap_to_others_of_the_same_margins() -> None:
    generator = np.random.default_rng(5)
    skewed = np.log(generator.lognormal(sigma=1.0, size=(2000, 2)) + generator.random((2000, 1)))
    (sample,) = draw_structureless(skewed, [generator])

    drawn = cluster_structureless(sample, [KMEANS_3], SETTINGS, draws=3)
    found = gap_statistics(counterparts(sample, [KMEANS_3], SETTINGS), drawn)

    assert abs(found[KMEANS_3].gap) < 0.1


def test_a_within_sum_of_zero_has_no_gap() -> None:
    sample = np.repeat([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0]], 20, axis=0)

    assert set(gaps_of(sample)) == {1, 2}


def test_customers_at_one_point_have_no_box_and_no_gap() -> None:
    assert gaps_of(np.ones((20, 2))) == {}
    assert cluster_uniform(np.empty((0, 2)), [], SETTINGS, draws=2) == {}
