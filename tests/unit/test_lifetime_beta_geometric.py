"""BG/NBD and MBG/NBD against their stories: integrals over customers, and customers by chance."""

import numpy as np
import pytest
from scipy.special import hyp2f1, roots_genlaguerre, roots_jacobi

from segspark.errors import LifetimeError
from segspark.lifetime.arrays import Floats
from segspark.lifetime.bg_nbd import BgNbd
from segspark.lifetime.histories import PurchaseHistories
from segspark.lifetime.mbg_nbd import MbgNbd
from segspark.lifetime.until_drop_out import expected_until_drop_out
from tests.lifetimes import BG, MBG, histories, simulated

DROP_OUTS = [0.02, 0.3, 0.999, 0.9995, 1.0, 1.0005, 1.001, 1.7, 12.0]
ROWS = [(0.0, 0.0, 40.0), (1.0, 3.0, 40.0), (5.0, 20.0, 21.0), (40.0, 500.0, 700.0)]
Kind = type[BgNbd] | type[MbgNbd]


def by_integration(shape: float, a: float, b: float, span: float) -> float:
    """The expectation over p, by a rule that is exact for polynomials under Beta(a, b)."""
    points, weights = roots_jacobi(400, b - 1.0, a - 1.0)
    p = 0.5 * (points + 1.0)
    values = -np.expm1(-shape * np.log1p(p * span)) / p
    return float(weights @ values / weights.sum())


@pytest.mark.parametrize("a", DROP_OUTS)
@pytest.mark.parametrize(
    ("shape", "b", "span"), [(0.3, 2.4, 9.0), (41.0, 43.0, 0.4), (0.2, 0.2, 9.0)]
)
def test_purchases_until_drop_out_are_an_integral_over_the_chance_to_drop_out(
    a: float, shape: float, b: float, span: float
) -> None:
    found = expected_until_drop_out(np.array([shape]), a, np.array([b]), np.array([span]))

    assert found[0] == pytest.approx(by_integration(shape, a, b, span), rel=1e-8)


@pytest.mark.parametrize(
    ("shape", "a", "b", "span"),
    [
        (7.065669561181519, 4.439290548913605, 79.27119649659666, 5.65029331866081),
        (17.5591265838214, 26.50722846098216, 18.351086553878645, 2.343503941212039),
        (22.494595567264554, 2.356255847435864, 85.36243112480827, 329.3586326502247),
    ],
)
def test_purchases_until_drop_out_are_right_where_pfaffs_form_is_wrong_without_a_sign(
    shape: float, a: float, b: float, span: float
) -> None:
    found = expected_until_drop_out(np.array([shape]), a, np.array([b]), np.array([span]))

    assert found[0] == pytest.approx(by_integration(shape, a, b, span), rel=1e-8)


@pytest.mark.parametrize("a", [0.02, 0.7, 20.0])
def test_the_change_of_method_where_the_series_overflows_is_not_to_be_seen(a: float) -> None:
    spans = np.linspace(0.95, 1.15, 41)
    shape, b = np.full(41, 1000.0), np.full(41, 2.4)

    found = expected_until_drop_out(shape, a, b, spans)

    with np.errstate(over="ignore"):
        finite = np.isfinite(hyp2f1(shape, b, a + b - 1.0, spans / (1.0 + spans)))
    assert 0 < finite.sum() < 41
    assert np.abs(np.diff(np.log(found), 3)).max() < 1e-6


@pytest.mark.parametrize("step", [1e-9, 1e-6, 1e-4, 1e-3])
def test_the_change_of_method_near_the_pole_is_not_to_be_seen(step: float) -> None:
    shape, b = np.array([0.2, 9.0, 900.0]), np.array([0.01, 9.0, 900.0])
    span = np.array([90.0, 3.0, 0.01])

    below, at, above = (
        expected_until_drop_out(shape, a, b, span) for a in (1.0 - step, 1.0, 1.0 + step)
    )

    np.testing.assert_allclose((below + above) / 2.0, at, rtol=1e-8 + step**2)


