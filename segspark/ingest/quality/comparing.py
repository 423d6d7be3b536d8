"""Each figure against the same figure of the batches before."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from segspark.ingest.quality.figures import DISTINCT_ERROR_RATIO, Figure, QualityRow
from segspark.ingest.quality.novelty import Listed, columns_changed, unseen_values
from segspark.ingest.quality.usual import (
    FEWEST_BATCHES,
    Interval,
    Spread,
    pooled_spread,
    usual_count,
    usual_mean,
    usual_ratio,
)


@dataclass(frozen=True, slots=True)
class Past:
    """Rows of earlier batches.

    Attributes:
        figures: Metric and column → batch id → row, oldest first.
    """

    figures: Mapping[tuple[str, str], Mapping[str, QualityRow]]

    def of(self, metric: str, column: str) -> Mapping[str, QualityRow]:
        return self.figures.get((metric, column), {})

    def values(self, metric: str, column: str) -> dict[str, float]:
        """Batch id → figure, where it has one."""
        found = self.of(metric, column)
        return {batch: row.value for batch, row in found.items() if row.value is not None}


@dataclass(frozen=True, slots=True)
class Check:
    """One figure that is to be compared.

    Attributes:
        figure: The figure.
        numbers: All figures of its batch, by metric and column.
        past: The batches before.
        level: How rarely it may ring by chance.
    """

    figure: Figure
    numbers: Mapping[tuple[str, str], float]
    past: Past
    level: float


def past_of(batches: Iterable[Sequence[QualityRow]]) -> Past:
    """The rows of earlier batches, oldest first, by what they are about."""
    figures: dict[tuple[str, str], dict[str, QualityRow]] = {}
    for row in (row for batch in batches for row in batch):
        figures.setdefault((row.metric, row.column_name), {})[row.batch_id] = row
    return Past(figures)


def history_count(figure: Figure, past: Past) -> int:
    """Batches that say what is usual for the figure; 0 where it is not compared."""
    if figure.metric == "new_values" or (figure.metric in _USUAL and figure.value is not None):
        return len(past.values(figure.metric, figure.column_name))
    return 0


def judged(check: Check, source: str) -> QualityRow:
    """The figure as a row, with what is usual where enough batches say so."""
    figure = check.figure
    count = history_count(figure, check.past)
    value, text, usual, rings = figure.value, figure.text_value, None, False
    if figure.metric == "columns":
        earlier = [row.text_value or "" for row in check.past.of("columns", "").values()]
        text, rings = columns_changed(text or "", earlier[-1] if earlier else None)
        count = min(len(earlier), 1)
    elif figure.metric == "new_values":
        value, text, usual = _unseen(check)
    elif count >= FEWEST_BATCHES:
        usual = _USUAL[figure.metric](check)
    if usual is not None and value is not None:
        rings = not usual.holds(value)
    return QualityRow(
        batch_id=figure.batch_id,
        source=source,
        metric=figure.metric,
        column_name=figure.column_name,
        value=value,
        text_value=text,
        usual_low=usual.low if usual else None,
        usual_high=usual.high if usual else None,
        history_batch_count=count,
        is_alarm=rings,
    )


def _unseen(check: Check) -> tuple[float | None, str, Interval | None]:
    rows = check.past.values("rows", "")
    earlier = [
        Listed(row.text_value or "", row.value, rows.get(batch, 1.0))
        for batch, row in check.past.of("new_values", check.figure.column_name).items()
    ]
    row_count = check.numbers.get(("rows", ""), 1.0)
    return unseen_values(check.figure.text_value or "", row_count, earlier, check.level)


def _usual_volume(check: Check) -> Interval:
    """Rows a day of one weekday; all weekdays together say how much days scatter."""
    past, name = check.past, check.figure.column_name
    series = {
        column: past.values("volume", column)
        for metric, column in past.figures
        if metric == "volume"
    }
    batches = {batch for values in series.values() for batch in values}
    pooled = pooled_spread([list(v.values()) for v in series.values() if v], len(batches))
    own = list(series[name].values())
    return usual_count(own, level=check.level, pooled=pooled if len(series) > 1 else Spread())


def _usual_distinct(check: Check) -> Interval:
    own = check.past.values("distinct", check.figure.column_name)
    return usual_count(list(own.values()), level=check.level, error_ratio=DISTINCT_ERROR_RATIO)


def _usual_share(check: Check) -> Interval:
    rows = check.past.values("rows", "")
    own = check.past.values(check.figure.metric, check.figure.column_name)
    history = [(ratio, rows.get(batch, 1.0)) for batch, ratio in own.items()]
    return usual_ratio(history, check.numbers.get(("rows", ""), 1.0), level=check.level)


def _usual_refused(check: Check) -> Interval:
    """Refused rows are no rows of the table: those that came in are the base."""
    rows = check.past.values("rows", "")
    own = check.past.values("refused", "")
    history = [(ratio, _rows_in(rows.get(batch, 1.0), ratio)) for batch, ratio in own.items()]
    now = _rows_in(check.numbers.get(("rows", ""), 1.0), check.figure.value or 0.0)
    return usual_ratio(history, now, level=check.level)


def _rows_in(kept: float, refused_ratio: float) -> float:
    return kept / (1 - refused_ratio) if refused_ratio < 1 else 1.0


def _usual_mean(check: Check) -> Interval:
    column, value = check.figure.column_name, check.figure.value or 0.0
    errors = check.past.values("mean_error", column)
    means = check.past.values("mean", column)
    history = [(mean, errors.get(batch, 0.0)) for batch, mean in means.items()]
    error = check.numbers.get(("mean_error", column), 0.0)
    return usual_mean(history, value, error, level=check.level)


_USUAL: Mapping[str, Callable[[Check], Interval]] = {
    "volume": _usual_volume,
    "completeness": _usual_share,
    "share": _usual_share,
    "refused": _usual_refused,
    "distinct": _usual_distinct,
    "mean": _usual_mean,
}
