from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segspark.errors import LifetimeError
from segspark.lifetime import fitting
from segspark.lifetime.arrays import Floats
from segspark.lifetime.bg_nbd import BgNbd
from segspark.lifetime.compression import merge_equal_histories
from segspark.lifetime.fitting import Fit, fit_gamma_gamma, fit_purchase_model
from segspark.lifetime.gamma_gamma import GammaGamma
from segspark.lifetime.histories import PurchaseHistories, SpendHistories
from segspark.lifetime.maximum_likelihood import climb
from segspark.lifetime.mbg_nbd import MbgNbd
from segspark.lifetime.parameters import log_parameters
from segspark.lifetime.pareto_nbd import ParetoNbd
from tests.lifetimes import KINDS, histories, in_days, simulated, simulated_spends, spends

TRUE: list[BgNbd | MbgNbd | ParetoNbd] = [
    BgNbd(0.8, 30.0, 0.7, 2.0),
    MbgNbd(0.8, 30.0, 0.7, 2.0),
    ParetoNbd(0.8, 30.0, 0.9, 120.0),
]
AGES = np.repeat(np.arange(30.0, 730.0, 7.0), 80)


@pytest.mark.parametrize("model", TRUE, ids=str)
def test_a_fit_recovers_the_parameters_that_customers_were_simulated_with(
    model: BgNbd | MbgNbd | ParetoNbd,
) -> None:
    seen = simulated(model, AGES, seed=3)

    fit = fit_purchase_model(type(model), seen)

    errors = log_parameters(fit.model) - log_parameters(model)
    # Squared distance in units of the covariance: chi-squared with four degrees of freedom.
    assert errors @ np.linalg.solve(fit.covariance, errors) < 18.5
    assert np.abs(errors).max() < 0.35
    assert fit.is_converged
    assert fit.gradient_norm < 1e-7
    assert fit.warnings == ()
    assert fit.customer_count == len(AGES)
    assert fit.log_likelihood > model.log_likelihoods(seen).sum()


def test_a_fit_of_spend_recovers_the_parameters_that_it_was_simulated_with() -> None:
    true = GammaGamma(4.0, 3.0, 30.0)
    seen = simulated_spends(true, np.arange(8_000.0) % 6, seed=3)

    fit = fit_gamma_gamma(seen)

    errors = log_parameters(fit.model) - log_parameters(true)
    assert errors @ np.linalg.solve(fit.covariance, errors) < 16.3
    assert fit.is_converged
    assert fit.warnings == ()
    assert fit.customer_count == (seen.repeat_counts > 0).sum()


@pytest.mark.parametrize("model", TRUE, ids=str)
def test_deviations_are_those_of_fits_to_other_customers(
    model: BgNbd | MbgNbd | ParetoNbd,
) -> None:
    ages = AGES[::16]
    fits = [fit_purchase_model(type(model), simulated(model, ages, seed=n)) for n in range(12)]

    spread = np.std([log_parameters(fit.model) for fit in fits], axis=0)

    stated = np.mean([np.sqrt(np.diagonal(fit.covariance)) for fit in fits], axis=0)
    np.testing.assert_allclose(spread, stated, rtol=0.6)


def test_one_cohort_whose_customers_are_all_of_the_same_age_is_enough() -> None:
    fit = fit_purchase_model(BgNbd, simulated(TRUE[0], np.full(8_000, 365.0), seed=4))

    errors = log_parameters(fit.model) - log_parameters(TRUE[0])
    assert errors @ np.linalg.solve(fit.covariance, errors) < 18.5
    assert fit.warnings == ()


@pytest.mark.parametrize("kind", KINDS)
def test_equal_rows_are_fitted_as_one_with_their_weight(
    kind: type[BgNbd] | type[MbgNbd] | type[ParetoNbd],
) -> None:
    seen = in_days(simulated(TRUE[0], AGES[::4], seed=5))
    merged = merge_equal_histories(seen)

    one, other = fit_purchase_model(kind, seen), fit_purchase_model(kind, merged)

    assert len(merged) < len(seen)
    assert other.customer_count == one.customer_count
    assert other.log_likelihood == pytest.approx(one.log_likelihood, rel=1e-12)
    np.testing.assert_allclose(log_parameters(other.model), log_parameters(one.model), atol=1e-6)
    np.testing.assert_allclose(other.covariance, one.covariance, rtol=1e-3)


@settings(max_examples=8, deadline=None)
@given(factor=st.floats(min_value=-7.0, max_value=7.0).map(np.exp), kind=st.sampled_from(KINDS))
def test_another_unit_of_time_scales_the_rates_of_a_fit_and_nothing_else(
    factor: float, kind: type[BgNbd] | type[MbgNbd] | type[ParetoNbd]
) -> None:
    seen = merge_equal_histories(in_days(simulated(TRUE[0], AGES[::8], seed=6)))

    fit = fit_purchase_model(kind, seen)
    scaled = fit_purchase_model(kind, seen.in_time_unit(factor))

    expected = log_parameters(fit.model.in_time_unit(factor))
    np.testing.assert_allclose(log_parameters(scaled.model), expected, atol=1e-5)
    shift = np.log(factor) * (seen.customer_counts @ seen.repeat_counts)
    assert scaled.log_likelihood == pytest.approx(fit.log_likelihood - shift, rel=1e-9)


@pytest.fixture
def climbs(monkeypatch: pytest.MonkeyPatch) -> list[Floats]:
    """Where each search ended from now on."""
    found: list[Floats] = []

    def counted(*given: Any, **named: Any) -> Floats:  # noqa: ANN401 - as climb's own
        found.append(climb(*given, **named))
        return found[-1]

    monkeypatch.setattr(fitting, "climb", counted)
    return found


