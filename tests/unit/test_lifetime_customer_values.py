import pickle
from collections.abc import Callable

import numpy as np
import pytest
from scipy.special import ndtri

from segspark.errors import LifetimeError
from segspark.lifetime.arrays import Floats
from segspark.lifetime.bg_nbd import BgNbd
from segspark.lifetime.customer_values import CustomerValuer, ValueTerms
from segspark.lifetime.fitted import (
    AnyPurchaseModel,
    FittedModels,
    SpendBasis,
    Statistics,
    fit_models,
    fit_purchase_models,
)
from segspark.lifetime.fitting import fit_gamma_gamma, fit_purchase_model
from segspark.lifetime.gamma_gamma import GammaGamma
from segspark.lifetime.intervals import log_deviations
from segspark.lifetime.observed import ObservedCustomers
from segspark.lifetime.valuation import discounted_purchases, months, whole_months
from tests.lifetimes import histories, random_histories, simulated, simulated_spends
from tests.model_draws import draw_models, quantile_interval

TERMS = ValueTerms(365.0, 0.1, 0.5)
TRUE = BgNbd(0.8, 30.0, 0.7, 2.0)
SPEND = GammaGamma(6, 4, 15)


@pytest.fixture(scope="module")
def customers() -> ObservedCustomers:
    seen = simulated(TRUE, np.full(500, 200.0), seed=3)
    days = simulated_spends(SPEND, seen.repeat_counts + 1.0, seed=4)
    repeats = simulated_spends(SPEND, seen.repeat_counts, seed=5)
    return ObservedCustomers(seen, repeats.mean_spends, days.mean_spends)


@pytest.fixture(scope="module")
def fitted(customers: ObservedCustomers) -> FittedModels:
    return fit_models(Statistics.of(customers))


def valuer(fitted: FittedModels, basis: SpendBasis) -> CustomerValuer:
    return CustomerValuer.of(fitted, title="BG/NBD", basis=basis, terms=TERMS)


@pytest.mark.parametrize("basis", SpendBasis)
def test_value_is_discounted_purchases_times_spend_times_margin(
    customers: ObservedCustomers, fitted: FittedModels, basis: SpendBasis
) -> None:
    model = fitted.purchases["BG/NBD"].model

    found = valuer(fitted, basis).value(customers)

    spends = fitted.expected_spends(customers, basis)
    periods = whole_months(365.0, yearly_discount_rate=0.1)
    expected = 0.5 * discounted_purchases(model, customers.histories, periods) * spends
    np.testing.assert_allclose(found.values.expected, expected, rtol=1e-12)
    np.testing.assert_allclose(found.spends.expected, spends)
    undiscounted = 0.5 * found.purchases.expected * spends
    assert (found.values.expected < undiscounted).all()
    assert (found.values.expected > undiscounted / 1.1).all()
    assert (found.values.lower < found.values.expected).all()
    assert (found.values.upper > found.values.expected).all()


def test_what_stands_beside_the_value_is_the_models_and_the_past_spend(
    customers: ObservedCustomers, fitted: FittedModels
) -> None:
    model, seen = fitted.purchases["BG/NBD"].model, customers.histories

    found = valuer(fitted, SpendBasis.ALL_DAYS).value(customers)

    np.testing.assert_allclose(found.purchases.expected, model.expected_purchases(seen, 365.0))
    np.testing.assert_allclose(found.alive.expected, model.probabilities_alive(seen))
    # Of half the spend so far: nobody is older than the 365 days.
    spent = (seen.repeat_counts + 1.0) * customers.day_means
    assert seen.ages.max() < 365.0
    np.testing.assert_allclose(found.historic_spends, 0.5 * spent)


def test_a_customers_value_does_not_depend_on_the_others(
    customers: ObservedCustomers, fitted: FittedModels
) -> None:
    whole = valuer(fitted, SpendBasis.ALL_DAYS).value(customers)
    seen = customers.histories
    one = histories((seen.repeat_counts[7], seen.last_repeat_times[7], seen.ages[7]))
    alone = ObservedCustomers(one, customers.repeat_means[7:8], customers.day_means[7:8])
    found = valuer(fitted, SpendBasis.ALL_DAYS).value(alone)
    for name in ("purchases", "alive", "spends", "values"):
        for one_of, of_all in zip(getattr(found, name), getattr(whole, name), strict=True):
            assert one_of[0] == pytest.approx(of_all[7], rel=1e-12), name
    assert found.historic_spends[0] == pytest.approx(whole.historic_spends[7], rel=1e-12)


def test_nothing_is_missing_for_the_new_the_silent_and_the_unpriced(fitted: FittedModels) -> None:
    odd = ObservedCustomers(
        histories((0, 0, 0), (0, 0, 5000), (1000, 10, 5000), (1, 1, 1)),
        np.array([0.0, 0.0, -5.0, 0.0]),
        np.array([0.0, -3.0, 1e12, 1e-9]),
    )
    for basis in SpendBasis:
        found = valuer(fitted, basis).value(odd)
        for name in found.__slots__:
            assert np.isfinite(getattr(found, name)).all(), name
        assert (found.values.expected >= 0.0).all()


