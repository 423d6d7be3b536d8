"""Pictures of a sweep as SVG files: figures by number of segments, and customers in the plane."""

from collections.abc import Callable, Mapping, Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import dendrogram

WIDTH, HEIGHT = 840, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 80, 290, 40, 48
_KEY_HEIGHT = 20
_COLOURS = ("#1f5f99", "#c4572e", "#3b7d4f", "#8a4f9e", "#a67c00", "#b3261e", "#4c8a8b", "#6b6b6b")
"""Told apart in most kinds of colour blindness; what they stand for is written beside them."""
_PALE = 0.45
_DASHES = ("none", "7 4", "2 3")
_TICKS = 5
_MOST_LEAVES = 40
_LARGEST_RADIUS = 9.0

Floats = NDArray[np.float64]
Lines = Mapping[str, Mapping[int, float]]


def line_picture(
    lines: Lines, *, title: str, unit: str, marked: Sequence[tuple[str, int]] = ()
) -> str:
    """Draw a figure by number of segments, a line for each family of clusterings.

    Args:
        lines: By the name of the line, the figure by number of segments; at least one. Of more
            lines than there are colours the later ones are paler, and then dashed.
        title: What is shown.
        unit: What the upright axis shows.
        marked: Name and number of the points to ring.
    """
    counts = sorted({count for line in lines.values() for count in line})
    values = [value for line in lines.values() for value in line.values()]
    if not values:
        return _picture(title, "")
    x = _scale(counts[0], counts[-1], _LEFT, WIDTH - _RIGHT)
    y = _scale(min(values), max(values), HEIGHT - _BOTTOM, _TOP)
    parts = [_axis_text(f"{count}", x(count), HEIGHT - _BOTTOM + 20, "middle") for count in counts]
    for value in np.linspace(min(values), max(values), _TICKS):
        parts.append(_axis_text(f"{value:.4g}", _LEFT - 8, y(value) + 4, "end"))
        parts.append(
            f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}" '
            f'stroke="#d0d7de"/>'
        )
    for order, (name, line) in enumerate(lines.items()):
        colour = _colour(order)
        places = [(x(count), y(line[count])) for count in sorted(line)]
        path = " ".join(f"{left:.1f},{top:.1f}" for left, top in places)
        opacity, dashes = _look(order)
        stroke = f'stroke="{colour}" stroke-opacity="{opacity}" stroke-dasharray="{dashes}"'
        parts.append(f'<polyline fill="none" {stroke} points="{path}"/>')
        parts += [_dot(left, top, colour, radius=3.5, opacity=opacity) for left, top in places]
        parts += [
            f'<circle cx="{x(count):.1f}" cy="{y(line[count]):.1f}" r="8" fill="none" '
            f'stroke="{colour}"/>'
            for ringed, count in marked
            if ringed == name and count in line
        ]
        parts.append(_key(order, name, opacity=opacity, stroke=stroke))
    middle = (_LEFT + WIDTH - _RIGHT) / 2
    parts.append(_axis_text("segments", middle, HEIGHT - 8, "middle"))
    parts.append(_axis_text(unit, _LEFT, _TOP - 8, "start"))
    return _picture(title, "".join(parts), keys=len(lines))


def scatter_picture(points: Floats, labels: Sequence[int], *, title: str) -> str:
    """Draw customers by their first two principal components, coloured by segment.

    Args:
        points: Shape (n, d), at least one; drawn all, so give a sample.
        labels: Cluster indices, one per point.
        title: What is shown.
    """
    plane, shares = _plane(points)
    x = _scale(plane[:, 0].min(), plane[:, 0].max(), _LEFT, WIDTH - _RIGHT)
    y = _scale(plane[:, 1].min(), plane[:, 1].max(), HEIGHT - _BOTTOM, _TOP)
    parts = [
        _dot(x(left), y(top), _colour(label), radius=2, opacity=0.5)
        for (left, top), label in zip(plane.tolist(), labels, strict=True)
    ]
    found = sorted({*labels})
    parts += [_key(order, f"cluster {label}", label) for order, label in enumerate(found)]
    middle = (_LEFT + WIDTH - _RIGHT) / 2
    words = [f"component {place}, {share:.0%} of the variance" for place, share in shares]
    parts.append(_axis_text(words[0], middle, HEIGHT - 8, "middle"))
    parts.append(_axis_text(words[1], _LEFT, _TOP - 8, "start"))
    return _picture(title, "".join(parts), keys=len(found))


