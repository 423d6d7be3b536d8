"""Rules of a surrogate tree: found where planted, round, exclusive, as true as they say."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score

from segspark.segments.rules import (
    Bound,
    LabelledCustomers,
    Rule,
    fit_surrogate,
    roundest_between,
    told_segments,
)
from segspark.settings.segments import ExplanationSettings
from tests.labelled import CHAMPIONS, OTHERS, SLEEPING, shop

SETTINGS = ExplanationSettings()
SHALLOW = ExplanationSettings(tree_depth=1)
FINITE = st.floats(min_value=-1e9, max_value=1e9, allow_nan=False)


def rules_of(customers: LabelledCustomers, segment: int) -> list[Rule]:
    return [rule for rule in fit_surrogate(customers, SETTINGS).rules if rule.segment == segment]


def test_planted_rules_are_found_with_nothing_beside_them() -> None:
    (champions,) = rules_of(shop(6000), CHAMPIONS)
    (sleeping,) = rules_of(shop(6000), SLEEPING)

    assert champions.bounds == (Bound("recency_days", at_most=31), Bound("frequency_count", 4))
    assert sleeping.bounds == (Bound("recency_days", above=200),)


def test_everybody_meets_exactly_one_rule() -> None:
    customers = shop(mislabelled=0.3)
    rules = fit_surrogate(customers, SETTINGS).rules

    met = [told_segments([Rule(rule.bounds, 0)], customers) == 0 for rule in rules]
    assert len(rules) > 3
    assert set(np.sum(met, axis=0).tolist()) == {1}


def test_fidelity_is_that_of_the_rules_on_customers_they_were_not_made_from() -> None:
    found = fit_surrogate(shop(mislabelled=0.2), SETTINGS)

    told = told_segments(found.rules, found.held_out)
    truth = found.held_out.segments
    assert len(truth) == 180
    assert found.accuracy == pytest.approx(accuracy_score(truth, told))
    assert found.balanced_accuracy == pytest.approx(balanced_accuracy_score(truth, told))
    assert accuracy_score(truth, told) == pytest.approx(0.87, abs=0.08)


def test_segments_without_a_reason_are_not_told() -> None:
    random = np.random.default_rng(1)
    noise = LabelledCustomers(("a",), random.random((900, 1)), random.integers(0, 3, 900))

    found = fit_surrogate(noise, SETTINGS)

    assert found.balanced_accuracy == pytest.approx(1 / 3, abs=0.08)


def test_rules_ask_no_more_questions_and_hold_no_fewer_customers_than_allowed() -> None:
    customers = shop(mislabelled=0.3)
    tight = ExplanationSettings(tree_depth=2, smallest_leaf_ratio=0.2)

    rules = fit_surrogate(customers, tight).rules

    seen_at_least = 0.2 * 420
    for rule in rules:
        edges = [edge for bound in rule.bounds for edge in (bound.above, bound.at_most)]
        assert sum(math.isfinite(edge) for edge in edges) <= 2
        assert (told_segments([Rule(rule.bounds, 0)], customers) == 0).sum() >= seen_at_least
    assert 2 <= len(rules) <= 4


def test_rules_of_one_question_have_one_bound() -> None:
    rules = fit_surrogate(shop(), SHALLOW).rules

    assert [len(rule.bounds) for rule in rules] == [1, 1]


def test_what_rules_make_of_chance_does_not_count_as_fidelity() -> None:
    random = np.random.default_rng(4)
    noise = LabelledCustomers(("a", "b"), random.random((900, 2)), random.integers(0, 3, 900))

    found = fit_surrogate(noise, ExplanationSettings(tree_depth=8, smallest_leaf_ratio=0.001))

    assert found.accuracy is not None
    assert found.accuracy < 0.4


def test_equal_customers_and_seed_give_equal_rules() -> None:
    noisy = shop(mislabelled=0.3)

    assert fit_surrogate(noisy, SETTINGS).rules == fit_surrogate(noisy, SETTINGS).rules
    other = ExplanationSettings(seed=5)
    assert not np.array_equal(
        fit_surrogate(noisy, other).held_out.values, fit_surrogate(noisy, SETTINGS).held_out.values
    )


def test_branches_that_tell_the_same_segment_are_one_rule() -> None:
    values = np.arange(800.0)[:, None]
    is_other = np.random.default_rng(2).random(800) < np.where(values[:, 0] < 400, 0.02, 0.35)

    found = fit_surrogate(LabelledCustomers(("a",), values, is_other.astype(int)), SHALLOW)

    assert found.rules == (Rule((), 0),)


def test_of_columns_that_divide_alike_always_the_same_is_asked() -> None:
    customers = shop()
    twice = LabelledCustomers(("a", "b"), customers.values[:, [0, 0]], customers.segments)

    asked = {fit_surrogate(twice, SETTINGS).rules for _ in range(12)}

    assert len(asked) == 1


def test_one_segment_alone_is_everybody() -> None:
    customers = shop(40)
    alone = LabelledCustomers(customers.names, customers.values, np.full(40, OTHERS))

    found = fit_surrogate(alone, SETTINGS)

    assert found.rules == (Rule((), OTHERS),)
    assert found.accuracy == found.balanced_accuracy == 1


def test_three_customers_are_too_few_to_test_on() -> None:
    found = fit_surrogate(shop(3), SETTINGS)

    assert len(found.rules) == 1
    assert found.accuracy is None
    assert found.balanced_accuracy is None


def test_values_that_single_precision_rounds_are_divided_where_the_tree_divides() -> None:
    lower, upper = 16777218.0, 16777219.0
    values = np.repeat([lower, upper], 40)[:, None]

    found = fit_surrogate(LabelledCustomers(("a",), values, np.repeat([0, 1], 40)), SETTINGS)

    assert [rule.bounds for rule in found.rules] == [
        (Bound("a", at_most=lower),),
        (Bound("a", above=lower),),
    ]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (31, 32, 31),
        (29, 60, 40),
        (0, 1, 0),
        (43.1234, 43.19, 43.16),
        (0.1 + 0.2, 0.31, 0.305),
        (-7, -5, -6),
        (-3, 4, 0),
        (999, 1001, 1000),
        (0, 1e-9, 0),
    ],
)
def test_a_bound_is_the_roundest_number_that_divides(
    low: float, high: float, expected: float
) -> None:
    assert roundest_between(low, high) == expected


@given(FINITE, FINITE)
def test_a_bound_divides_whatever_the_values(first: float, second: float) -> None:
    low, high = sorted((first, second))
    if low < high:
        assert low <= roundest_between(low, high) < high
