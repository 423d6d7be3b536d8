"""What is usual: prediction intervals for the next batch, from the batches before it.

Every interval is mean ± t·s·sqrt(1 + 1/n) on a scale where batches scatter about evenly, taken
back to the figure's own unit. `s` is never less than what counting alone makes: a history without
any change does not make one row's difference unusual. Where counts are so small that no scale
makes them even, the exact Poisson or binomial quantiles widen the interval.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median, variance
from types import ModuleType

FEWEST_BATCHES = 4
"""With fewer earlier batches nothing is usual."""


@dataclass(frozen=True, slots=True)
class Interval:
    """What is usual, in the figure's unit, both ends included."""

    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Whether the value is usual."""
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Spread:
    """How comparable series scatter together, on the logarithmic scale of counts.

    Attributes:
        variance: Pooled over the series, around each one's own mean.
        freedom: Degrees of freedom that it is worth.
    """

    variance: float = 0.0
    freedom: int = 0


_ALONE = Spread()


def _distributions() -> ModuleType:
    """SciPy's distributions, which take a second to import: a first batch needs none."""
    from scipy import stats  # noqa: PLC0415 - see above

    return stats


def usual_count(
    history: Sequence[float], *, level: float, pooled: Spread = _ALONE, error_ratio: float = 0.0
) -> Interval:
    """For counts such as rows a day or different ids.

    Args:
        history: The counts of at least `FEWEST_BATCHES` batches.
        level: Share of sound batches outside of the interval, both sides together.
        pooled: Scatter of comparable series, where there are some.
        error_ratio: Relative standard error with which the counts were estimated.
    """
    points = [math.log(count + 0.5) for count in history]
    noise = math.exp(-fmean(points)) + error_ratio**2
    freedom = max(len(points) - 1, pooled.freedom)
    spread = max(variance(points), pooled.variance, noise)
    low, high = _around(points, level, spread=spread, extra=0.0, freedom=freedom)
    expected, poisson = fmean(history), _distributions().poisson
    return Interval(
        max(0.0, min(math.exp(low) - 0.5, float(poisson.ppf(level / 2, expected)))),
        max(math.exp(high) - 0.5, float(poisson.isf(level / 2, expected))),
    )


def pooled_spread(series: Sequence[Sequence[float]], batch_count: int) -> Spread:
    """Scatter of several series of counts together, such as the rows of each weekday.

    Figures of one batch rise and fall together, so that the freedom is that of the batches, not of
    their figures.

    Args:
        series: The counts of each series.
        batch_count: How many batches they come from.
    """
    logs = [[math.log(count + 0.5) for count in counts] for counts in series]
    squares = [(point - fmean(points)) ** 2 for points in logs for point in points]
    figures_left = len(squares) - len(logs)
    freedom = min(figures_left, batch_count - len(logs))
    return Spread(sum(squares) / figures_left, freedom) if freedom > 0 else _ALONE


def usual_ratio(
    history: Sequence[tuple[float, float]], row_count: float, *, level: float
) -> Interval:
    """For shares of rows: filled, refused, negative.

    Args:
        history: Share and number of rows of at least `FEWEST_BATCHES` batches.
        row_count: Rows of the batch that is looked at.
        level: Share of sound batches outside of the interval, both sides together.
    """
    points = [_angle(ratio, rows) for ratio, rows in history]
    noises = [_angle_noise(rows) for _, rows in history]
    spread = max(variance(points), fmean(noises))
    extra = max(0.0, _angle_noise(row_count) - fmean(noises))
    low, high = _around(points, level, spread=spread, extra=extra, freedom=len(points) - 1)
    rows = max(row_count, 1.0)
    all_rows = sum(rows for _, rows in history)
    together = (sum(ratio * rows for ratio, rows in history) + 0.5) / (all_rows + 1)
    fewest = float(_distributions().binom.ppf(level / 2, round(rows), together))
    most = float(_distributions().binom.isf(level / 2, round(rows), together))
    return Interval(
        max(0.0, min(_from_angle(low, rows), fewest / rows)),
        min(1.0, max(_from_angle(high, rows), most / rows)),
    )


def usual_mean(
    history: Sequence[tuple[float, float]], value: float, error: float, *, level: float
) -> Interval:
    """For means of any sign.

    The scale is logarithmic far from zero and even close to it. A single huge row moves the mean by
    about its own standard error, which is part of the interval: it does not ring.

    Args:
        history: Mean and its standard error, of at least `FEWEST_BATCHES` batches.
        value: The mean of the batch that is looked at.
        error: Its standard error.
        level: Share of sound batches outside of the interval, both sides together.
    """
    unit = median(abs(mean) for mean, _ in history) or abs(value) or 1.0
    points = [math.asinh(mean / unit) for mean, _ in history]
    noises = [(own / math.hypot(mean, unit)) ** 2 for mean, own in history]
    spread = max(variance(points), fmean(noises))
    extra = max(0.0, (error / math.hypot(value, unit)) ** 2 - fmean(noises))
    low, high = _around(points, level, spread=spread, extra=extra, freedom=len(points) - 1)
    return Interval(unit * math.sinh(low), unit * math.sinh(high))


def _around(
    points: Sequence[float], level: float, *, spread: float, extra: float, freedom: int
) -> tuple[float, float]:
    """Student's prediction interval for one more point."""
    centre = fmean(points)
    deviation = math.sqrt(spread + extra + spread / len(points))
    # Beyond this, the scales run out of numbers, and nothing would ring anyhow.
    half = min(float(_distributions().t.isf(level / 2, freedom)) * deviation, 500.0)
    return centre - half, centre + half


def _angle(ratio: float, row_count: float) -> float:
    """The share on Anscombe's scale, where binomial counting scatters evenly."""
    return math.asin(math.sqrt((ratio * row_count + 0.375) / (row_count + 0.75)))


def _angle_noise(row_count: float) -> float:
    return 1 / (4 * row_count + 2)


def _from_angle(angle: float, row_count: float) -> float:
    inside = min(max(angle, 0.0), math.pi / 2)
    return ((row_count + 0.75) * math.sin(inside) ** 2 - 0.375) / row_count