def assert_same_fit(quick: Fit[Any], full: Fit[Any]) -> None:
    np.testing.assert_allclose(log_parameters(quick.model), log_parameters(full.model), atol=1e-7)
    np.testing.assert_allclose(quick.covariance, full.covariance, rtol=1e-4)
    assert quick.log_likelihood == pytest.approx(full.log_likelihood, rel=1e-12)
    assert quick.is_converged


@pytest.mark.parametrize("kind", KINDS)
def test_a_fit_from_coarse_cells_ends_where_the_full_search_does(
    kind: type[BgNbd] | type[MbgNbd] | type[ParetoNbd],
    monkeypatch: pytest.MonkeyPatch,
    climbs: list[Floats],
) -> None:
    seen = merge_equal_histories(in_days(simulated(TRUE[0], AGES, seed=7)))
    full = fit_purchase_model(kind, seen)
    climbs.clear()

    monkeypatch.setattr(fitting, "_ROWS_OF_A_FULL_SEARCH", 100)

    assert_same_fit(fit_purchase_model(kind, seen), full)
    # One search, of the cells, whose top is another one.
    (near,) = climbs
    assert np.abs(near - log_parameters(full.model.in_time_unit(scale_of(seen)))).max() > 1e-4


def scale_of(seen: PurchaseHistories) -> float:
    """The unit that a fit works in."""
    return 5.0 / float(np.average(seen.ages, weights=seen.customer_counts))


def test_a_fit_of_spend_from_coarse_cells_ends_where_the_full_search_does(
    monkeypatch: pytest.MonkeyPatch, climbs: list[Floats]
) -> None:
    seen = simulated_spends(GammaGamma(4.0, 3.0, 30.0), np.arange(8_000.0) % 6, seed=3)
    full = fit_gamma_gamma(seen)
    climbs.clear()

    monkeypatch.setattr(fitting, "_ROWS_OF_A_FULL_SEARCH", 100)

    assert_same_fit(fit_gamma_gamma(seen), full)
    assert len(climbs) == 1


def test_customers_who_never_drop_out_are_a_warning_and_no_failure() -> None:
    draw = np.random.default_rng(8)
    x = draw.poisson(draw.gamma(2.0, 2.0, 3_000)).astype(np.float64)
    t_x = np.where(x > 0, 100.0 * draw.beta(np.maximum(x, 1.0), 1.0), 0.0)
    seen = PurchaseHistories(x, t_x, np.full(3_000, 100.0), np.ones(3_000))

    for kind in KINDS:
        fit = fit_purchase_model(kind, seen)

        assert fit.warnings
        assert np.isfinite(fit.covariance).all()
        assert (np.linalg.eigvalsh(fit.covariance) > 0.0).all()
        expected = fit.model.expected_purchases(seen, 100.0)
        assert expected.sum() == pytest.approx(x.sum(), rel=0.05)


@pytest.mark.parametrize("kind", KINDS)
def test_customers_who_are_all_alike_are_fitted_with_a_warning(
    kind: type[BgNbd] | type[MbgNbd] | type[ParetoNbd],
) -> None:
    fit = fit_purchase_model(kind, histories(*[(1.0, 5.0, 10.0)] * 50))

    assert any("edge" in warning or "no better" in warning for warning in fit.warnings)
    assert np.isfinite(fit.log_likelihood)
    assert np.isfinite(fit.covariance).all()
    assert np.isfinite(fit.model.expected_purchases(histories((1.0, 5.0, 10.0)), 10.0)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_what_cannot_be_estimated_is_refused_with_the_reason(
    kind: type[BgNbd] | type[MbgNbd] | type[ParetoNbd],
) -> None:
    with pytest.raises(LifetimeError, match=f"{kind.title} could .* 9 customers are too few"):
        fit_purchase_model(kind, histories(*[(1.0, 5.0, 10.0)] * 9))
    with pytest.raises(LifetimeError, match="none of the 20 customers has bought again"):
        fit_purchase_model(kind, histories(*[(0.0, 0.0, 10.0)] * 20))
    with pytest.raises(LifetimeError, match="0 customers are too few"):
        fit_purchase_model(kind, histories())


def test_spend_that_cannot_be_estimated_is_refused_with_the_reason() -> None:
    with pytest.raises(LifetimeError, match=r"9 customers with a positive mean spend are too few"):
        fit_gamma_gamma(spends(*[(1.0, 5.0)] * 9, *[(0.0, 0.0)] * 100))
    with pytest.raises(LifetimeError, match="all 20 customers spend 5 on average"):
        fit_gamma_gamma(spends(*[(1.0, 5.0)] * 20))


def test_spend_without_a_population_mean_is_a_warning() -> None:
    heavy = simulated_spends(GammaGamma(3.0, 0.6, 5.0), np.full(3_000, 4.0), seed=1)

    fit = fit_gamma_gamma(heavy)

    assert fit.model.q < 1.0
    assert any("no population mean with q = 0." in warning for warning in fit.warnings)
    assert np.isfinite(fit.model.typical_spend)


def test_spend_that_goes_with_frequency_is_a_warning() -> None:
    seen = simulated_spends(GammaGamma(6.0, 4.0, 15.0), np.arange(3_000.0) % 10, seed=1)
    dearer = SpendHistories(
        seen.repeat_counts, seen.mean_spends * (1 + seen.repeat_counts), seen.customer_counts
    )

    assert fit_gamma_gamma(seen).warnings == ()
    (warning,) = fit_gamma_gamma(dearer).warnings
    assert "their correlation is 0." in warning


def test_the_same_customers_are_fitted_to_the_same_bits() -> None:
    seen = simulated(TRUE[0], AGES[::8], seed=9)

    assert fit_purchase_model(BgNbd, seen).model == fit_purchase_model(BgNbd, seen).model
