"""What differs between segments beside the vector: found, tested where it may be, adjusted."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from segspark.segments.differences import Difference, explained_ratio, segment_differences
from segspark.segments.rules import LabelledCustomers
from tests.labelled import SLEEPING, shop

CUSTOMERS = shop()
SEGMENTS = CUSTOMERS.segments
RANDOM = np.random.default_rng(11)
NOISE = RANDOM.normal(size=600)
AGE = 40 + 8 * (SEGMENTS == SLEEPING) + RANDOM.normal(0, 6, 600)
SPEND = CUSTOMERS.values[:, 1] * CUSTOMERS.values[:, 2]


def one(**numbers: np.ndarray) -> Difference:
    (found,) = segment_differences(CUSTOMERS, numbers=numbers, levels={})
    return found


def parts(values: np.ndarray) -> list[np.ndarray]:
    return [values[segment == SEGMENTS] for segment in range(3)]


def test_a_number_is_compared_as_scipy_does() -> None:
    found = one(age=AGE)

    expected = stats.kruskal(*parts(AGE))
    f_statistic = stats.f_oneway(*parts(AGE)).statistic
    assert (found.kind, found.name, found.customer_count) == ("feature", "age", 600)
    assert found.statistic == pytest.approx(expected.statistic, abs=1e-9)
    assert found.p_value == found.holm == pytest.approx(expected.pvalue)
    assert found.epsilon_squared == pytest.approx(expected.statistic / 599)
    assert found.eta_squared == pytest.approx(2 * f_statistic / (2 * f_statistic + 597))
    assert found.explained_by_vector is not None
    assert found.explained_by_vector < 0.5


def test_numbers_far_from_zero_keep_their_effect() -> None:
    moved = one(age=AGE + 1e9)

    assert moved.eta_squared == pytest.approx(one(age=AGE).eta_squared, abs=1e-6)


def test_who_is_not_known_does_not_count() -> None:
    known = RANDOM.random(600) > 0.3

    found = one(age=np.where(known, AGE, np.nan))

    rest = LabelledCustomers(CUSTOMERS.names, CUSTOMERS.values[known], SEGMENTS[known])
    (expected,) = segment_differences(rest, numbers={"age": AGE[known]}, levels={})
    assert found == expected
    assert found.customer_count == known.sum()


def test_an_attribute_is_compared_as_pearson_does() -> None:
    region = np.where(RANDOM.random(600) < 0.2 + 0.3 * (SEGMENTS == SLEEPING), "north", "south")

    (found,) = segment_differences(CUSTOMERS, numbers={}, levels={"region": region.tolist()})

    table = np.array(
        [[(parts(region)[s] == r).sum() for s in range(3)] for r in ("north", "south")]
    )
    expected = stats.chi2_contingency(table, correction=False)
    assert found.kind == "attribute"
    assert found.statistic == pytest.approx(expected.statistic, abs=1e-9)
    assert found.p_value == pytest.approx(expected.pvalue)
    assert found.smallest_expected_count == pytest.approx(expected.expected_freq.min())
    assert found.cramers_v is not None
    assert 0.2 < found.cramers_v < 0.5


def test_an_attribute_that_is_not_known_of_somebody_counts_the_others() -> None:
    region = [None if n % 2 else "north" if n % 3 else "south" for n in range(600)]

    (found,) = segment_differences(CUSTOMERS, numbers={}, levels={"region": region})

    assert found.customer_count == 300


@pytest.mark.parametrize(
    "values",
    [
        CUSTOMERS.values[:, 0],
        SPEND,
        np.digitize(CUSTOMERS.values[:, 0], (70, 140, 210, 280)).astype(float),
        365 - CUSTOMERS.values[:, 0],
    ],
    ids=["a column", "orders times average order", "a score of a column", "a column turned round"],
)
def test_what_follows_from_the_vector_has_an_effect_and_no_p_value(values: np.ndarray) -> None:
    found = one(same_in_other_words=values)

    assert found.explained_by_vector is not None
    assert found.explained_by_vector > 0.9
    assert found.epsilon_squared is not None
    assert (found.p_value, found.holm, found.benjamini_hochberg) == (None, None, None)


def test_nothing_of_noise_follows_from_the_vector() -> None:
    assert explained_ratio(CUSTOMERS.values, NOISE) < 0.05


def test_p_values_are_adjusted_for_what_is_tested_and_for_nothing_else() -> None:
    numbers = {"spend": SPEND, "noise": NOISE, "age": AGE}
    levels = {"side": ["left" if value > 0 else "right" for value in NOISE]}

    spend, *tested = segment_differences(CUSTOMERS, numbers=numbers, levels=levels)

    plain = [each.p_value for each in tested if each.p_value is not None]
    assert len(plain) == 3
    assert [each.name for each in tested] == ["noise", "age", "side"]
    assert spend.holm is None
    assert [each.benjamini_hochberg for each in tested] == pytest.approx(
        stats.false_discovery_control(plain, method="bh").tolist()
    )
    assert tested[1].holm == pytest.approx(3 * plain[1])


def test_what_is_the_same_for_everybody_is_left_out() -> None:
    numbers = {"constant": np.ones(600), "unknown": np.full(600, np.nan)}

    assert (
        segment_differences(
            CUSTOMERS, numbers=numbers, levels={"all": ["one"] * 600, "none": [None] * 600}
        )
        == []
    )


def test_one_segment_alone_differs_from_nothing() -> None:
    alone = replace(CUSTOMERS, segments=np.zeros(600, dtype=int))

    assert segment_differences(alone, numbers={"age": AGE}, levels={"a": ["x", "y"] * 300}) == []


def test_without_customers_nothing_differs() -> None:
    nobody = CUSTOMERS.of(np.array([], dtype=int))

    assert segment_differences(nobody, numbers={"age": np.array([])}, levels={"a": []}) == []
