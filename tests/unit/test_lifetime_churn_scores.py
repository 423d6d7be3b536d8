from itertools import pairwise

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from segspark.errors import LifetimeError
from segspark.lifetime.arrays import Floats
from segspark.lifetime.churn_scores import reliability, score_probabilities, share_interval


def some(*, seed: int = 1, rows: int = 3_000) -> tuple[Floats, Floats]:
    """Probabilities in steps of 0.02, so that many tie, and outcomes that are less sure."""
    draw = np.random.default_rng(seed)
    guess = np.round(draw.beta(0.7, 2.0, rows) * 50.0) / 50.0
    truth = (draw.random(rows) < 0.1 + 0.7 * guess).astype(np.float64)
    return guess, truth


def test_scores_are_those_of_scikit_learn() -> None:
    guess, truth = some()
    found = score_probabilities(guess, truth)
    base = np.full(len(truth), truth.mean())
    assert found.brier_score == pytest.approx(brier_score_loss(truth, guess), rel=1e-12)
    assert found.log_loss == pytest.approx(log_loss(truth, guess), rel=1e-9)
    assert found.auc == pytest.approx(roc_auc_score(truth, guess), rel=1e-12)
    assert found.brier_skill == pytest.approx(
        1.0 - brier_score_loss(truth, guess) / brier_score_loss(truth, base), rel=1e-12
    )
    assert (found.predicted_mean, found.observed_share) == (guess.mean(), truth.mean())


def test_a_sure_and_wrong_forecast_has_a_finite_log_loss() -> None:
    guess, truth = np.array([0.0, 1.0, 1.0]), np.array([1.0, 1.0, 0.0])
    found = score_probabilities(guess, truth)
    assert found.log_loss == pytest.approx(log_loss(truth, guess), rel=1e-9)
    assert np.isfinite(found.log_loss)


def test_customers_that_tie_count_by_half() -> None:
    assert score_probabilities([0.3, 0.3, 0.3], [1, 0, 0]).auc == 0.5
    assert score_probabilities([0.1, 0.3, 0.3, 0.9], [0, 0, 1, 1]).auc == 3.5 / 4.0


@pytest.mark.parametrize("outcome", [0.0, 1.0])
def test_where_all_did_the_same_nothing_can_be_ranked(outcome: float) -> None:
    found = score_probabilities([0.2, 0.4], [outcome] * 2)
    assert (found.auc, found.brier_skill) == (None, None)
    assert np.isfinite([found.brier_score, found.log_loss]).all()


def test_the_reliability_table_is_scikit_learns_calibration_curve() -> None:
    guess, truth = some()
    found = reliability(guess, truth)
    observed, predicted = calibration_curve(truth, guess, n_bins=10, strategy="quantile")
    np.testing.assert_allclose([each.observed_share for each in found], observed)
    np.testing.assert_allclose([each.predicted_mean for each in found], predicted)
    assert sum(each.customer_count for each in found) == len(truth)
    for lower, upper in pairwise(found):
        assert lower.number < upper.number
        assert lower.highest < upper.lowest
    for each in found:
        assert each.lowest - 1e-12 <= each.predicted_mean <= each.highest + 1e-12
        assert each.observed_lower < each.observed_share < each.observed_upper


def test_equal_probabilities_are_one_bin() -> None:
    (only,) = reliability(np.full(7, 0.3), [1, 0, 0, 0, 0, 0, 1])
    assert (only.number, only.customer_count, only.observed_share) == (1, 7, 2 / 7)


def test_the_interval_of_a_share_covers_as_often_as_it_says() -> None:
    share, count = 0.07, 150
    draws = np.random.default_rng(3).binomial(count, share, 4_000) / count
    inside = [lower <= share <= upper for lower, upper in (share_interval(d, count) for d in draws)]
    assert np.mean(inside) == pytest.approx(0.9, abs=0.03)
    lower, upper = share_interval(0.0, 20)
    assert lower == 0.0
    assert 0.05 < upper < 0.2
    assert share_interval(1.0, 20) == pytest.approx((1.0 - upper, 1.0))


@pytest.mark.parametrize(
    ("guess", "truth", "sentence"),
    [
        ([], [], "no customers cannot be scored"),
        ([1.2], [1], "must be from 0 to 1, and row 0 has probability 1.2"),
        ([0.5], [2], "an outcome must be 0 or 1"),
        ([float("nan")], [1], "must be finite"),
    ],
)
def test_what_is_no_probability_or_outcome_is_refused(
    guess: list[float], truth: list[float], sentence: str
) -> None:
    with pytest.raises(LifetimeError, match=sentence):
        score_probabilities(guess, truth)
