"""What is usual: intervals from the batches before, for counts, shares and means."""

from datetime import date, timedelta

import pytest

from segspark.ingest.quality.profile import rows_by_weekday
from segspark.ingest.quality.usual import (
    Spread,
    pooled_spread,
    usual_count,
    usual_mean,
    usual_ratio,
)


def test_all_weekdays_together_say_how_much_days_scatter() -> None:
    history = [1000.0, 1100.0, 900.0, 1000.0, 1050.0]
    alone = usual_count(history, level=0.0003)
    pooled = usual_count(history, level=0.0003, pooled=Spread(variance=0.01, freedom=50))
    restless = usual_count(history, level=0.0003, pooled=Spread(variance=1.0, freedom=50))

    assert [usual.holds(500) for usual in (alone, pooled, restless)] == [True, False, True]


def test_weekdays_of_one_batch_are_not_as_many_batches() -> None:
    weeks = [[900.0, 1000.0, 1100.0, 1000.0]] * 7

    assert pooled_spread(weeks, batch_count=4).freedom == 0
    assert pooled_spread(weeks, batch_count=28).freedom == 21


@pytest.mark.parametrize(
    ("same", "near"), [((1.0, 1000.0), 0.999), ((0.0, 1000.0), 0.001), ((0.5, 1000.0), 0.501)]
)
def test_a_history_without_change_does_not_make_one_row_unusual(
    same: tuple[float, float], near: float
) -> None:
    usual = usual_ratio([same] * 60, 1000, level=0.001)

    assert usual.holds(same[0])
    assert usual.holds(near)


@pytest.mark.parametrize(("count", "is_usual"), [(1001, True), (950, True), (800, False)])
def test_a_count_that_never_changed_may_differ_by_counting_noise(
    count: float, *, is_usual: bool
) -> None:
    assert usual_count([1000.0] * 60, level=0.001).holds(count) == is_usual


def test_few_batches_without_change_leave_room_for_what_they_did_not_show() -> None:
    assert usual_count([1000.0] * 4, level=0.001).holds(800)
    assert usual_ratio([(0.5, 1000.0)] * 4, 1000, level=0.001).holds(0.4)


def test_small_counts_are_judged_by_exact_chance() -> None:
    assert usual_count([4.0] * 60, level=0.01).holds(0)
    assert usual_ratio([(0.004, 1000.0)] * 60, 1000, level=0.01).holds(0)


def test_one_huge_row_does_not_move_a_mean_out_of_the_usual() -> None:
    history = [(18.0, 0.8)] * 60
    huge = 77_000 / 1000

    assert usual_mean(history, 18 + huge, huge, level=0.001).holds(18 + huge)
    assert not usual_mean(history, 18 + huge, 0.8, level=0.001).holds(18 + huge)


def test_a_mean_that_was_always_zero_needs_more_than_a_row_to_ring() -> None:
    history = [(0.0, 0.0)] * 60

    def holds(rows: int) -> bool:
        mean = rows / 1000
        error = (mean * (1 - mean) / 1000) ** 0.5
        return usual_mean(history, mean, error, level=0.001).holds(mean)

    assert (holds(0), holds(1), holds(300)) == (True, True, False)


def test_rows_a_day_are_medians_and_skip_the_stragglers() -> None:
    monday = date(2024, 1, 1)
    rows = {monday: 100, monday + timedelta(7): 120, monday + timedelta(14): 900}
    rows[monday - timedelta(400)] = 2

    found = rows_by_weekday(rows)

    assert found["Monday"] == 120
    assert found["Tuesday"] == 0
    assert rows_by_weekday({monday: 3}) == {"Monday": 3}
    assert rows_by_weekday({}) == {}
