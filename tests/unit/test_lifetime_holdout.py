from dataclasses import replace

import numpy as np
import pytest

from segspark.errors import LifetimeError
from segspark.lifetime.bg_nbd import BgNbd
from segspark.lifetime.choice import Choice, choose_models, fold_days
from segspark.lifetime.fitted import FittedModels, SpendBasis, Statistics, fit_models
from segspark.lifetime.forecast_scores import ForecastScores
from segspark.lifetime.holdout import (
    HISTORIC_SPEND,
    NAIVE_RATE,
    PURCHASES,
    RECENCY_CUT_OFF,
    VALUE,
    FoldResult,
    evaluate_fold,
    is_model,
    purchase_forecasts,
    rank_methods,
    value_forecasts,
    value_method,
)
from segspark.lifetime.observed import Fold, ObservedCustomers
from tests.lifetimes import Shop, cdnow, histories, known_answers, simulated

SAMPLE = known_answers()["cdnow_sample"]
EMPTY = rank_methods(PURCHASES, ())


def fold_of(shop: Shop, *, unit_days: float, days: float) -> Fold:
    seen = shop.histories.in_time_unit(unit_days)
    customers = ObservedCustomers(seen, shop.spends.mean_spends, shop.day_means)
    return Fold("1997-09-30", days, customers, shop.later_counts, shop.later_amounts)


@pytest.fixture(scope="module")
def held_out() -> FoldResult:
    return evaluate_fold(fold_of(cdnow(), unit_days=7.0, days=273.0))


def scored(predicted: float, error: float, gini: float) -> ForecastScores:
    return ForecastScores(predicted, 100.0, error, gini, 2.0)


def result(**scores: ForecastScores) -> FoldResult:
    return FoldResult("2024-01-01", 90.0, 10, {PURCHASES: scores, VALUE: scores}, {}, {})


def test_cdnows_hold_out_table_is_the_published_one(held_out: FoldResult) -> None:
    for title, column in (("BG/NBD", "bgnbd"), ("Pareto/NBD", "pnbd")):
        scores = held_out.scores[PURCHASES][title]
        assert scores.predicted_total == pytest.approx(SAMPLE["holdout_totals"][column], rel=1e-3)
        assert scores.actual_total == SAMPLE["holdout_totals"]["actual"]
        published = SAMPLE["holdout_by_calibration_frequency"]
        found = {str(group.repeat_count): group for group in held_out.groups[title]}
        assert list(found) == list(published)
        for name, row in published.items():
            assert found[name].customer_count == row["n"]
            assert found[name].actual_mean == pytest.approx(row["actual"], abs=1e-9)
            assert found[name].predicted_mean == pytest.approx(row[column], abs=1e-3)


def test_on_cdnow_spend_of_repeat_days_alone_ranks_worse_than_historic_spend(
    held_out: FoldResult,
) -> None:
    value = held_out.scores[VALUE]
    title = "Pareto/NBD"

    gini = {basis: value[value_method(title, basis)].gini or 0.0 for basis in SpendBasis}
    historic = value[HISTORIC_SPEND].gini or 0.0

    assert gini[SpendBasis.REPEAT_DAYS] < historic < gini[SpendBasis.ALL_DAYS]


def test_every_method_is_scored_in_a_fold(held_out: FoldResult) -> None:
    titles = {"BG/NBD", "MBG/NBD", "Pareto/NBD"}
    assert set(held_out.scores[PURCHASES]) == {*titles, NAIVE_RATE, RECENCY_CUT_OFF}
    assert set(held_out.scores[VALUE]) == {
        HISTORIC_SPEND, *(value_method(title, basis) for title in titles for basis in SpendBasis)
    }  # fmt: skip
    assert held_out.failures == {}


@pytest.fixture(scope="module")
def fitted() -> FittedModels:
    rows = simulated(BgNbd(0.8, 30.0, 0.7, 2.0), np.full(400, 200.0), seed=1)
    luck = np.random.default_rng(1)
    repeats = np.where(rows.repeat_counts > 0.0, luck.gamma(6.0, 2.0, 400), 0.0)
    customers = ObservedCustomers(rows, repeats, luck.gamma(6.0, 2.0, 400))
    return fit_models(Statistics.of(customers))


