"""Evenness of counts, against hand-worked numbers, SciPy and simulated even buyers."""

from itertools import product
from math import log

import numpy as np
import pytest
from scipy import stats

from segspark.features.evenness import Counts, Floats, concentration, favourites, p_value, strength

YEAR = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


def rows(*counts: list[int]) -> Counts:
    return np.array(counts, dtype=np.int64)


def drawn(orders: int, time: Counts, *, customers: int = 20_000) -> tuple[Counts, Counts]:
    """Customers who buy evenly over their time."""
    random = np.random.default_rng(orders)
    counts = random.multinomial(orders, time / time.sum(), size=customers)
    return counts.astype(np.int64), np.tile(time, (customers, 1)).astype(np.int64)


def test_where_all_levels_have_the_same_time_concentration_is_one_less_the_normalised_entropy() -> (
    None
):
    counts = rows([2, 1, 1, 0], [1, 1, 1, 1], [5, 0, 0, 0])
    # H of (1/2, 1/4, 1/4) is 1.5 bits of 2.
    assert concentration(counts, np.full_like(counts, 6)) == pytest.approx([0.25, 0.0, 1.0])


def test_what_a_customer_could_not_buy_in_does_not_make_them_seasonal() -> None:
    counts, time = rows([3, 3, 0, 0], [1, 9, 0, 0]), rows([30, 30, 0, 0], [3, 27, 0, 0])
    assert concentration(counts, time) == pytest.approx([0.0, 0.0], abs=1e-12)
    assert strength(counts, time, p_value(counts, time)) == pytest.approx([0.0, 0.0])
    assert p_value(counts, time).tolist() == [1.0, 1.0]


def test_orders_in_the_level_with_the_least_time_are_the_most_concentrated() -> None:
    counts, time = rows([0, 4], [4, 0]), rows([30, 10], [30, 10])
    assert concentration(counts, time) == pytest.approx([1.0, log(4 / 3) / log(4)])


def test_without_orders_or_with_one_level_there_is_nothing_to_compare() -> None:
    counts, time = rows([0, 0], [3, 0], [0, 0]), rows([5, 5], [5, 0], [0, 0])
    p_values = p_value(counts, time)
    for found in (concentration(counts, time), strength(counts, time, p_values), p_values):
        assert np.isnan(found).all()


def test_strength_is_the_likelihood_ratio_of_scipy_less_its_mean_over_its_highest() -> None:
    counts, _ = drawn(40, YEAR + np.array([0] * 11 + [90]), customers=50)
    time = np.tile(YEAR, (50, 1))
    expected = 40 * YEAR / 365
    g = np.array([stats.power_divergence(row, expected, lambda_=0).statistic for row in counts])
    highest = 2 * 40 * log(365 / 28)
    is_sure = p_value(counts, time) <= 0.05
    assert 0 < is_sure.sum() < 50
    expected_strength = np.where(is_sure, np.maximum(g - 11, 0) / highest, 0)
    assert strength(counts, time, p_value(counts, time)) == pytest.approx(expected_strength)


@pytest.mark.parametrize("orders", [1, 2, 3, 5, 10, 30, 200])
@pytest.mark.parametrize("time", [YEAR, np.array([20, 31, 5]), np.full(7, 52)], ids=len)
def test_even_buyers_do_not_look_seasonal_with_however_few_orders(
    orders: int, time: Counts
) -> None:
    counts, days = drawn(orders, time)
    found = p_value(counts, days)
    for level in (0.05, 0.01, 0.001):
        assert (found <= level).mean() <= level + 3 * np.sqrt(level / len(found))
    strengths = strength(counts, days, found)
    assert (strengths > 0).mean() <= 0.05 + 3 * np.sqrt(0.05 / len(found))
    assert strengths.mean() < 0.01


def test_two_orders_in_one_month_are_little_and_eight_are_not() -> None:
    same = rows(*([n] + [0] * 11 for n in (1, 2, 3, 8)))
    time = np.full_like(same, 30)
    assert p_value(same, time) == pytest.approx([1.0, 2 / 12, 2 / 144, 24 / 12**8])
    expected = [max(0.0, 2 * n * log(12) - 11) / (2 * n * log(12)) for n in (1, 2, 3, 8)]
    assert strength(same, time, p_value(same, time)) == pytest.approx(expected)
    assert expected[:2] == [0.0, 0.0]


def test_the_p_value_is_that_of_the_most_outstanding_binomial_tail() -> None:
    counts, time = drawn(9, np.array([20, 31, 5, 40]), customers=200)
    share = time[0] / time[0].sum()
    for row, found in zip(counts, p_value(counts, time), strict=True):
        upper, lower = stats.binom.sf(row - 1, 9, share), stats.binom.cdf(row, 9, share)
        assert found == pytest.approx(min(1.0, 8 * min(upper.min(), lower.min())))


def test_it_is_never_below_the_exact_probability_of_so_small_a_tail() -> None:
    share, orders = np.array([0.5, 0.3, 0.2]), 5
    every = [row for row in product(range(orders + 1), repeat=3) if sum(row) == orders]
    counts = np.array(every, dtype=np.int64)
    found = p_value(counts, np.tile(np.array([50, 30, 20]), (len(every), 1)))
    chance: Floats = stats.multinomial.pmf(counts, orders, share)
    for value in found:
        assert chance[found <= value].sum() <= value + 1e-12


def test_a_gap_stands_out_as_a_peak_does() -> None:
    worker = rows([10, 10, 10, 10, 10, 0, 0])
    assert p_value(worker, np.full_like(worker, 52))[0] == pytest.approx(14 * (6 / 7) ** 50)


def test_the_favourite_has_the_most_orders_and_ties_go_to_less_time_then_to_the_first() -> None:
    counts = rows([1, 3, 2], [2, 2, 0], [2, 2, 2], [0, 0, 0])
    time = rows([9, 9, 9], [9, 5, 1], [7, 7, 7], [7, 7, 7])
    assert favourites(counts, time).tolist() == [1, 1, 0, -1]
