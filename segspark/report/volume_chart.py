"""Rows a day as an inline SVG: what came, and the band of what was usual."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 720, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 8, 12, 28
_DOT = 3.5
# For readers that do not apply the page's style to drawings; where it is applied, it prevails.
_BAND, _ALARM, _LINE = "#cfe3f7", "#b3261e", "#d0d7de"


@dataclass(frozen=True, slots=True)
class VolumePoint:
    """Rows a day of one batch and weekday.

    Attributes:
        label: Batch and weekday, for people.
        rows: Median rows a day.
        low: Lower end of what is usual, or None.
        high: Upper end of what is usual, or None.
        is_alarm: Whether it is outside.
    """

    label: str
    rows: float
    low: float | None
    high: float | None
    is_alarm: bool


def volume_chart(points: Sequence[VolumePoint], *, title: str) -> str:
    """The points from left to right, oldest first; nothing for no points."""
    if not points:
        return ""
    top = _top_of(points)
    step = (WIDTH - _LEFT - _RIGHT) / len(points)
    marks = [_marks(point, _LEFT + (n + 0.5) * step, step, top) for n, point in enumerate(points)]
    lines = "".join(_grid_line(rows, top) for rows in _ticks(top))
    ends = (
        f'<text x="{_LEFT}" y="{HEIGHT - 8}">{escape(points[0].label)}</text>'
        f'<text x="{WIDTH - _RIGHT}" y="{HEIGHT - 8}" text-anchor="end">'
        f"{escape(points[-1].label)}</text>"
    )
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img"><title>{escape(title)}</title>'
        f"{lines}{''.join(marks)}{ends if len(points) > 1 else ''}</svg>"
    )


def _top_of(points: Sequence[VolumePoint]) -> float:
    """Top of the axis: all rows, and of the band no more than leaves the rows readable."""
    most = max(point.rows for point in points)
    band = max((point.high or 0.0 for point in points), default=0.0)
    return max(most, min(band, 1.5 * most)) * 1.05 or 1.0


def _ticks(top: float) -> list[float]:
    """Round numbers from 0 up, at most five."""
    power = 10.0 ** math.floor(math.log10(top / 4))
    step = next(power * part for part in (1, 2, 5, 10) if power * part * 4 >= top)
    return [step * number for number in range(math.floor(top / step) + 1)]


def _marks(point: VolumePoint, x: float, step: float, top: float) -> str:
    """The band and the dot of one point; an alarm is a diamond, so that it needs no colour."""
    y = _height(point.rows, top)
    words = f"{escape(point.label)}: {point.rows:,.0f} rows a day"
    band = ""
    if point.low is not None and point.high is not None:
        upper, lower = _height(min(point.high, top), top), _height(min(point.low, top), top)
        band = (
            f'<rect class="band" fill="{_BAND}" x="{x - step / 2:.1f}" y="{upper:.1f}" '
            f'width="{step:.1f}" height="{lower - upper:.1f}"/>'
        )
        words += f", usual {point.low:,.0f} to {point.high:,.0f}"
    if point.is_alarm:
        d = 2 * _DOT
        corners = f"{x:.1f},{y - d:.1f} {x + d:.1f},{y:.1f} {x:.1f},{y + d:.1f} {x - d:.1f},{y:.1f}"
        return (
            f'{band}<polygon class="alarm" fill="{_ALARM}" points="{corners}">'
            f"<title>{words}</title></polygon>"
        )
    dot = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{_DOT}"><title>{words}</title></circle>'
    return band + dot


def _grid_line(rows: float, top: float) -> str:
    y = _height(rows, top)
    return (
        f'<line stroke="{_LINE}" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text text-anchor="end" x="{_LEFT - 8}" y="{y + 4:.1f}">{rows:,.10g}</text>'
    )


def _height(rows: float, top: float) -> float:
    return _TOP + (HEIGHT - _TOP - _BOTTOM) * (1 - rows / top)