def dendrogram_picture(
    merges: Floats, counts: Floats, *, title: str, segments: int | None = None
) -> str:
    """Draw the upper part of a tree of unions, and how many customers are below each leaf.

    Args:
        merges: SciPy's linkage matrix, shape (m - 1, 4), at least one union.
        counts: Customers of each of the m points that it joins.
        title: What is shown.
        segments: Where the tree is cut, 2 to m; None: nowhere.
    """
    tree = dendrogram(merges, p=_MOST_LEAVES, truncate_mode="lastp", no_plot=True)
    across, heights = np.array(tree["icoord"]), np.array(tree["dcoord"])
    x = _scale(across.min(), across.max(), _LEFT, WIDTH - _RIGHT)
    y = _scale(0.0, heights.max(), HEIGHT - _BOTTOM, _TOP)
    parts = [
        _axis_text(f"{value:.4g}", _LEFT - 24, y(value) + 4, "end")
        for value in np.linspace(0.0, heights.max(), _TICKS)
    ]
    for left, top in zip(across.tolist(), heights.tolist(), strict=True):
        path = " ".join(
            f"{x(at):.1f},{y(height):.1f}" for at, height in zip(left, top, strict=True)
        )
        parts.append(f'<polyline fill="none" stroke="{_colour(0)}" points="{path}"/>')
    sizes = _customers_below(merges, counts)[tree["leaves"] or []]
    for order, radius in enumerate(_LARGEST_RADIUS * np.sqrt(sizes / sizes.max())):
        # SciPy's leaves stand ten apart.
        place = x(5.0 + 10.0 * order)
        parts.append(_dot(place, y(0.0), _colour(1), radius=round(float(radius), 2), opacity=0.6))
    if segments is not None:
        kept = np.concatenate([[0.0], merges[:, 2]])[-segments]
        cut = y(float(kept + merges[1 - segments, 2]) / 2.0)
        parts.append(
            f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{cut:.1f}" y2="{cut:.1f}" '
            f'stroke="{_colour(5)}" stroke-dasharray="6 4"/>'
        )
        parts.append(_axis_text(f"{segments} segments", WIDTH - _RIGHT + 8, cut + 4, "start"))
    middle = (_LEFT + WIDTH - _RIGHT) / 2
    words = "groups of customers; the area of a dot is their number"
    parts.append(_axis_text(words, middle, HEIGHT - 8, "middle"))
    parts.append(_axis_text("height of the union", _LEFT, _TOP - 8, "start"))
    return _picture(title, "".join(parts))


def _customers_below(merges: Floats, counts: Floats) -> Floats:
    """Customers below each point and union of a linkage matrix, shape (2 m - 1,)."""
    below = np.concatenate([counts, np.zeros(len(merges))])
    for step, (first, second, *_) in enumerate(merges):
        below[len(counts) + step] = below[int(first)] + below[int(second)]
    return below


def _plane(points: Floats) -> tuple[Floats, list[tuple[int, float]]]:
    """The first two components of each point, and each one's share of the variance."""
    centred = points - points.mean(axis=0)
    _, lengths, axes = np.linalg.svd(centred, full_matrices=False)
    # A component's sign is free: its largest weight is above zero on every machine.
    largest = np.abs(axes).argmax(axis=1)
    axes = axes * np.where(axes[np.arange(len(axes)), largest] < 0, -1.0, 1.0)[:, None]
    plane = np.zeros((len(points), 2))
    used = min(2, len(axes))
    plane[:, :used] = centred @ axes[:used].T
    variances = np.zeros(2)
    variances[:used] = lengths[:used] ** 2
    total = float((lengths**2).sum()) or 1.0
    return plane, [(place + 1, float(variances[place]) / total) for place in range(2)]


def _scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    """Values of a figure to places in the picture; all to its start where there is one value."""
    span = (high - low) or 1.0
    return lambda value: float(start + (end - start) * (value - low) / span)


def _colour(order: int) -> str:
    return _COLOURS[order % len(_COLOURS)]


def _look(order: int) -> tuple[float, str]:
    """Opacity and dashes of a line: paler once the colours are used up, dashed after that."""
    round_of_colours = order // len(_COLOURS)
    opacity = _PALE if round_of_colours % 2 else 1.0
    return opacity, _DASHES[round_of_colours // 2 % len(_DASHES)]


def _dot(x: float, y: float, colour: str, *, radius: float, opacity: float = 1.0) -> str:
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}" fill-opacity="{opacity}"/>'
    )


def _axis_text(words: str, x: float, y: float, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _key(
    order: int, name: str, label: int | None = None, *, opacity: float = 1.0, stroke: str = ""
) -> str:
    """What a colour stands for, with a piece of the line where it is one's."""
    top = _TOP + 10 + _KEY_HEIGHT * order
    colour = _colour(order if label is None else label)
    left = WIDTH - _RIGHT + 20
    dot = _dot(left, top, colour, radius=5, opacity=opacity)
    piece = f'<path d="M {left - 14} {top} h 28" {stroke}/>' if stroke else ""
    return piece + dot + _axis_text(name, left + 18, top + 4, "start")


def _picture(title: str, parts: str, *, keys: int = 0) -> str:
    """The whole of a picture, high enough for all keys beside it."""
    height = max(HEIGHT, _TOP + _KEY_HEIGHT * (keys + 1))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" role="img" font-family="sans-serif" font-size="12">'
        f'<title>{escape(title)}</title><rect width="100%" height="100%" fill="#ffffff"/>'
        f'<text x="{_LEFT}" y="16" font-weight="bold">{escape(title)}</text>{parts}</svg>\n'
    )
