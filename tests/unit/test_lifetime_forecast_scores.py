from itertools import permutations

import numpy as np
import pytest

from segspark.errors import LifetimeError
from segspark.lifetime.forecast_scores import by_frequency, score_forecast

ACTUAL = np.array([0.0, 4.0, 1.0, 0.0, 3.0, 0.0, 0.0, 2.0, 0.0, 0.0])


def naive_gini(predicted: list[float], actual: list[float]) -> float:
    """Twice the area between the curve of the ranking and chance, over that of the outcome."""

    def area(ranks: list[float]) -> float:
        order = sorted(range(len(actual)), key=lambda row: -ranks[row])
        held, found = 0.0, 0.0
        for row in order:
            found += (held + 0.5 * actual[row]) / len(actual)
            held += actual[row]
        return found / held - 0.5

    return area(predicted) / area(actual)


def test_the_gini_is_that_of_a_plain_loop() -> None:
    luck = np.random.default_rng(5)
    actual = luck.poisson(1.0, 60).astype(float)
    predicted = luck.permutation(60).astype(float)

    found = score_forecast(predicted, actual).gini

    assert found == pytest.approx(naive_gini(predicted.tolist(), actual.tolist()), abs=1e-12)


def test_the_outcome_itself_scores_best_and_its_opposite_worst() -> None:
    assert score_forecast(ACTUAL, ACTUAL).gini == pytest.approx(1.0)
    assert score_forecast(-ACTUAL, ACTUAL).gini == pytest.approx(-1.0)
    assert score_forecast(np.ones(10), ACTUAL).gini == pytest.approx(0.0)


def test_ties_share_what_they_have_whatever_the_order_of_the_rows() -> None:
    guess, truth = [2.0, 2.0, 1.0, 1.0], [4.0, 0.0, 1.0, 0.0]
    found = {
        score_forecast([guess[n] for n in order], [truth[n] for n in order]).gini
        for order in permutations(range(4))
    }
    assert len({round(gini or 0.0, 12) for gini in found}) == 1


def test_the_lift_is_what_the_highest_tenth_has_over_the_mean() -> None:
    assert score_forecast(ACTUAL, ACTUAL).top_decile_lift == pytest.approx(4.0)
    tied = np.array([0, 1, 1, 0, 0, 0, 0, 0, 0, 0])
    assert score_forecast(tied, ACTUAL).top_decile_lift == pytest.approx(2.5)


def test_totals_and_errors_are_per_customer() -> None:
    found = score_forecast([1.0, 3.0], [2.0, 0.0])
    assert (found.predicted_total, found.actual_total) == (4.0, 2.0)
    assert found.mean_absolute_error == 2.0
    assert found.total_error == pytest.approx(np.log(2.0))
    assert score_forecast([0.0, 0.0], [2.0, 0.0]).total_error == np.inf


@pytest.mark.parametrize("actual", [[0.0, 0.0], [-3.0, 1.0], [2.0, 2.0]])
def test_an_outcome_that_cannot_be_ranked_has_no_gini(actual: list[float]) -> None:
    found = score_forecast([1.0, 2.0], actual)
    assert (found.gini, found.top_decile_lift) == (None, None)


def test_no_customers_and_missing_numbers_are_refused() -> None:
    with pytest.raises(LifetimeError, match="of no customers"):
        score_forecast([], [])
    with pytest.raises(LifetimeError, match="finite"):
        score_forecast([np.nan], [1.0])


def test_customers_with_seven_repeats_or_more_are_one_group() -> None:
    x = np.array([0.0, 0.0, 7.0, 30.0])
    zero, most = by_frequency(x, np.array([1.0, 2.0, 3.0, 5.0]), np.array([0.0, 1.0, 1.0, 2.0]))
    assert (zero.repeat_count, zero.customer_count) == (0, 2)
    assert (zero.predicted_mean, zero.actual_mean) == (1.5, 0.5)
    assert (most.repeat_count, most.customer_count) == (7, 2)
    assert (most.predicted_mean, most.actual_mean) == (4.0, 1.5)
