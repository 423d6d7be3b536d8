"""Figures of batches of a sound source, and what is judged of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from segspark.ingest.quality.alarms import judge
from segspark.ingest.quality.figures import Figure, QualityRow
from segspark.ingest.quality.novelty import columns_text, values_text
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


def row_of(rows: Sequence[QualityRow], metric: str, column: str = "") -> QualityRow:
    return next(row for row in rows if (row.metric, row.column_name) == (metric, column))
