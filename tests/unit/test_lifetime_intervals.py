import numpy as np
import pytest

from segspark.errors import LifetimeError
from segspark.lifetime.arrays import Floats
from segspark.lifetime.bg_nbd import BgNbd
from segspark.lifetime.fitting import Fit, fit_gamma_gamma, fit_purchase_model
from segspark.lifetime.gamma_gamma import GammaGamma
from segspark.lifetime.intervals import log_deviations
from segspark.lifetime.parameters import log_parameters
from tests.lifetimes import cdnow, random_histories, simulated, simulated_spends
from tests.model_draws import draw_models, quantile_interval

TRUE = BgNbd(0.8, 30.0, 0.7, 2.0)
AGES = np.full(1_000, 200.0)
NEW = BgNbd.expected_purchases_of_a_new_customer


def some_fit(seed: int = 1) -> Fit[BgNbd]:
    return fit_purchase_model(BgNbd, simulated(TRUE, AGES, seed=seed))


def test_draws_have_the_fits_mean_and_covariance_and_follow_the_seed() -> None:
    fit = some_fit()

    draws = draw_models(fit, draw_count=4_000, seed=5)

    points = np.array([log_parameters(draw) for draw in draws])
    scale = np.sqrt(np.diagonal(fit.covariance))
    np.testing.assert_allclose(
        (points.mean(axis=0) - log_parameters(fit.model)) / scale, 0.0, atol=0.08
    )
    np.testing.assert_allclose(
        np.cov(points.T) / np.outer(scale, scale),
        fit.covariance / np.outer(scale, scale),
        atol=0.1,
    )
    assert draw_models(fit, draw_count=4_000, seed=5) == draws
    assert draw_models(fit, draw_count=1, seed=6)[0] != draws[0]


def test_an_interval_holds_its_share_of_the_draws_row_by_row() -> None:
    draws, seen = draw_models(some_fit(), draw_count=200, seed=5), random_histories(6)

    def expected(model: BgNbd) -> Floats:
        return model.expected_purchases(seen, 90.0)

    found = quantile_interval(draws, expected, coverage=0.8)

    values = np.stack([expected(draw) for draw in draws])
    within = (values >= found.lower) & (values <= found.upper)
    assert found.lower.shape == (6,)
    np.testing.assert_allclose(within.mean(axis=0), 0.8, atol=0.011)
    assert ((values < found.lower).mean(axis=0) < 0.11).all()


def test_an_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    truth, covered = TRUE.expected_purchases_of_a_new_customer(200.0), 0
    for seed in range(40):
        draws = draw_models(some_fit(seed), draw_count=100, seed=seed)
        found = quantile_interval(draws, lambda model: NEW(model, 200.0), coverage=0.9)
        covered += bool(found.lower <= truth <= found.upper)

    # 36 of 40 are expected, give or take 1.9.
    assert 31 <= covered <= 40


def test_a_statistic_may_be_of_two_models_at_once() -> None:
    spend = fit_gamma_gamma(simulated_spends(GammaGamma(6, 4, 15), np.full(500, 3.0), seed=1))
    purchases = draw_models(some_fit(), draw_count=50, seed=1)
    pairs = list(zip(purchases, draw_models(spend, draw_count=50, seed=2), strict=True))

    found = quantile_interval(pairs, lambda pair: NEW(pair[0], 90.0) * pair[1].typical_spend)

    assert 0.0 < found.lower < found.upper


def test_cdnows_forecast_has_an_interval_that_is_wider_for_fewer_customers() -> None:
    seen = cdnow().histories
    fit = fit_purchase_model(BgNbd, seen)

    def total(model: BgNbd) -> float:
        return float(model.expected_purchases(seen, 39.0).sum())

    found = quantile_interval(draw_models(fit, draw_count=100, seed=1), total)

    assert 1450 < found.lower < total(fit.model) < found.upper < 1900


def test_an_interval_needs_draws_and_a_coverage() -> None:
    with pytest.raises(LifetimeError, match="needs draws, and 0 are asked for"):
        draw_models(some_fit(), draw_count=0, seed=1)
    with pytest.raises(LifetimeError, match="needs draws, and there are none"):
        quantile_interval([], float)
    for coverage in (0.0, 1.0, -1.0, np.nan):
        with pytest.raises(LifetimeError, match="a share between 0 and 1"):
            quantile_interval([1.0], float, coverage=coverage)


def test_a_power_of_a_parameter_deviates_by_so_many_times_its_own_up_to_a_factor_of_400() -> None:
    fit = some_fit()
    own = float(np.sqrt(fit.covariance[0, 0]))

    found = log_deviations(fit, lambda model: model.r ** (np.array([1.0, -3.0, 5.9, 60.0]) / own))

    assert found == pytest.approx([1.0, 3.0, 5.9, 6.0])
