"""What holds for every model of purchases: likelihoods, gradients, and expectations in range."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segspark.errors import LifetimeError
from segspark.lifetime.arrays import Floats
from segspark.lifetime.bg_nbd import BgNbd
from segspark.lifetime.histories import PurchaseHistories
from segspark.lifetime.mbg_nbd import MbgNbd
from segspark.lifetime.parameters import from_log_parameters, log_parameters
from segspark.lifetime.pareto_nbd import ParetoNbd
from segspark.lifetime.purchase_models import PurchaseModel
from tests.lifetimes import KINDS, MODELS, histories, random_histories

Kind = type[BgNbd] | type[MbgNbd] | type[ParetoNbd]
Model = BgNbd | MbgNbd | ParetoNbd

ODD_MODELS: list[Model] = [
    *MODELS,
    BgNbd(0.8, 69.0, 0.0034, 6.7),
    BgNbd(20.0, 0.5, 1.0, 0.05),
    MbgNbd(0.05, 500.0, 30.0, 12.0),
    ParetoNbd(2.0, 0.01, 0.3, 50.0),
    ParetoNbd(0.2, 50.0, 3.0, 0.05),
    ParetoNbd(0.2, 50.0, 30.0, 500.0),
]

shapes = st.floats(min_value=-5.0, max_value=4.0).map(np.exp)
rates = st.floats(min_value=-5.0, max_value=7.0).map(np.exp)
kinds: st.SearchStrategy[Kind] = st.sampled_from(KINDS)


@st.composite
def models(draw: st.DrawFn) -> Model:
    kind = draw(kinds)
    last = rates if kind is ParetoNbd else shapes
    return kind(draw(shapes), draw(rates), draw(shapes), draw(last))


@st.composite
def rows(draw: st.DrawFn) -> tuple[float, float, float]:
    age = draw(st.sampled_from([0.0, 1e-3, 1.0, 39.0, 5000.0]) | st.floats(1e-6, 1000.0))
    x = float(draw(st.sampled_from([0, 1, 2, 1000]) | st.integers(0, 100))) if age > 0 else 0.0
    share = draw(st.sampled_from([1e-3, 0.5, 1.0]))
    return (x, share * age if x else 0.0, age)


some_histories = st.lists(rows(), min_size=1, max_size=8).map(lambda found: histories(*found))


def outputs(model: PurchaseModel, of: PurchaseHistories, horizon: float) -> list[Floats]:
    return [
        model.log_likelihoods(of),
        model.log_likelihood_and_gradient(of)[1],
        model.probabilities_alive(of),
        model.expected_purchases(of, horizon),
        model.purchase_probabilities(of, horizon),
        np.array([model.expected_purchases_of_a_new_customer(horizon)]),
    ]


@pytest.mark.parametrize("model", ODD_MODELS, ids=str)
def test_the_gradient_is_that_of_the_log_likelihood(model: Model) -> None:
    seen, step = random_histories(), 1e-5
    value, gradient = model.log_likelihood_and_gradient(seen)
    centre = log_parameters(model)

    def at(point: Floats) -> float:
        return from_log_parameters(type(model), point).log_likelihood_and_gradient(seen)[0]

    differences = [(at(centre + d) - at(centre - d)) / (2 * step) for d in np.eye(4) * step]

    assert value == pytest.approx(seen.customer_counts @ model.log_likelihoods(seen), rel=1e-12)
    np.testing.assert_allclose(gradient, differences, rtol=1e-6, atol=1e-8 * abs(value))


@settings(max_examples=60, deadline=None)
@given(model=models(), seen=some_histories, horizon=st.sampled_from([0.0, 1e-6, 1.0, 365.0, 1e5]))
def test_nothing_is_ever_missing_or_infinite_or_out_of_range(
    model: Model, seen: PurchaseHistories, horizon: float
) -> None:
    found = outputs(model, seen, horizon)

    assert all(np.isfinite(array).all() for array in found)
    _, _, alive, expected, bought, new = found
    for probabilities in (alive, bought):
        assert (probabilities >= 0.0).all()
        assert (probabilities <= 1.0).all()
    assert (bought <= alive).all()
    # At least one purchase on average where one is certain: Markov's inequality.
    assert (bought <= expected * (1 + 1e-8)).all()
    assert new[0] >= 0.0


@settings(max_examples=60, deadline=None)
@given(model=models(), seen=some_histories, horizon=st.floats(0.0, 1000.0))
def test_a_longer_horizon_never_has_fewer_purchases(
    model: Model, seen: PurchaseHistories, horizon: float
) -> None:
    for shorter, longer in ((horizon, horizon * 1.01), (horizon, horizon + 30.0)):
        for method in (model.expected_purchases, model.purchase_probabilities):
            before, after = method(seen, shorter), method(seen, longer)
            assert (after >= before * (1 - 1e-8)).all()


@pytest.mark.parametrize("model", ODD_MODELS, ids=str)
def test_nothing_is_bought_in_no_time(model: Model) -> None:
    seen = random_histories()

    assert not model.expected_purchases(seen, 0.0).any()
    assert not model.purchase_probabilities(seen, 0.0).any()
    assert model.expected_purchases_of_a_new_customer(0.0) == 0.0


@pytest.mark.parametrize("model", ODD_MODELS, ids=str)
def test_in_a_short_time_purchases_come_one_by_one(model: Model) -> None:
    seen, horizon = random_histories(), 1e-7

    expected = model.expected_purchases(seen, horizon)

    np.testing.assert_allclose(model.purchase_probabilities(seen, horizon), expected, rtol=1e-5)


@pytest.mark.parametrize("model", ODD_MODELS, ids=str)
def test_another_unit_of_time_changes_the_likelihood_by_a_constant_only(model: Model) -> None:
    seen = random_histories()
    weeks, in_weeks = seen.in_time_unit(1 / 7), model.in_time_unit(1 / 7)

    shift = seen.repeat_counts * np.log(7.0)

    found = in_weeks.log_likelihoods(weeks)
    np.testing.assert_allclose(found, model.log_likelihoods(seen) + shift, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(
        in_weeks.probabilities_alive(weeks), model.probabilities_alive(seen), rtol=1e-9
    )
    np.testing.assert_allclose(
        in_weeks.expected_purchases(weeks, 10.0), model.expected_purchases(seen, 70.0), rtol=1e-9
    )
    np.testing.assert_allclose(
        in_weeks.purchase_probabilities(weeks, 10.0),
        model.purchase_probabilities(seen, 70.0),
        rtol=1e-9,
    )


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_a_customer_gets_the_same_answer_whoever_else_is_asked_about(model: Model) -> None:
    seen = random_histories(40)
    part = PurchaseHistories(
        seen.repeat_counts[5:9], seen.last_repeat_times[5:9], seen.ages[5:9], np.ones(4)
    )

    for method in ("expected_purchases", "purchase_probabilities"):
        whole, own = getattr(model, method)(seen, 30.0), getattr(model, method)(part, 30.0)
        np.testing.assert_allclose(own, whole[5:9], rtol=1e-13)
    alive = model.probabilities_alive(seen)[5:9]
    np.testing.assert_allclose(model.probabilities_alive(part), alive, rtol=1e-13)


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_a_weight_is_as_many_equal_rows(model: Model) -> None:
    rows = [(2.0, 3.0, 9.0), (0.0, 0.0, 4.0)]
    weighted = PurchaseHistories(
        *np.array([(*row, w) for row, w in zip(rows, (3, 2), strict=True)]).T
    )
    repeated = histories(*[rows[0]] * 3, *[rows[1]] * 2)

    value, gradient = model.log_likelihood_and_gradient(weighted)
    expected, expected_gradient = model.log_likelihood_and_gradient(repeated)

    assert value == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-12)


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_nobody_has_empty_answers(model: Model) -> None:
    nobody = histories()

    value, gradient = model.log_likelihood_and_gradient(nobody)

    assert (value, gradient.tolist()) == (0.0, [0.0] * 4)
    for array in outputs(model, nobody, 30.0)[2:5]:
        assert array.shape == (0,)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bad", [0.0, -1.0, np.inf, np.nan])
def test_parameters_are_positive_and_finite(kind: Kind, bad: float) -> None:
    with pytest.raises(LifetimeError, match=r"parameter alpha of \w+ must be positive and finite"):
        kind(1.0, bad, 1.0, 1.0)


@pytest.mark.parametrize("model", MODELS, ids=str)
@pytest.mark.parametrize("bad", [-1.0, np.inf, np.nan])
def test_a_horizon_is_a_span_of_time(model: Model, bad: float) -> None:
    with pytest.raises(LifetimeError, match="the horizon must be a span of time"):
        model.expected_purchases(random_histories(3), bad)
    with pytest.raises(LifetimeError, match="the horizon must be a span of time"):
        model.purchase_probabilities(random_histories(3), bad)