@pytest.mark.parametrize("kind", [BgNbd, MbgNbd])
@pytest.mark.parametrize("a", [0.3, 1.0, 1.7])
def test_expected_purchases_are_those_of_customers_drawn_from_the_posterior(
    kind: Kind, a: float
) -> None:
    model, horizon, draw = kind(0.6, 8.0, a, 2.5), 50.0, np.random.default_rng(3)
    for x, t_x, age in ROWS[:3]:
        # Given alive, each of x purchases, and in MBG/NBD the first too, was survived.
        rate = draw.gamma(model.r + x, 1.0 / (model.alpha + age), 400_000)
        p = draw.beta(model.a, model.b + x + model.chances_at_start, 400_000)
        drawn = -np.expm1(-rate * p * horizon) / p
        waits = -np.expm1(-rate * horizon)
        one = histories((x, t_x, age))
        alive = model.probabilities_alive(one)[0]

        expected = model.expected_purchases(one, horizon)[0]
        bought = model.purchase_probabilities(one, horizon)[0]

        error = 5 * drawn.std() / np.sqrt(len(drawn))
        assert expected == pytest.approx(alive * drawn.mean(), abs=alive * error)
        error = 5 * waits.std() / np.sqrt(len(waits))
        assert bought == pytest.approx(alive * waits.mean(), abs=alive * error)


@pytest.mark.parametrize("model", [BG, MBG])
@pytest.mark.parametrize("row", ROWS)
def test_the_likelihood_is_the_customers_integrated_over_rates_and_chances(
    model: BgNbd | MbgNbd, row: tuple[float, float, float]
) -> None:
    x, t_x, age = row
    chances = x + model.chances_at_start
    points, weights = roots_genlaguerre(60, model.r - 1.0)
    p, p_weights = roots_jacobi(60, model.b - 1.0, model.a - 1.0)
    p = 0.5 * (p + 1.0)

    def log_rate_part(time: float) -> float:
        rate = points / (model.alpha + time)
        scale = model.r * np.log(model.alpha / (model.alpha + time))
        return float(scale + np.log(weights @ rate**x / weights.sum()))

    def chance(values: Floats) -> float:
        return float(p_weights @ values / p_weights.sum())

    alive = log_rate_part(age) + np.log(chance((1.0 - p) ** chances))
    gone = -np.inf
    if chances:
        gone = log_rate_part(t_x) + np.log(chance(p * (1.0 - p) ** (chances - 1.0)))
    one = histories(row)

    both = np.logaddexp(alive, gone)
    assert model.log_likelihoods(one)[0] == pytest.approx(both, rel=1e-9)
    assert model.probabilities_alive(one)[0] == pytest.approx(np.exp(alive - both), rel=1e-8)


@pytest.mark.parametrize("kind", [BgNbd, MbgNbd])
def test_new_customers_buy_as_often_as_simulated_ones(kind: Kind) -> None:
    model = kind(0.8, 10.0, 0.9, 2.0)
    counts = simulated(model, np.full(200_000, 52.0), seed=5).repeat_counts

    expected = model.expected_purchases_of_a_new_customer(52.0)

    assert expected == pytest.approx(counts.mean(), abs=5 * counts.std() / np.sqrt(len(counts)))


def test_the_probabilities_of_purchase_counts_are_those_of_simulated_customers() -> None:
    model = BgNbd(0.8, 10.0, 0.9, 2.0)
    counts = simulated(model, np.full(200_000, 52.0), seed=5).repeat_counts

    found = model.purchase_count_probabilities(np.arange(5.0), 52.0)

    shares = [(counts == count).mean() for count in range(5)]
    np.testing.assert_allclose(found, shares, atol=5 * np.sqrt(0.25 / len(counts)))


def test_the_probabilities_of_purchase_counts_add_up_to_one_with_the_expected_mean() -> None:
    counts = np.arange(20_000.0)

    found = BG.purchase_count_probabilities(counts, 39.0)

    assert found.sum() == pytest.approx(1.0, abs=1e-9)
    assert found @ counts == pytest.approx(BG.expected_purchases_of_a_new_customer(39.0), rel=1e-8)
    assert BG.purchase_count_probabilities(np.arange(3.0), 0.0).tolist() == [1.0, 0.0, 0.0]
    with pytest.raises(LifetimeError, match="counted from 0 on"):
        BG.purchase_count_probabilities(np.array([-1.0]), 39.0)


def test_without_a_repeat_bg_nbd_is_sure_of_life_and_mbg_nbd_is_not() -> None:
    one = histories((0, 0, 39), (0, 0, 0))

    assert BG.probabilities_alive(one).tolist() == [1.0, 1.0]
    assert MBG.probabilities_alive(one)[1] == pytest.approx(MBG.b / (MBG.a + MBG.b))
    assert BG.purchase_probabilities(one, 30.0)[0] < 0.2


def test_a_million_purchases_are_no_trouble() -> None:
    ones = np.ones(2)
    many = PurchaseHistories(ones * 1e6, np.array([1.0, 999.0]), ones * 1000.0, ones)

    for model in (BG, MBG):
        assert np.isfinite(model.log_likelihoods(many)).all()
        assert model.probabilities_alive(many)[0] == 0.0
        assert np.isfinite(model.expected_purchases(many, 1e4)).all()
