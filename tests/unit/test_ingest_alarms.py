"""What rings, what does not, and how often a sound batch does."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from segspark.ingest.quality.alarm_words import alarm_sentence, blocking_sentence
from segspark.ingest.quality.alarms import judge
from segspark.ingest.quality.figures import Figure, QualityRow
from segspark.ingest.quality.novelty import columns_text, new_values, values_text
from segspark.ingest.quality.usual import (
    FEWEST_BATCHES,
)
from segspark.settings.sources import QualitySettings
from tests.batch_figures import SETTINGS, WEEKDAYS, Shop, days, judged, ringing, row_of


def after_change(change: Callable[[Figure], Figure], count: int = 60) -> set[tuple[str, str]]:
    """What rings where the last of some days was changed."""
    *sound, last = days(count)
    assert ringing(judged([*sound, last], SETTINGS)) == set()
    return ringing(judged([*sound, [change(figure) for figure in last]], SETTINGS))


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
