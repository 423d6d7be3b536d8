"""Which batches a batch is measured by, and what is kept of it."""

from dataclasses import asdict, replace

from pyspark.sql import Row

from segspark.ingest.quality.alarms import judge
from segspark.ingest.quality.figures import Figure
from segspark.ingest.quality.usual import (
    FEWEST_BATCHES,
)
from segspark.settings.sources import QualitySettings
from tests.batch_figures import SETTINGS, days, judged, ringing, row_of


def test_with_fewer_than_four_earlier_batches_nothing_rings() -> None:
    *sound, last = days(FEWEST_BATCHES)
    broken = [replace(f, value=0.0) if f.metric == "completeness" else f for f in last]

    rows = judged([*sound, broken], SETTINGS)

    assert not ringing(rows)
    assert {row.usual_low for row in rows} == {None}
    assert row_of(rows, "completeness", "column0").history_batch_count == 3


def test_only_the_newest_batches_say_what_is_usual() -> None:
    settings = QualitySettings(history_batches=5)
    old = [[Figure(f"old{n}", "completeness", "x", 0.5), Figure(f"old{n}", "rows", "", 1000.0)]
           for n in range(10)]  # fmt: skip
    new = [[Figure(f"new{n}", "completeness", "x", 1.0), Figure(f"new{n}", "rows", "", 1000.0)]
           for n in range(5)]  # fmt: skip
    last = [Figure("last", "completeness", "x", 0.5), Figure("last", "rows", "", 1000.0)]

    assert ringing(judged([*old, *new, last], settings)) == {("completeness", "x")}


def test_a_day_of_another_weekday_is_not_the_measure() -> None:
    def week(number: int, monday: float) -> list[list[Figure]]:
        wobble = 1 + 0.05 * (-1) ** number
        rows = {"Monday": monday * wobble, "Sunday": 100 * wobble}
        return [[Figure(f"{day}{number}", "volume", day, value)] for day, value in rows.items()]

    sound = [day for number in range(9) for day in week(number, 1000)]
    quiet_monday, usual_sunday = week(9, 100)

    low = row_of(judged([*sound, quiet_monday], SETTINGS), "volume", "Monday")

    assert (low.is_alarm, low.history_batch_count) == (True, 9)
    assert not ringing(judged([*sound, usual_sunday], SETTINGS))


def test_the_history_may_come_as_rows_of_the_table() -> None:
    figures = [Figure(str(n), "refused", "", 0.01) for n in range(6)]
    rows = judge(figures, [], SETTINGS, source="shop")

    from_table = [Row(**asdict(row)) for row in rows[:-1]]

    assert judge(figures[-1:], from_table, SETTINGS, source="shop") == rows[-1:]


def test_a_batch_is_not_its_own_history() -> None:
    figures = [Figure(str(n), "refused", "", 0.01) for n in range(6)]
    rows = judge(figures, [], SETTINGS, source="shop")

    assert judge(figures[-1:], rows, SETTINGS, source="shop") == rows[-1:]


def test_rows_keep_the_figures_that_are_only_told() -> None:
    figures = [Figure("a", "least", "transaction_date", None, "2024-01-01")]

    (row,) = judge(figures, [], SETTINGS, source="shop")

    assert (row.source, row.metric, row.text_value) == ("shop", "least", "2024-01-01")
    assert (row.usual_low, row.usual_high, row.is_alarm) == (None, None, False)
