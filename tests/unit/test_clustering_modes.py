"""A column has one mode or several, and in the latter case there is a nearest one with one."""

from collections.abc import Callable

import numpy as np
import pytest

from segspark.clustering.modes import single_mode, valley, with_single_modes, without_ties
from segspark.model.scores import Floats

Draw = Callable[[np.random.Generator], Floats]
ONE_MODE: dict[str, Draw] = {
    "normal": lambda generator: generator.normal(size=500),
    "even": lambda generator: generator.uniform(size=500),
    "waiting times": lambda generator: generator.exponential(size=500),
    "purchases": lambda generator: np.log1p(generator.geometric(0.4, size=500)),
    "many purchases": lambda generator: np.log(generator.poisson(6.0, size=500) + 1.0),
    "whole days": lambda generator: np.floor(generator.normal(100.0, 9.0, size=500)),
}


def two_groups(size: int = 400, *, seed: int = 1) -> Floats:
    """One in four is far above the others."""
    generator = np.random.default_rng(seed)
    apart = np.where(np.arange(size) % 4 == 0, 9.0, 0.0)
    return np.sort(generator.normal(size=size) + apart)


@pytest.mark.parametrize("draw", ONE_MODE.values(), ids=list(ONE_MODE))
def test_what_has_one_mode_is_told_so_in_nearly_all_draws(draw: Draw) -> None:
    drawn = [np.sort(draw(np.random.default_rng(seed))) for seed in range(60)]

    assert sum(single_mode(each) is not None for each in drawn) <= 2


def test_a_column_of_two_groups_is_replaced_by_one_of_a_single_mode() -> None:
    column = two_groups()

    found = single_mode(column)

    assert found is not None
    assert single_mode(found) is None
    assert ((column > 3) & (column < 6)).sum() < 3
    assert ((found > 3) & (found < 6)).sum() > 20
    assert found.shape == column.shape
    assert (np.diff(found) >= 0).all()


@pytest.mark.parametrize("seed", range(5))
def test_the_fit_is_that_of_the_textbook(seed: int) -> None:
    column = np.round(4.0 * two_groups(150, seed=seed)) / 4.0

    found = single_mode(column)

    assert found is not None
    edges, reached = naive_distribution(column)
    np.testing.assert_allclose(np.searchsorted(found, edges) / 150, reached, atol=1 / 150)


def test_values_that_many_share_remain_values_that_many_share() -> None:
    few, many = (
        np.repeat(np.arange(6.0), [60, 40, 25, 15, 10, 5]),
        np.repeat(np.arange(30.0, 36.0), 25),
    )
    column = np.concatenate([few, many])

    found = single_mode(column)

    assert found is not None
    assert [np.isclose(found, value).sum() for value in (0.0, 1.0)] == [
        pytest.approx(60, abs=8),
        pytest.approx(40, abs=8),
    ]


def test_the_last_digits_of_a_value_make_no_mode() -> None:
    even = np.linspace(0.0, 1.0, 401)
    column = np.concatenate([even, np.repeat([0.3, 0.7], 40)])
    steps = np.tile([0, 1, 2, 3], 20) * np.spacing(0.5)

    apart = np.concatenate([even, column[401:] + steps])

    found, expected = single_mode(apart), single_mode(column)
    assert found is not None
    assert expected is not None
    np.testing.assert_allclose(found, expected, atol=1e-8)
    spread, own = (
        without_ties(each[:, None], np.random.default_rng(2)) for each in (apart, column)
    )
    np.testing.assert_allclose(spread, own, atol=1e-8)


def test_levels_are_no_modes() -> None:
    levels = np.repeat([0.0, 0.5, 1.0], [300, 1, 300])

    assert single_mode(levels) is None
    assert valley(levels) is None


def test_a_valley_is_where_customers_are_few() -> None:
    found = valley(np.random.default_rng(1).permutation(two_groups()))

    assert found is not None
    assert 3.0 < found < 6.5
    assert valley(-two_groups()) == pytest.approx(-found, abs=0.2)
    assert valley(np.random.default_rng(1).normal(size=400)) is None


def test_only_columns_of_several_modes_are_replaced() -> None:
    even = np.sort(np.random.default_rng(2).normal(size=400))
    sample = np.column_stack([even, np.full(400, 3.0), two_groups()])
    shuffled = np.random.default_rng(3).permuted(sample, axis=0)

    found = with_single_modes(shuffled)

    assert found is not None
    np.testing.assert_array_equal(found[:, :2], sample[:, :2])
    assert (found[:, 2] != sample[:, 2]).any()
    assert with_single_modes(shuffled[:, :2]) is None


def naive_distribution(column: Floats) -> tuple[list[float], list[float]]:
    """The nearest one of one mode, by the max-min formula of monotone regression.

    Customers are even over the values that are nearer to theirs than to others'.

    Returns:
        Borders between values, and the share of customers below each.
    """
    values, counts = np.unique(column, return_counts=True)
    inner = (values[1:] + values[:-1]) / 2
    edges = [float(x) for x in (2 * values[0] - inner[0], *inner, 2 * values[-1] - inner[-1])]
    heights = [0.0, *np.cumsum(counts) / len(column)]

    def slope(start: int, end: int) -> float:
        return float((heights[end] - heights[start]) / (edges[end] - edges[start]))

    best, most_likely = -np.inf, [0.0]
    for mode in range(len(values) + 1):
        reached = [0.0]
        for i in range(len(values)):
            if i < mode:
                density = max(
                    min(slope(a, b) for b in range(i + 1, mode + 1)) for a in range(i + 1)
                )
            else:
                density = min(
                    max(slope(a, b) for b in range(i + 1, len(values) + 1))
                    for a in range(mode, i + 1)
                )
            reached.append(reached[-1] + density * (edges[i + 1] - edges[i]))
        densities = np.diff(reached) / np.diff(edges)
        likelihood = float(counts @ np.log(densities))
        if likelihood > best:
            best, most_likely = likelihood, reached
    return edges, most_likely