def test_models_that_were_not_fitted_value_nobody(fitted: FittedModels) -> None:
    with pytest.raises(LifetimeError, match="XYZ priced by mean spend of everybody could not be"):
        CustomerValuer.of(fitted, title="XYZ", basis=SpendBasis.EVERYBODY, terms=TERMS)


def test_a_valuer_travels(customers: ObservedCustomers, fitted: FittedModels) -> None:
    own = valuer(fitted, SpendBasis.ALL_DAYS)
    sent = pickle.loads(pickle.dumps(own))  # noqa: S301 - our own
    found, expected = sent.value(customers).values, own.value(customers).values
    assert (found.expected == expected.expected).all()


def test_the_delta_methods_interval_is_about_that_of_draws() -> None:
    fit, seen = (
        fit_purchase_model(BgNbd, simulated(TRUE, np.full(1_000, 200.0), seed=1)),
        (random_histories(8)),
    )

    def expected(model: BgNbd) -> Floats:
        return model.expected_purchases(seen, 90.0)

    drawn = quantile_interval(draw_models(fit, draw_count=600, seed=2), expected)
    deviations = log_deviations(fit, expected)

    width = 2.0 * float(ndtri(0.95)) * deviations
    likely = expected(fit.model) > 0.01
    assert likely.sum() > 3
    np.testing.assert_allclose(width[likely], np.log(drawn.upper / drawn.lower)[likely], rtol=0.2)


def test_intervals_are_those_of_draws_of_both_models(
    customers: ObservedCustomers, fitted: FittedModels
) -> None:
    # So many of one and so few of the other that both leave about as much open.
    purchases = fit_purchase_models(simulated(TRUE, np.full(1_000, 200.0), seed=1)).fits["BG/NBD"]
    spend = fit_gamma_gamma(simulated_spends(SPEND, np.full(200, 4.0), seed=1))
    own = CustomerValuer(purchases, SpendBasis.ALL_DAYS, spend, fitted.mean_spend, TERMS)
    seen, rows = customers.histories, customers.day_spends
    drawn = [
        *zip(
            draw_models(purchases, draw_count=800, seed=1),
            draw_models(spend, draw_count=800, seed=2),
            strict=True,
        )
    ]

    drawn_statistics: dict[str, Callable[[tuple[AnyPurchaseModel, GammaGamma]], Floats]] = {
        "purchases": lambda pair: pair[0].expected_purchases(seen, 365.0),
        "spends": lambda pair: pair[1].expected_spends(rows),
        "values": lambda pair: (
            pair[0].expected_purchases(seen, 365.0) * pair[1].expected_spends(rows)
        ),
    }
    found = own.value(customers)

    for name, statistic in drawn_statistics.items():
        expected = quantile_interval(drawn, statistic, coverage=0.9)
        estimate = getattr(found, name)
        width, drawn_width = (np.log(each.upper / each.lower) for each in (estimate, expected))
        np.testing.assert_allclose(width, drawn_width, rtol=0.2, atol=0.01, err_msg=name)
        np.testing.assert_allclose(estimate.lower * estimate.upper, estimate.expected**2)
    alive = quantile_interval(drawn, lambda pair: pair[0].probabilities_alive(seen), coverage=0.9)
    likely = found.alive.expected > 0.3
    assert likely.sum() > 100
    np.testing.assert_allclose(found.alive.lower[likely], alive.lower[likely], atol=0.03)
    np.testing.assert_allclose(found.alive.upper[likely], alive.upper[likely], atol=0.03)
    assert (found.alive.upper <= 1.0).all()


def test_however_little_is_known_a_probability_to_be_alive_ends_at_one() -> None:
    seen = simulated(TRUE, np.full(20, 200.0), seed=3)
    few = ObservedCustomers(seen, np.full(20, 5.0), np.full(20, 5.0))

    found = valuer(fit_models(Statistics.of(few)), SpendBasis.EVERYBODY).value(few).alive

    is_cut = (found.upper == 1.0) & (found.expected < 1.0)
    assert is_cut.any()
    assert found.upper.max() == 1.0


def test_a_statistic_that_is_zero_is_known_to_be() -> None:
    fit = fit_purchase_model(BgNbd, simulated(TRUE, np.full(100, 200.0), seed=1))
    assert log_deviations(fit, lambda _: np.zeros(3)).tolist() == [0.0, 0.0, 0.0]


def test_the_months_of_a_horizon_make_up_the_horizon() -> None:
    year = whole_months(365.25, yearly_discount_rate=0.1)
    assert year == months(12, yearly_discount_rate=0.1)
    for days in (1.0, 45.0, 365.0, 1000.0):
        found = whole_months(days, yearly_discount_rate=0.1)
        assert found.length * found.count == pytest.approx(days)
        assert (1.0 + found.discount_rate) ** found.count == pytest.approx(1.1 ** (days / 365.25))
