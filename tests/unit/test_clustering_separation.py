"""Pairs of segments with few customers between them are told from slices of one crowd."""

import numpy as np

from scripts.benchmarks.planted_customers import correlated, noise, planted, skewed
from segspark.clustering.batched import fit_in_memory
from segspark.clustering.engine import Candidate
from segspark.clustering.separation import separated_pair_ratios
from segspark.model.clusters import Centres
from segspark.model.mixture import Mixture
from segspark.model.scores import Floats
from segspark.settings.training import Algorithm, SweepSettings

KMEANS_3, KMEANS_4 = Candidate(Algorithm.KMEANS, 3), Candidate(Algorithm.KMEANS, 4)
MIXTURE_3 = Candidate(Algorithm.GAUSSIAN_MIXTURE, 3)


def ratios_of(points: Floats, *candidates: Candidate) -> list[float]:
    """Of each candidate, fitted to the points."""
    models = fit_in_memory(points, candidates, SweepSettings())
    found = separated_pair_ratios(points, models, seed=1)
    return [found[each] for each in candidates]


def test_groups_are_separated_whatever_their_shapes_where_each_has_a_segment() -> None:
    points, _ = planted(200, 200, 200, 200, spread=0.7)

    assert ratios_of(points, KMEANS_4) == [1.0]
    assert ratios_of(correlated().points, MIXTURE_3) == [1.0]


def test_slices_of_a_crowd_or_of_long_groups_are_not_separated() -> None:
    for points in (noise().points, skewed().points):
        assert max(ratios_of(points, KMEANS_3, KMEANS_4, MIXTURE_3)) < 0.5
    assert max(ratios_of(correlated().points, KMEANS_3, KMEANS_4)) < 1.0


def test_a_segment_of_two_groups_is_apart_from_a_third() -> None:
    points, groups = planted(200, 200, 200, spread=0.7)
    halves = np.array([points[groups < 2].mean(axis=0), points[groups == 2].mean(axis=0)])
    thirds = np.array([points[groups == each].mean(axis=0) for each in (0, 1, 2)])
    two = {KMEANS_3: Centres(halves), KMEANS_4: Centres(thirds)}

    assert separated_pair_ratios(points, two, seed=1) == {KMEANS_3: 1.0, KMEANS_4: 1.0}


def test_a_valley_within_a_segment_does_not_separate_it_from_another() -> None:
    generator = np.random.default_rng(4)
    points = np.concatenate([generator.normal(0, 1, (200, 1)), generator.normal(9, 1, (200, 1))])
    beside_the_valley = Centres(np.array([[-3.5], [4.5]]))

    assert separated_pair_ratios(points, {KMEANS_3: beside_the_valley}, seed=1) == {KMEANS_3: 0.0}


def test_segments_are_told_apart_along_the_line_that_does_it_best() -> None:
    generator, middles = np.random.default_rng(4), np.array([[0.0, 0.0], [6.0, 3.0]])
    spreads = np.diag([36.0, 0.1])
    points = np.concatenate([generator.multivariate_normal(each, spreads, 300) for each in middles])
    mixture = Mixture(np.array([0.5, 0.5]), middles, np.array([spreads, spreads]))

    assert separated_pair_ratios(points, {MIXTURE_3: mixture}, seed=1) == {MIXTURE_3: 1.0}


def test_whole_numbers_make_no_valleys() -> None:
    generator = np.random.default_rng(8)
    orders = np.log1p(generator.geometric(0.5, size=1_000))
    points = np.column_stack([orders, generator.normal(size=1_000)])
    once_or_more = Centres(np.array([[np.log(2), 0.0], [np.log(4), 0.0]]))

    assert separated_pair_ratios(points, {KMEANS_3: once_or_more}, seed=1) == {KMEANS_3: 0.0}


def test_few_customers_with_many_columns_are_not_separated_by_chance() -> None:
    points = np.random.default_rng(2).normal(size=(90, 30))

    assert ratios_of(points, KMEANS_3) == [0.0]


def test_a_segment_that_nobody_of_the_sample_is_in_is_not_separated() -> None:
    points, groups = planted(200, 200, spread=0.7)
    own = [points[groups == each].mean(axis=0) for each in (0, 1)]
    elsewhere = {KMEANS_3: Centres(np.array([*own, [99.0, 99.0, 99.0]]))}

    assert separated_pair_ratios(points, elsewhere, seed=1) == {KMEANS_3: 1 / 3}


def test_too_few_customers_are_not_told_apart_and_a_single_segment_has_no_pair() -> None:
    points, groups = planted(19, 19, spread=0.2)
    centres = np.array([points[groups == each].mean(axis=0) for each in (0, 1)])
    models = {KMEANS_3: Centres(centres), KMEANS_4: Centres(centres[:1])}

    assert separated_pair_ratios(points, models, seed=1) == {KMEANS_3: 0.0}
