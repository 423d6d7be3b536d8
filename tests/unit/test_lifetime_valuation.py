import numpy as np
import pytest

from segspark.errors import LifetimeError
from segspark.lifetime.bg_nbd import BgNbd
from segspark.lifetime.mbg_nbd import MbgNbd
from segspark.lifetime.pareto_nbd import ParetoNbd
from segspark.lifetime.valuation import (
    DAYS_OF_A_MONTH,
    Periods,
    discounted_purchases,
    lifetime_values,
    months,
)
from tests.lifetimes import MODELS, PARETO, histories, random_histories


def test_months_are_a_twelfth_of_a_year_at_the_rate_that_compounds_to_the_years() -> None:
    found = months(12, yearly_discount_rate=0.1)

    assert found.length == 365.25 / 12 == DAYS_OF_A_MONTH
    assert (1 + found.discount_rate) ** 12 == pytest.approx(1.1)
    assert months(3, yearly_discount_rate=0.0, unit_days=7.0) == Periods(365.25 / 84, 3, 0.0)


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_each_period_is_discounted_to_now_from_its_end(
    model: BgNbd | MbgNbd | ParetoNbd,
) -> None:
    seen = random_histories()
    ends = [model.expected_purchases(seen, time) for time in (0.0, 4.0, 8.0, 12.0)]

    found = discounted_purchases(model, seen, Periods(4.0, 3, 0.25))

    parts = [(ends[k] - ends[k - 1]) / 1.25**k for k in (1, 2, 3)]
    np.testing.assert_allclose(found, sum(parts), rtol=1e-8)


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_without_a_discount_the_periods_add_up_to_their_whole(
    model: BgNbd | MbgNbd | ParetoNbd,
) -> None:
    seen = random_histories()

    found = discounted_purchases(model, seen, Periods(5.0, 8, 0.0))

    np.testing.assert_allclose(found, model.expected_purchases(seen, 40.0), rtol=1e-9)


def test_short_periods_for_long_come_to_the_discounted_residual_purchases() -> None:
    seen = random_histories(5)

    found = discounted_purchases(PARETO, seen, Periods(0.5, 4_000, np.expm1(0.5 * 0.01)))

    expected = PARETO.discounted_residual_purchases(seen, 0.01)
    np.testing.assert_allclose(found, expected, rtol=5e-3)


def test_a_value_is_the_purchases_times_the_spend_of_the_row() -> None:
    seen, periods = random_histories(3), months(12, yearly_discount_rate=0.1, unit_days=7.0)
    spends = np.array([10.0, 0.0, 2.5])

    found = lifetime_values(PARETO, seen, spends, periods)

    np.testing.assert_allclose(found, discounted_purchases(PARETO, seen, periods) * spends)


def test_a_spend_is_needed_for_every_row() -> None:
    one, period = histories((0, 0, 5)), Periods(1.0, 1, 0.0)
    with pytest.raises(LifetimeError, match="there are 1 histories, 2 spends"):
        lifetime_values(PARETO, one, [1.0, 2.0], period)
    with pytest.raises(LifetimeError, match="spends must be finite numbers, and row 0"):
        lifetime_values(PARETO, one, [np.nan], period)


@pytest.mark.parametrize(
    ("length", "count", "rate", "sentence"),
    [
        (0.0, 1, 0.1, "a period must be longer than 0"),
        (np.nan, 1, 0.1, "a period must be longer than 0"),
        (1.0, 0, 0.1, "needs a period at least, not 0"),
        (1.0, 1, -0.1, "a discount rate must be a ratio of 0 or more, not -0.1"),
        (1.0, 1, np.inf, "a discount rate must be a ratio"),
    ],
)
def test_periods_that_cannot_be_are_refused(
    length: float, count: int, rate: float, sentence: str
) -> None:
    with pytest.raises(LifetimeError, match=sentence):
        Periods(length, count, rate)


def test_months_that_cannot_be_are_refused() -> None:
    with pytest.raises(LifetimeError, match="a discount rate must be a ratio of 0 or more, not -2"):
        months(12, yearly_discount_rate=-2.0)
    with pytest.raises(LifetimeError, match="a unit of time must be longer than 0 days, not 0"):
        months(12, yearly_discount_rate=0.1, unit_days=0.0)
