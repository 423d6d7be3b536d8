"""Permutation importance against every shuffle there is, and against scikit-learn's draws."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from sklearn.inspection import permutation_importance
from sklearn.metrics import balanced_accuracy_score

from segspark.segments.drivers import Driver, permutation_drivers
from segspark.segments.rules import Bound, LabelledCustomers, Rule, fit_surrogate, told_segments
from segspark.settings.segments import ExplanationSettings
from tests.labelled import CHAMPIONS, NAMES, SLEEPING, shop

FEW = LabelledCustomers(
    ("a", "b"),
    np.array([[1.0, 0.0], [2.0, 1.0], [3.0, 0.0], [4.0, 1.0], [5.0, 2.0]]),
    np.array([0, 0, 1, 2, 2]),
)
RULES = (
    Rule((Bound("a", at_most=2.0),), 0),
    Rule((Bound("a", above=2.0), Bound("b", at_most=0.0)), 1),
    Rule((Bound("a", above=2.0), Bound("b", above=0.0)), 2),
)


def importances(drivers: list[Driver], segment: int | None) -> dict[str, float]:
    return {each.name: each.importance for each in drivers if each.segment == segment}


def scored(customers: LabelledCustomers, segment: int | None) -> float:
    truth, told = customers.segments, told_segments(RULES, customers)
    if segment is not None:
        truth, told = truth == segment, told == segment
    return float(balanced_accuracy_score(truth, told))


@pytest.mark.parametrize("segment", [None, 0, 1, 2])
def test_importance_is_what_is_lost_in_the_mean_of_all_shuffles(segment: int | None) -> None:
    found = importances(permutation_drivers(RULES, FEW, segment_count=3), segment)

    for column, name in enumerate(FEW.names):
        lost = []
        for order in permutations(range(5)):
            values = FEW.values.copy()
            values[:, column] = values[list(order), column]
            lost.append(scored(FEW, segment) - scored(replace(FEW, values=values), segment))
        assert found[name] == pytest.approx(np.mean(lost), abs=1e-12)


def test_importance_is_about_what_scikit_learn_draws() -> None:
    surrogate = fit_surrogate(shop(mislabelled=0.2), ExplanationSettings())

    class Told:
        def fit(self) -> None:
            """Nothing is to be learnt."""

    def score(_: Told, values: np.ndarray, truth: np.ndarray) -> float:
        told = told_segments(surrogate.rules, replace(surrogate.held_out, values=values))
        return float(balanced_accuracy_score(truth, told))

    found = permutation_drivers(surrogate.rules, surrogate.held_out, segment_count=3)
    drawn = permutation_importance(
        Told(),
        surrogate.held_out.values,
        surrogate.held_out.segments,
        scoring=score,
        n_repeats=200,
        random_state=0,
    )

    for name, mean in zip(NAMES, drawn["importances_mean"], strict=True):
        assert importances(found, None)[name] == pytest.approx(mean, abs=0.01)


def test_what_was_planted_drives_and_nothing_else_does() -> None:
    surrogate = fit_surrogate(shop(6000), ExplanationSettings())

    found = permutation_drivers(surrogate.rules, surrogate.held_out, segment_count=3)

    overall = importances(found, None)
    assert overall["recency_days"] > overall["frequency_count"] > 0.05
    assert overall["average_order_amount"] == 0
    assert importances(found, SLEEPING)["frequency_count"] == pytest.approx(0, abs=1e-12)
    assert importances(found, CHAMPIONS)["frequency_count"] > 0.1


def test_a_segment_without_customers_is_left_out_of_all_means() -> None:
    with_one_more = permutation_drivers(RULES, FEW, segment_count=5)

    assert with_one_more == permutation_drivers(RULES, FEW, segment_count=3)


def test_one_segment_alone_has_no_rest_to_be_told_from() -> None:
    alone = replace(FEW, segments=np.zeros(5, dtype=int))

    found = permutation_drivers((Rule((), 0),), alone, segment_count=1)

    assert found == [Driver("a", None, 0.0), Driver("b", None, 0.0)]


def test_without_customers_nothing_is_weighed() -> None:
    nobody = FEW.of(np.array([], dtype=int))

    assert permutation_drivers(RULES, nobody, segment_count=3) == []
