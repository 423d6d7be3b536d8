"""Pareto/NBD against its story, and against the closed form of its likelihood."""

import numpy as np
import pytest
from scipy.special import gammaln, hyp2f1
from scipy.stats import gamma

from segspark.errors import LifetimeError
from segspark.lifetime.arrays import Floats
from segspark.lifetime.pareto_nbd import ParetoNbd
from tests.lifetimes import PARETO, histories, random_histories, simulated

SWAPPED = ParetoNbd(0.6, 11.0, 1.4, 4.0)
ROWS = [(0.0, 0.0, 30.0), (1.0, 3.0, 30.0), (3.0, 20.0, 21.0), (2.0, 30.0, 30.0)]


def closed_form(model: ParetoNbd, x: float, t_x: float, age: float) -> float:
    """Log-likelihood by Fader & Hardie 2005, eq. 18 to 20."""
    r, alpha, s, beta = model.r, model.alpha, model.s, model.beta
    shape, most, least = r + s + x, max(alpha, beta), min(alpha, beta)
    second = s + 1.0 if alpha >= beta else r + x

    def part(time: float) -> float:
        series = hyp2f1(shape, second, shape + 1.0, (most - least) / (most + time))
        return float(series * (most + time) ** -shape)

    alive = (alpha + age) ** -(r + x) * (beta + age) ** -s
    constant = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta)
    return float(constant + np.log(alive + s / shape * (part(t_x) - part(age))))


@pytest.mark.parametrize("model", [PARETO, SWAPPED, ParetoNbd(2.0, 5.0, 0.3, 5.0)], ids=str)
def test_the_log_likelihood_has_the_published_closed_form(model: ParetoNbd) -> None:
    seen = random_histories(40)
    columns = zip(seen.repeat_counts, seen.last_repeat_times, seen.ages, strict=True)

    expected = [closed_form(model, *row) for row in columns]

    np.testing.assert_allclose(model.log_likelihoods(seen), expected, rtol=1e-9)


@pytest.mark.parametrize("row", ROWS)
def test_likelihood_and_purchases_are_integrals_over_the_rates(
    row: tuple[float, float, float],
) -> None:
    model, (x, t_x, age), horizon = ParetoNbd(1.6, 11.0, 1.4, 9.0), row, 20.0
    logs, step = np.linspace(-22.0, 3.0, 800, retstep=True)
    rate, death = np.exp(logs)[:, None], np.exp(logs)[None, :]
    both = rate + death
    density = gamma(model.r, scale=1 / model.alpha).pdf(rate) * rate
    density = density * gamma(model.s, scale=1 / model.beta).pdf(death) * death
    alive = rate**x * np.exp(-both * age) * density
    gone = rate**x * death / both * (np.exp(-both * t_x) - np.exp(-both * age)) * density

    def integrated(values: Floats) -> float:
        return float(values.sum() * step**2)

    one, whole = histories(row), integrated(alive + gone)

    assert np.exp(model.log_likelihoods(one)[0]) == pytest.approx(whole, rel=1e-9)
    found = model.probabilities_alive(one)[0]
    assert found == pytest.approx(integrated(alive) / whole, rel=1e-9)
    found = model.purchase_probabilities(one, horizon)[0]
    bought = integrated(alive * rate / both * -np.expm1(-both * horizon))
    assert found == pytest.approx(bought / whole, rel=1e-9)
    found = model.expected_purchases(one, horizon)[0]
    expected = integrated(alive * rate / death * -np.expm1(-death * horizon))
    assert found == pytest.approx(expected / whole, rel=1e-9)


def test_expected_purchases_pass_smoothly_through_a_shape_of_one() -> None:
    seen = random_histories()
    below, at, above = (
        ParetoNbd(0.5, 9.0, 1.0 + by, 12.0).expected_purchases(seen, 52.0)
        for by in (-1e-7, 0.0, 1e-7)
    )

    np.testing.assert_allclose((below + above) / 2, at, rtol=1e-10)


def test_new_customers_buy_as_often_as_simulated_ones() -> None:
    model = ParetoNbd(0.8, 10.0, 0.7, 20.0)
    counts = simulated(model, np.full(200_000, 52.0), seed=5).repeat_counts

    expected = model.expected_purchases_of_a_new_customer(52.0)

    assert expected == pytest.approx(counts.mean(), abs=5 * counts.std() / np.sqrt(len(counts)))


@pytest.mark.parametrize("model", [PARETO, SWAPPED, ParetoNbd(0.5, 9.0, 1.0, 1e-3)], ids=str)
@pytest.mark.parametrize("rate", [1e-6, 0.0027, 0.5])
def test_discounted_residual_purchases_are_the_purchases_to_come_discounted(
    model: ParetoNbd, rate: float
) -> None:
    seen = random_histories(5)

    # By parts: the rate times the expectations discounted, over the logarithm of time.
    log_times, step = np.linspace(-30.0, 4.5, 350, retstep=True)
    times = np.exp(log_times) / rate
    expected = np.array([model.expected_purchases(seen, time) for time in times])

    found = model.discounted_residual_purchases(seen, rate)

    np.testing.assert_allclose(found, rate * times * np.exp(-rate * times) @ expected * step)


@pytest.mark.parametrize("rate", [0.0, -0.1, np.inf, np.nan])
def test_purchases_without_an_end_need_a_discount(rate: float) -> None:
    with pytest.raises(LifetimeError, match="need a positive discount rate"):
        PARETO.discounted_residual_purchases(random_histories(2), rate)


def test_a_thousand_purchases_then_silence_is_certainly_death() -> None:
    found = PARETO.probabilities_alive(histories((1000, 10, 100), (1000, 100, 100)))

    assert found[0] == pytest.approx(0.0, abs=1e-100)
    assert found[1] == pytest.approx(1.0)
