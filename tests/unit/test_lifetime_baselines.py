import numpy as np
import pytest

from segspark.lifetime.baselines import (
    active_purchases,
    historic_spend,
    mean_spend,
    naive_purchases,
    recency_cut_off,
)
from segspark.lifetime.observed import ObservedCustomers
from tests.lifetimes import histories

SEEN = histories((0, 0, 0), (0, 0, 50), (2, 40, 80), (4, 20, 100), (1, 10, 12))
CUSTOMERS = ObservedCustomers(SEEN, np.zeros(5), np.array([9.0, 3.0, 10.0, 20.0, 6.0]))


def test_the_naive_rate_goes_on_and_is_zero_at_age_zero() -> None:
    assert naive_purchases(SEEN, 40.0) == pytest.approx([0.0, 0.0, 1.0, 1.6, 40 / 12])


def test_the_cut_off_is_the_wait_that_nine_in_ten_do_not_exceed() -> None:
    assert recency_cut_off(SEEN) == pytest.approx(np.quantile([20.0, 5.0, 10.0], 0.9))
    assert recency_cut_off(histories((0, 0, 9))) == 0.0


def test_who_is_past_the_cut_off_buys_nothing() -> None:
    found = active_purchases(SEEN, 40.0, cut_off=40.0)
    assert found == pytest.approx([0.0, 0.0, 1.0, 0.0, 40 / 12])


def test_historic_spend_is_prorated_but_never_more_than_was_spent() -> None:
    assert historic_spend(CUSTOMERS, 40.0) == pytest.approx([9.0, 2.4, 15.0, 40.0, 12.0])


def test_the_mean_spend_is_of_days_and_not_of_customers() -> None:
    assert mean_spend(CUSTOMERS) == pytest.approx((9 + 3 + 30 + 100 + 12) / (1 + 1 + 3 + 5 + 2))
    nobody = ObservedCustomers(histories(), np.zeros(0), np.zeros(0))
    assert mean_spend(nobody) == 0.0