def few(*, days: float) -> Fold:
    """Customers whose mean waits are 20, 5 and 10 days, and two without a repeat purchase."""
    seen = histories((0, 0, 10), (0, 0, 50), (2, 40, 80), (4, 20, 100), (1, 10, 12))
    means = np.array([9.0, 3.0, 10.0, 20.0, 6.0])
    customers = ObservedCustomers(seen, np.array([0.0, 0.0, 12.0, 21.0, 5.0]), means)
    return Fold("2024-01-01", days, customers, np.ones(5), np.ones(5))


def test_purchases_of_a_hold_out_are_forecast_for_its_days(fitted: FittedModels) -> None:
    fold = few(days=30.0)

    found = purchase_forecasts(fold, fitted)

    # Silent for 40, 80 and 2 days: the cut-off lies between 10 and 20.
    assert found[NAIVE_RATE] == pytest.approx([0.0, 0.0, 60 / 80, 120 / 100, 30 / 12])
    assert found[RECENCY_CUT_OFF] == pytest.approx([0.0, 0.0, 0.0, 0.0, 30 / 12])
    for title, fit in fitted.purchases.items():
        expected = fit.model.expected_purchases(fold.customers.histories, 30.0)
        np.testing.assert_array_equal(found[title], expected)
    assert set(found) == {NAIVE_RATE, RECENCY_CUT_OFF, "BG/NBD", "MBG/NBD", "Pareto/NBD"}


def test_the_value_of_a_hold_out_is_purchases_times_spend_and_the_past_prorated_to_its_days(
    fitted: FittedModels,
) -> None:
    fold = few(days=30.0)
    purchases = {title: np.arange(1.0, 6.0) for title in fitted.purchases}

    found = value_forecasts(fold, fitted, purchases)

    # Spent 9, 3, 30, 100 and 12; who is younger than 30 days spends as much again.
    expected = [9.0, 3.0 * 30 / 50, 30.0 * 30 / 80, 100.0 * 30 / 100, 12.0]
    assert found[HISTORIC_SPEND] == pytest.approx(expected)
    assert len(found) == 1 + 3 * 3
    for title in fitted.purchases:
        for basis in SpendBasis:
            spends = fitted.expected_spends(fold.customers, basis)
            values = found[value_method(title, basis)]
            np.testing.assert_allclose(values, np.arange(1.0, 6.0) * spends)


def test_the_lowest_mean_rank_over_error_gini_and_total_wins() -> None:
    # Ranks: A 2, 1, 1 and 1, 2, 2; B 1, 2, 3 and 2, 1, 1; C 3, 3, 2 and 3, 3, 3.
    first = {"A": scored(100, 2.0, 0.9), "B": scored(300, 1.0, 0.8), "C": scored(200, 3.0, 0.7)}
    second = {"A": scored(50, 1.0, 0.8), "B": scored(101, 2.0, 0.9), "C": scored(1, 3.0, 0.7)}

    found = rank_methods(PURCHASES, [result(**first), result(**second)])

    assert found.mean_ranks == pytest.approx({"A": 9 / 6, "B": 10 / 6, "C": 17 / 6})
    assert list(found.mean_ranks) == ["A", "B", "C"]
    assert found.winner == "A"
    assert found.verdict.startswith("purchases: A wins the hold-out (mean rank 1.5 of 3 over 2")
    assert "totals 100% of the actual and 50% of the actual)" in found.verdict


def test_a_method_that_misses_a_fold_is_not_ranked_and_ties_go_to_the_smaller_error() -> None:
    tie = {"A": scored(100, 2.0, 0.9), "B": scored(110, 1.0, 0.9)}
    found = rank_methods(VALUE, [result(**tie, C=scored(100, 0.1, 0.9)), result(**tie)])
    assert list(found.mean_ranks) == ["B", "A"]
    assert found.mean_ranks["A"] == found.mean_ranks["B"] == pytest.approx(4 / 3)


def test_a_baseline_that_wins_is_called_one() -> None:
    scores = {NAIVE_RATE: scored(100, 1.0, 0.9), "BG/NBD": scored(50, 2.0, 0.8)}
    found = rank_methods(PURCHASES, [result(**scores)])
    assert found.verdict == (
        "purchases: a baseline, naive rate, wins the hold-out (mean rank 1.0 of 2 over one fold "
        "alone, totals 100% of the actual); the best model, BG/NBD, has 2.0"
    )


def test_purchases_at_everybodys_mean_spend_are_a_baseline() -> None:
    assert not is_model(value_method("BG/NBD", SpendBasis.EVERYBODY))
    assert is_model(value_method("BG/NBD", SpendBasis.ALL_DAYS))


