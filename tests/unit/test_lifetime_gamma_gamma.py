import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import roots_genlaguerre
from scipy.stats import gamma

from segspark.errors import LifetimeError
from segspark.lifetime.arrays import Floats
from segspark.lifetime.gamma_gamma import GammaGamma, correlation_of_frequency_and_spend
from segspark.lifetime.histories import SpendHistories
from segspark.lifetime.parameters import from_log_parameters, log_parameters
from tests.lifetimes import SPEND, simulated_spends, spends

HEAVY = GammaGamma(0.4, 0.8, 5.0)
logs = st.floats(min_value=-11.0, max_value=11.0).map(np.exp)


def random_spends(rows: int = 40) -> SpendHistories:
    draw = np.random.default_rng(7)
    counts = draw.integers(1, 30, rows).astype(np.float64)
    return SpendHistories(counts, draw.gamma(2.0, 20.0, rows), draw.uniform(0.1, 5.0, rows))


@pytest.mark.parametrize("model", [SPEND, HEAVY], ids=str)
def test_likelihood_and_mean_are_integrals_over_the_rates_of_spend(model: GammaGamma) -> None:
    nodes, weights = roots_genlaguerre(100, model.q - 1.0)
    for x, m in ((1.0, 12.0), (3.0, 25.0), (9.0, 60.0)):
        # Nodes where rate^(p x) exp(-rate (v + x m)) is smooth.
        rate = nodes / (model.v + x * m)
        density = (model.v / (model.v + x * m)) ** model.q * weights / weights.sum()
        means = gamma(model.p * x, scale=1 / (rate * x)).pdf(m) * np.exp(rate * x * m)

        found = model.log_likelihoods(spends((x, m)))[0]
        spend = model.expected_spends(spends((x, m)))[0]

        assert np.exp(found) == pytest.approx(density @ means, rel=1e-3)
        if model.q > 1.0:
            assert spend == pytest.approx(
                density @ (means * model.p / rate) / (density @ means), rel=1e-3
            )


@pytest.mark.parametrize("model", [SPEND, HEAVY, GammaGamma(500.0, 0.05, 1e-3)], ids=str)
def test_the_gradient_is_that_of_the_log_likelihood(model: GammaGamma) -> None:
    seen, step = random_spends(), 1e-5
    value, gradient = model.log_likelihood_and_gradient(seen)
    centre = log_parameters(model)

    def at(point: Floats) -> float:
        return from_log_parameters(GammaGamma, point).log_likelihood_and_gradient(seen)[0]

    differences = [(at(centre + d) - at(centre - d)) / (2 * step) for d in np.eye(3) * step]

    assert value == pytest.approx(seen.customer_counts @ model.log_likelihoods(seen), rel=1e-12)
    np.testing.assert_allclose(gradient, differences, rtol=1e-6, atol=1e-8 * abs(value))


def test_the_mean_lies_between_the_customers_own_and_the_populations() -> None:
    few, many = SPEND.expected_spends(spends((1, 100.0), (500, 100.0)))

    assert SPEND.typical_spend == pytest.approx(SPEND.v * SPEND.p / (SPEND.q - 1))
    assert SPEND.typical_spend < few < many < 100.0
    assert many == pytest.approx(100.0, rel=1e-2)


def test_who_has_no_spend_to_go_by_gets_the_populations_mean() -> None:
    found = SPEND.expected_spends(spends((0, 0.0), (0, 99.0), (2, 0.0), (3, -8.0)))

    assert found.tolist() == [SPEND.typical_spend] * 4


def test_where_the_population_has_no_mean_its_median_customer_stands_in() -> None:
    model, draw = GammaGamma(2.0, 0.7, 10.0), np.random.default_rng(1)
    means = model.p / draw.gamma(model.q, 1.0 / model.v, 400_000)

    assert not model.has_mean
    assert model.typical_spend == pytest.approx(np.median(means), rel=0.01)
    assert model.expected_spends(spends((0, 0.0)))[0] == model.typical_spend


