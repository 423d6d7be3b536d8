"""Effect sizes and tests against scipy and against the textbook's loops."""

import numpy as np
import pytest
from scipy import stats

from segspark.segments.effects import (
    analyse_levels,
    analyse_ranks,
    analyse_variance,
    benjamini_hochberg,
    holm,
)

RANDOM = np.random.default_rng(7)
GROUPS = (
    RANDOM.integers(0, 6, 40).astype(float),
    RANDOM.integers(1, 9, 25).astype(float),
    RANDOM.integers(0, 7, 60).astype(float),
)
COLOURS = np.array([[30, 12, 5], [14, 22, 9], [3, 8, 31], [1, 2, 1]])
P_VALUES = [0.01, 0.04, 0.03, 0.005, 0.9, 0.03]


def sizes_means_variances(
    groups: tuple[np.ndarray, ...],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return (
        np.array([len(group) for group in groups]),
        np.array([group.mean() for group in groups]),
        np.array([group.var() for group in groups]),
    )


def counted(groups: tuple[np.ndarray, ...]) -> np.ndarray:
    """Distinct values in order by groups."""
    values = np.unique(np.concatenate(groups))
    return np.array([[int((group == value).sum()) for group in groups] for value in values])


def test_analysis_of_variance_from_three_numbers_a_segment_is_that_of_the_customers() -> None:
    found = analyse_variance(*sizes_means_variances(GROUPS))

    expected = stats.f_oneway(*GROUPS)
    assert found is not None
    assert found.f_statistic == pytest.approx(expected.statistic, abs=1e-9)
    assert found.p_value == pytest.approx(expected.pvalue, abs=1e-12)


def test_eta_squared_is_the_share_of_the_sum_of_squares_between_segments() -> None:
    found = analyse_variance(*sizes_means_variances(GROUPS))

    everyone = np.concatenate(GROUPS)
    between = sum(len(group) * (group.mean() - everyone.mean()) ** 2 for group in GROUPS)
    assert found is not None
    assert found.eta_squared == pytest.approx(between / ((everyone - everyone.mean()) ** 2).sum())


def test_ranks_from_counts_of_values_are_compared_as_those_of_the_customers() -> None:
    found = analyse_ranks(counted(GROUPS))

    expected = stats.kruskal(*GROUPS)
    assert found is not None
    assert found.h_statistic == pytest.approx(expected.statistic, abs=1e-9)
    assert found.p_value == pytest.approx(expected.pvalue, abs=1e-12)
    assert found.degrees_of_freedom == 2


def test_epsilon_squared_is_the_eta_squared_of_the_ranks() -> None:
    ranks = stats.rankdata(np.concatenate(GROUPS))
    parts = tuple(np.split(ranks, np.cumsum([len(group) for group in GROUPS])[:-1]))

    found, expected = (
        analyse_ranks(counted(GROUPS)),
        analyse_variance(*sizes_means_variances(parts)),
    )

    assert found is not None
    assert expected is not None
    assert found.epsilon_squared == pytest.approx(expected.eta_squared, abs=1e-12)


def test_levels_are_compared_as_by_pearson() -> None:
    found = analyse_levels(COLOURS)

    expected = stats.chi2_contingency(COLOURS, correction=False)
    assert found is not None
    assert found.chi_squared == pytest.approx(expected.statistic, abs=1e-9)
    assert found.p_value == pytest.approx(expected.pvalue, abs=1e-12)
    assert found.degrees_of_freedom == expected.dof
    assert found.smallest_expected_count == pytest.approx(expected.expected_freq.min())


def test_cramers_v_is_corrected_as_bergsma_says() -> None:
    found = analyse_levels(COLOURS)

    customers, (rows, columns) = COLOURS.sum(), COLOURS.shape
    plain = stats.contingency.association(COLOURS, method="cramer") ** 2 * (min(rows, columns) - 1)
    corrected = max(0, plain - (rows - 1) * (columns - 1) / (customers - 1))
    rows_left = rows - (rows - 1) ** 2 / (customers - 1)
    columns_left = columns - (columns - 1) ** 2 / (customers - 1)
    expected = (corrected / (min(rows_left, columns_left) - 1)) ** 0.5
    assert found is not None
    assert found.cramers_v == pytest.approx(expected, abs=1e-12)
    assert found.cramers_v < stats.contingency.association(COLOURS, method="cramer")


def test_levels_as_independence_would_have_them_have_no_effect() -> None:
    found = analyse_levels(np.array([[20, 40], [10, 20]]))

    assert found is not None
    assert found.cramers_v == 0
    assert found.p_value == pytest.approx(1)


def test_a_level_or_segment_without_customers_changes_nothing() -> None:
    wider = np.pad(COLOURS, 1)
    ranked = counted(GROUPS)
    sizes, means, variances = sizes_means_variances(GROUPS)

    assert analyse_levels(wider) == analyse_levels(COLOURS)
    assert analyse_ranks(np.pad(ranked, 1)) == analyse_ranks(ranked)
    assert analyse_variance(
        np.append(sizes, 0), np.append(means, np.nan), np.append(variances, np.nan)
    ) == analyse_variance(sizes, means, variances)


def test_what_does_not_differ_is_not_analysed() -> None:
    one_value, one_segment = np.array([[3, 4]]), np.array([[3], [4]])

    for table in (one_value, one_segment, np.zeros((0, 2), dtype=int)):
        assert analyse_ranks(table) is None
        assert analyse_levels(table) is None
    assert analyse_variance(np.array([9]), np.array([1.0]), np.array([1.0])) is None
    assert analyse_variance(np.array([1, 1]), np.array([1.0, 2.0]), np.zeros(2)) is None
    assert analyse_variance(np.array([4, 4]), np.ones(2), np.zeros(2)) is None


def test_segments_of_one_value_each_are_told_apart_by_it_entirely() -> None:
    found = analyse_variance(np.array([4, 4]), np.array([1.0, 2.0]), np.zeros(2))

    assert found is not None
    assert (found.eta_squared, found.f_statistic, found.p_value) == (1, float("inf"), 0)


def test_holm_multiplies_by_how_many_are_left_and_never_falls() -> None:
    assert holm(P_VALUES) == pytest.approx([0.05, 0.12, 0.12, 0.03, 0.9, 0.12])


def test_benjamini_and_hochberg_are_those_of_scipy() -> None:
    expected = stats.false_discovery_control(P_VALUES, method="bh")

    assert benjamini_hochberg(P_VALUES) == pytest.approx(expected.tolist(), abs=1e-15)


def test_no_p_values_are_adjusted_to_none() -> None:
    assert holm([]) == benjamini_hochberg([]) == []


def test_adjusted_p_values_stay_at_most_one() -> None:
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert benjamini_hochberg([0.99, 1.0]) == [1.0, 1.0]