def test_without_folds_nothing_is_ranked_and_the_sentence_says_so() -> None:
    assert (EMPTY.winner, dict(EMPTY.mean_ranks)) == (None, {})
    assert EMPTY.verdict.startswith("purchases: no hold-out could be made")


def test_customers_are_valued_with_the_pair_of_models_that_forecasts_value_best(
    fitted: FittedModels,
) -> None:
    order = (
        HISTORIC_SPEND,
        value_method("BG/NBD", SpendBasis.EVERYBODY),
        value_method("MBG/NBD", SpendBasis.ALL_DAYS),
    )
    value = replace(EMPTY, mean_ranks=dict.fromkeys(order, 1.0))

    assert choose_models(fitted, value=value) == Choice("BG/NBD", SpendBasis.EVERYBODY)
    assert choose_models(fitted, value=EMPTY) == Choice("MBG/NBD", SpendBasis.ALL_DAYS)
    alone = replace(EMPTY, mean_ranks={HISTORIC_SPEND: 1.0})
    assert choose_models(fitted, value=alone) == Choice("MBG/NBD", SpendBasis.ALL_DAYS)


def test_a_model_that_has_not_converged_comes_last(fitted: FittedModels) -> None:
    poor = replace(fitted.purchases["MBG/NBD"], is_converged=False)
    changed = replace(fitted, purchases={**fitted.purchases, "MBG/NBD": poor})
    best = value_method("MBG/NBD", SpendBasis.REPEAT_DAYS)
    then = value_method("Pareto/NBD", SpendBasis.EVERYBODY)
    value = replace(EMPTY, mean_ranks={best: 1.0, then: 2.0})

    assert choose_models(changed, value=EMPTY) == Choice("BG/NBD", SpendBasis.ALL_DAYS)
    assert choose_models(changed, value=value) == Choice("Pareto/NBD", SpendBasis.EVERYBODY)
    assert choose_models(changed, value=replace(value, mean_ranks={best: 1.0})) == Choice(
        "MBG/NBD", SpendBasis.REPEAT_DAYS
    )


def test_where_all_spend_the_same_gamma_gamma_is_a_sentence_and_everybodys_mean_prices() -> None:
    rows = simulated(BgNbd(0.8, 30.0, 0.7, 2.0), np.full(400, 200.0), seed=1)
    found = fit_models(Statistics.of(ObservedCustomers(rows, np.ones(400), np.ones(400))))
    assert found.bases == (SpendBasis.EVERYBODY,)
    assert "all 400 customers spend 1 on average" in found.failures[SpendBasis.ALL_DAYS]
    assert choose_models(found, value=EMPTY) == Choice("MBG/NBD", SpendBasis.EVERYBODY)


def test_what_cannot_be_fitted_is_a_sentence_for_each_model() -> None:
    once = ObservedCustomers(
        histories(*[(0, 0, age) for age in range(20)]), np.zeros(20), np.full(20, -1.0)
    )
    fitted = fit_models(Statistics.of(once))
    assert not fitted.purchases
    assert not fitted.spends
    assert len(fitted.failures) == 5
    assert "none of the 20 customers has bought again" in fitted.failures["BG/NBD"]
    assert choose_models(fitted, value=EMPTY) is None


def test_a_fold_in_which_nobody_buys_is_refused() -> None:
    five = ObservedCustomers(histories(*[(0, 0, 9)] * 5), np.zeros(5), np.ones(5))
    with pytest.raises(LifetimeError, match="nobody of 5 customers bought in the 30 days after"):
        evaluate_fold(Fold("2024-01-01", 30.0, five, np.zeros(5), np.zeros(5)))


def test_five_customers_leave_the_baselines() -> None:
    five = ObservedCustomers(histories(*[(1, 4, 9)] * 5), np.ones(5), np.ones(5))
    found = evaluate_fold(Fold("2024-01-01", 30.0, five, np.arange(5.0), np.arange(5.0)))
    assert set(found.scores[PURCHASES]) == {NAIVE_RATE, RECENCY_CUT_OFF}
    assert set(found.scores[VALUE]) == {HISTORIC_SPEND}
    assert "5 customers are too few" in found.failures["BG/NBD"]


def test_folds_leave_a_calibration_as_long_as_themselves_or_are_none() -> None:
    assert fold_days(1_000, wanted_days=180) == 180
    assert fold_days(364, wanted_days=180) == 121
    assert fold_days(21, wanted_days=180) == 7
    assert fold_days(20, wanted_days=180) is None
