"""What rings, what does not, and how often a sound batch does."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta

import numpy as np
import pytest
from pyspark.sql import Row

from segspark.ingest.quality.alarm_words import alarm_sentence, blocking_sentence
from segspark.ingest.quality.alarms import Figure, QualityRow, judge
from segspark.ingest.quality.novelty import columns_text, new_values, values_text
from segspark.ingest.quality.profile import rows_by_weekday
from segspark.ingest.quality.usual import (
    FEWEST_BATCHES,
    Spread,
    pooled_spread,
    usual_count,
    usual_mean,
    usual_ratio,
)
from segspark.settings.sources import QualitySettings

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
COUNTRIES = ("GB", "FR", "DE", "NL", "IE")
SETTINGS = QualitySettings(false_alarm_ratio=0.01)


@dataclass(frozen=True)
class Shop:
    """What a sound source scatters around; `scatter` is that of days beyond counting noise."""

    rows: float = 1000.0
    scatter: float = 0.1
    filled: Sequence[float] = (0.98, 0.999, 0.5)
    refused: float = 0.002
    mean: float = 18.0
    deviation: float = 25.0
    countries: Sequence[float] = (0.9, 0.05, 0.03, 0.015, 0.005)


def batch(random: np.random.Generator, shop: Shop, day: int) -> list[Figure]:
    """Figures of one sound day: everything scatters as rows do that come by themselves."""
    weekday = day % 7
    expected = shop.rows * (1 + 0.4 * np.sin(weekday)) * random.gamma(1 / shop.scatter**2)
    rows = max(int(random.poisson(expected * shop.scatter**2)), 1)
    error = shop.deviation / rows**0.5
    counts = random.multinomial(rows, shop.countries)
    listed = {c: int(n) for c, n in zip(COUNTRIES, counts, strict=True) if n}
    refused = int(random.binomial(rows, shop.refused))
    figures = {
        ("rows", ""): float(rows),
        ("volume", WEEKDAYS[weekday]): float(rows),
        ("refused", ""): refused / (rows + refused),
        ("distinct", "customer_id"): round(rows * 0.7 * random.normal(1, 0.03)),
        ("mean", "line_amount"): random.normal(shop.mean, error),
        ("mean_error", "line_amount"): error,
        ("share", "line_kind = return"): random.binomial(rows, 0.02) / rows,
    }
    for place, ratio in enumerate(shop.filled):
        figures["completeness", f"column{place}"] = random.binomial(rows, ratio) / rows
    name = str(day)
    found = [Figure(name, metric, column, value) for (metric, column), value in figures.items()]
    found.append(Figure(name, "new_values", "country", None, values_text(listed)))
    found.append(Figure(name, "columns", "", 2.0, columns_text(["who", "when"])))
    return found


def days(count: int, shop: Shop | None = None, seed: int = 0) -> list[list[Figure]]:
    """Figures of the sound days 0, 1, 2, …"""
    random = np.random.default_rng(seed)
    return [batch(random, shop or Shop(), day) for day in range(count)]


def judged(all_days: Sequence[Sequence[Figure]], settings: QualitySettings) -> list[QualityRow]:
    """Rows of the last day, the days before it being its history."""
    figures = [figure for figures in all_days for figure in figures]
    last = all_days[-1][0].batch_id
    rows = judge(figures, [], settings, source="shop")
    return [row for row in rows if row.batch_id == last]


def ringing(rows: Sequence[QualityRow]) -> set[tuple[str, str]]:
    return {(row.metric, row.column_name) for row in rows if row.is_alarm}


def after_change(change: Callable[[Figure], Figure], count: int = 60) -> set[tuple[str, str]]:
    """What rings where the last of some days was changed."""
    *sound, last = days(count)
    assert ringing(judged([*sound, last], SETTINGS)) == set()
    return ringing(judged([*sound, [change(figure) for figure in last]], SETTINGS))


def row_of(rows: Sequence[QualityRow], metric: str, column: str = "") -> QualityRow:
    return next(row for row in rows if (row.metric, row.column_name) == (metric, column))


SHOPS = [
    Shop(),
    Shop(rows=60, scatter=0.3),
    Shop(rows=8, scatter=0.2, refused=0.05),
    Shop(rows=40_000, scatter=0.15, filled=(1.0, 0.9999, 0.0), refused=0.0),
    Shop(rows=300, countries=(0.95, 0.04, 0.008, 0.0015, 0.0005), refused=0.01),
]


def ringing_batches(shop: Shop, seed: int, settings: QualitySettings) -> list[bool]:
    """Of the days of a sound source that have a history: whether anything rings."""
    all_days = days(160, shop, seed)
    figures = [figure for figures in all_days for figure in figures]
    names = [figures[0].batch_id for figures in all_days]
    rows = judge(figures, [], settings, source="shop")
    rang = {row.batch_id for row in rows if row.is_alarm}
    return [name in rang for name in names[FEWEST_BATCHES:]]


@pytest.mark.parametrize(("ratio", "history"), [(0.01, 60), (0.1, 60), (0.1, 5)])
def test_no_more_sound_batches_ring_than_stated(ratio: float, history: int) -> None:
    settings = QualitySettings(false_alarm_ratio=ratio, history_batches=history)
    rang = [
        rings
        for seed, shop in enumerate(SHOPS * 2)
        for rings in ringing_batches(shop, seed, settings)
    ]

    binomial_error = (ratio * (1 - ratio) / len(rang)) ** 0.5
    assert len(rang) == 1560
    assert sum(rang) / len(rang) <= ratio + 2 * binomial_error


def test_a_rate_that_is_stated_higher_rings_more_often() -> None:
    rare, often = (QualitySettings(false_alarm_ratio=ratio) for ratio in (0.01, 0.5))

    assert sum(ringing_batches(Shop(), 3, rare)) < sum(ringing_batches(Shop(), 3, often))


def test_half_of_the_usual_rows_ring() -> None:
    def halve(figure: Figure) -> Figure:
        is_volume = figure.metric == "volume"
        return replace(figure, value=(figure.value or 0) / 2) if is_volume else figure

    assert after_change(halve) == {("volume", WEEKDAYS[59 % 7])}


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


@pytest.mark.parametrize("value", [0.0, 0.61])
def test_a_column_that_is_filled_less_rings(value: float) -> None:
    def empty(figure: Figure) -> Figure:
        return replace(figure, value=value) if figure.column_name == "column0" else figure

    assert after_change(empty) == {("completeness", "column0")}
    assert after_change(empty, count=6) == {("completeness", "column0")}


@pytest.mark.parametrize("factor", [100, 0.01, -1])
def test_money_in_another_unit_or_sign_rings(factor: float) -> None:
    def scale(figure: Figure) -> Figure:
        is_money = figure.column_name == "line_amount"
        unit = abs(factor) if figure.metric == "mean_error" else factor
        return replace(figure, value=(figure.value or 0) * unit) if is_money else figure

    assert after_change(scale) == {("mean", "line_amount")}


def test_refused_rows_ids_and_returns_far_above_the_usual_ring() -> None:
    changed = {"refused": 0.03, "distinct": 20.0, "share": 0.1}

    def spoil(figure: Figure) -> Figure:
        return replace(figure, value=changed.get(figure.metric, figure.value))

    assert {metric for metric, _ in after_change(spoil)} == set(changed)


def test_a_new_country_with_many_rows_rings_and_is_named() -> None:
    *sound, last = days(60)
    others = [f for f in last if f.metric != "new_values"]
    (countries,) = (f for f in last if f.metric == "new_values")
    listed = json.loads(countries.text_value or "")["known"]

    def with_atlantis(rows: int) -> QualityRow:
        text = values_text({**listed, "Atlantis": rows})
        found = judged([*sound, [*others, replace(countries, text_value=text)]], SETTINGS)
        return row_of(found, "new_values", "country")

    many, few = with_atlantis(60), with_atlantis(1)

    assert (many.is_alarm, few.is_alarm) == (True, False)
    assert new_values(many.text_value or "") == ["Atlantis"]
    assert "country has values never seen before (Atlantis) in" in alarm_sentence(many)


def test_a_source_that_often_brings_new_values_does_not_ring_for_one_more() -> None:
    def stores(day: int, new_rows: int) -> list[Figure]:
        opened = {f"s{day}": new_rows} if day % 5 == 0 else {}
        name = str(day)
        rows = {"s0": 900, **opened}
        return [
            Figure(name, "rows", "", 1000.0),
            Figure(name, "new_values", "store_id", None, values_text(rows)),
        ]

    sound = [stores(day, 50) for day in range(40)]

    assert not ringing(judged([*sound, stores(40, 50)], SETTINGS))
    assert ringing(judged([*sound, stores(40, 500)], SETTINGS)) == {("new_values", "store_id")}


def test_a_column_that_went_or_came_rings_at_once_whatever_the_order() -> None:
    def delivered(day: int, *names: str) -> list[Figure]:
        return [Figure(str(day), "columns", "", float(len(names)), columns_text(names))]

    first, swapped = delivered(0, "who", "when"), delivered(1, "when", "who")
    changed = delivered(2, "who", "<b>", "what")

    assert not ringing(judged([first], SETTINGS))
    assert not ringing(judged([first, swapped], SETTINGS))
    (row,) = judged([first, swapped, changed], SETTINGS)
    assert row.is_alarm
    assert alarm_sentence(row) == (
        "the source lacks the column when and the source has the new columns <b>, what, compared "
        "with the batch before"
    )


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


@pytest.mark.parametrize(
    ("same", "near"), [((1.0, 1000.0), 0.999), ((0.0, 1000.0), 0.001), ((0.5, 1000.0), 0.501)]
)
def test_a_history_without_change_does_not_make_one_row_unusual(
    same: tuple[float, float], near: float
) -> None:
    usual = usual_ratio([same] * 60, 1000, level=0.001)

    assert usual.holds(same[0])
    assert usual.holds(near)


def test_a_count_that_never_changed_may_differ_by_counting_noise() -> None:
    usual = usual_count([1000.0] * 60, level=0.001)

    assert usual.holds(1001)
    assert usual.holds(950)
    assert not usual.holds(800)


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


def test_a_blocking_alarm_refuses_in_one_sentence_and_another_one_does_not() -> None:
    *sound, last = days(30)
    broken = [replace(f, value=0.61) if f.column_name == "column0" else f for f in last]
    rows = judged([*sound, broken], SETTINGS)
    blocking = QualitySettings(blocking=("completeness",))
    other = QualitySettings(blocking=("volume", "columns"))

    sentence = blocking_sentence("shop", "day.csv", rows, blocking)

    assert sentence is not None
    assert sentence.startswith("source shop: day.csv: column0 is filled in 61% of rows; usual is 9")
    assert "take completeness out of sources.shop.quality.blocking" in sentence
    assert "\n" not in sentence
    assert blocking_sentence("shop", "day.csv", rows, other) is None


def test_a_share_blocks_as_a_mean() -> None:
    *sound, last = days(30)
    broken = [replace(f, value=0.3) if f.metric == "share" else f for f in last]
    rows = judged([*sound, broken], SETTINGS)

    sentence = blocking_sentence("shop", "d", rows, QualitySettings(blocking=("mean",)))

    assert sentence is not None
    assert "line_kind = return in 30% of rows" in sentence


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
