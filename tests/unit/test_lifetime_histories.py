import numpy as np
import pytest

from segspark.errors import LifetimeError
from segspark.lifetime.histories import PurchaseHistories, SpendHistories
from tests.lifetimes import histories, spends


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ((-1, 0, 5), "repeat purchases x are whole numbers .* row 1 has x -1, t_x 0, T 5"),
        ((1.5, 1, 5), "repeat purchases x are whole numbers .* row 1 has x 1.5, t_x 1, T 5"),
        ((1, -1, 5), "the last repeat purchase t_x is not before the first, .* row 1"),
        ((1, 6, 5), "the last repeat purchase t_x is within the age T, .* t_x 6, T 5"),
        ((0, 2, 5), "t_x is 0 exactly where x is 0, and row 1 has x 0, t_x 2"),
        ((2, 0, 5), "t_x is 0 exactly where x is 0, and row 1 has x 2, t_x 0"),
        ((0, 0, -1), "t_x is within the age T, and row 1 has x 0, t_x 0, T -1"),
        ((0, 0, np.inf), "ages must be finite numbers, and row 1 has ages inf"),
        ((np.nan, 0, 5), "repeat_counts must be finite numbers, and row 1"),
    ],
)
def test_a_history_that_cannot_be_is_refused_by_its_row(
    row: tuple[float, float, float], sentence: str
) -> None:
    with pytest.raises(LifetimeError, match=sentence):
        histories((0, 0, 5), row, row)


@pytest.mark.parametrize("weight", [0.0, -1.0])
def test_a_row_stands_for_some_customers(weight: float) -> None:
    one = np.ones(1)
    with pytest.raises(LifetimeError, match="positive number of customers, and row 0"):
        PurchaseHistories(one, one, one, one * weight)
    with pytest.raises(LifetimeError, match="positive number of customers, and row 0"):
        SpendHistories(one, one, one * weight)


def test_columns_of_unequal_length_are_refused() -> None:
    one, two = np.ones(1), np.ones(2)
    with pytest.raises(
        LifetimeError, match="there are 1 repeat_counts, 2 last_repeat_times, 1 ages"
    ):
        PurchaseHistories(one, two, one, one)
    with pytest.raises(LifetimeError, match="must be lists of one number per row"):
        SpendHistories(np.ones((1, 1)), one, one)


def test_a_mean_of_half_a_purchase_is_refused() -> None:
    with pytest.raises(LifetimeError, match=r"whole numbers from 0 on, and row 1 has x 0\.5"):
        spends((1, 2.0), (0.5, 2.0))


def test_whole_numbers_of_any_type_become_floats() -> None:
    counts = np.array([1, 0])

    found = PurchaseHistories(counts, counts, counts + 3, counts + 1)

    assert found.ages.dtype == np.float64
    assert found.customer_counts.tolist() == [2.0, 1.0]
    assert len(found) == 2


def test_distinct_counts_and_ages_find_every_row_again() -> None:
    seen = histories((2, 1, 9), (0, 0, 9), (2, 5, 9), (2, 1, 3))

    counts, ages, rows = seen.distinct_counts_and_ages

    assert list(zip(counts, ages, strict=True)) == [(0, 9), (2, 3), (2, 9)]
    np.testing.assert_array_equal(counts[rows], seen.repeat_counts)
    np.testing.assert_array_equal(ages[rows], seen.ages)


def test_spans_begin_at_the_last_repeat_and_the_age_and_end_after_it() -> None:
    seen = histories((2, 1, 9), (0, 0, 0), (3, 0.01, 0.125), (1000, 4000, 4096))

    spans = seen.spans

    last, age = spans.rows_of_last_repeat, spans.rows_of_age
    np.testing.assert_array_equal(spans.starts[last], seen.last_repeat_times)
    np.testing.assert_array_equal(spans.starts[age], seen.ages)
    for rows in (last, age):
        np.testing.assert_array_equal(spans.repeat_counts[rows], seen.repeat_counts)
        assert spans.ends[rows].tolist() == [16.0, 1.0, 0.25, 8192.0]


def test_spend_is_kept_where_there_was_a_repeat_purchase_that_cost_something() -> None:
    kept = spends((0, 0.0), (1, 9.0), (2, 0.0), (3, -4.0), (4, 1.0)).with_spend()

    assert kept.repeat_counts.tolist() == [1.0, 4.0]
    assert kept.mean_spends.tolist() == [9.0, 1.0]