def test_where_not_even_a_repeat_purchase_gives_a_mean_it_is_the_customers_own() -> None:
    model = GammaGamma(0.1, 0.7, 10.0)

    found = model.expected_spends(spends((1, 40.0), (2, 40.0), (3, 40.0), (20, 40.0)))

    assert found[:3].tolist() == [40.0, 40.0, 40.0]
    assert found[3] == pytest.approx(0.1 * (10 + 20 * 40) / (0.1 * 20 + 0.7 - 1))


@settings(max_examples=60, deadline=None)
@given(
    model=st.builds(GammaGamma, logs, logs, logs),
    rows=st.lists(st.tuples(st.sampled_from([0, 1, 2, 1000]), st.floats(1e-9, 1e9)), min_size=1),
)
def test_nothing_is_ever_missing_or_infinite(
    model: GammaGamma, rows: list[tuple[float, float]]
) -> None:
    seen = spends(*rows)
    kept = seen.with_spend()

    assert np.isfinite(model.log_likelihoods(kept)).all()
    assert np.isfinite(model.log_likelihood_and_gradient(kept)[1]).all()
    assert np.isfinite(model.expected_spends(seen)).all()
    assert (model.expected_spends(seen) > 0.0).all()


def test_another_currency_changes_the_likelihood_by_a_constant_only() -> None:
    seen = random_spends()
    pence = SpendHistories(seen.repeat_counts, seen.mean_spends * 100, seen.customer_counts)
    in_pence = SPEND.in_currency(100.0)

    found = in_pence.log_likelihoods(pence)

    np.testing.assert_allclose(found, SPEND.log_likelihoods(seen) - np.log(100.0), rtol=1e-10)
    np.testing.assert_allclose(in_pence.expected_spends(pence), SPEND.expected_spends(seen) * 100)


def test_simulated_customers_spend_what_is_expected_of_them() -> None:
    """Customers of nearly the same mean after three purchases, and what their fourth is worth."""
    draw = np.random.default_rng(9)
    rates = draw.gamma(SPEND.q, 1.0 / SPEND.v, 1_000_000)
    means = draw.gamma(3 * SPEND.p, 1.0 / (3 * rates))
    alike = np.abs(means - 50.0) < 1.0

    expected = SPEND.expected_spends(spends((3, 50.0)))[0]

    fourth = draw.gamma(SPEND.p, 1.0 / rates[alike])
    assert expected == pytest.approx(fourth.mean(), abs=5 * fourth.std() / np.sqrt(alike.sum()))


def test_the_correlation_of_frequency_and_spend_is_weighted() -> None:
    seen = spends((0, 0.0), (1, 5.0), (1, 5.0), (2, 9.0), (4, 3.0))
    weighted = SpendHistories(
        np.array([1.0, 2.0, 4.0]), np.array([5.0, 9.0, 3.0]), np.array([2.0, 1.0, 1.0])
    )

    expected = np.corrcoef([1, 1, 2, 4], [5, 5, 9, 3])[0, 1]

    assert correlation_of_frequency_and_spend(seen) == pytest.approx(expected)
    assert correlation_of_frequency_and_spend(weighted) == pytest.approx(expected)
    assert correlation_of_frequency_and_spend(spends((1, 5.0), (2, 5.0))) == 0.0
    assert correlation_of_frequency_and_spend(spends((0, 0.0))) == 0.0
    simulated = simulated_spends(SPEND, np.full(50_000, 3.0) + np.arange(50_000) % 5, seed=2)
    assert abs(correlation_of_frequency_and_spend(simulated)) < 0.05


def test_parameters_are_positive() -> None:
    with pytest.raises(LifetimeError, match="parameter q of GammaGamma must be positive"):
        GammaGamma(1.0, 0.0, 1.0)
