"""Whether a column of customers has one mode or several, and what it would be like with one.

The nearest distribution of one mode is that of the highest likelihood: the greatest convex minorant
of the distribution function below the mode and the least concave majorant above it (Grenander 1956,
*Skand. Aktuarietidskr.* 39), with the mode that makes the column most likely.
"""

import numpy as np
from sklearn.isotonic import isotonic_regression

from segspark.model.scores import Floats

_FEWEST_VALUES = 3
"""Two are a rise or a fall."""
_MOST_MODES_TRIED = 60
_CHANCE = 1.25
"""By the root of the number of customers: the largest difference of distribution functions that
2,000 even values, the worst case of one mode, exceed about once in twenty draws."""


def with_single_modes(sample: Floats) -> Floats | None:
    """The sorted columns of a sample, those of several modes in place with one.

    Args:
        sample: Shape (n, d).

    Returns:
        Shape (n, d), each column ascending; None where every column has one mode already.
    """
    ordered = np.sort(sample, axis=0)
    columns = [single_mode(column) for column in ordered.T]
    if all(column is None for column in columns):
        return None
    return np.column_stack(
        [own if one is None else one for own, one in zip(ordered.T, columns, strict=True)]
    )


def single_mode(ordered: Floats) -> Floats | None:
    """What an ascending column would be like with one mode; None where it has one already.

    A value that several customers share stands for all values that are nearer to it than to the
    next: bought once or twice is no mode of its own. Of customers that stay at such a value it
    remains the value; those who come in are even between it and the next.

    Args:
        ordered: Shape (n,), ascending.

    Returns:
        Shape (n,), ascending.
    """
    values, counts = np.unique(ordered, return_counts=True)
    if len(values) < _FEWEST_VALUES:
        return None
    shares, edges = counts / len(ordered), _edges(values)
    fitted = max(_fits(shares, np.diff(edges)), key=lambda each: float(shares @ np.log(each)))
    difference = float(np.abs(np.cumsum(fitted - shares)).max())
    if difference <= _CHANCE / np.sqrt(len(ordered)):
        return None
    return _quantiles(values, edges, shares, fitted, len(ordered))


def _edges(values: Floats) -> Floats:
    """Half-way between values, and as far beyond the outer ones as on their other side."""
    between = (values[1:] + values[:-1]) / 2
    first, last = 2 * values[0] - between[0], 2 * values[-1] - between[-1]
    return np.concatenate([[first], between, [last]])


def _fits(shares: Floats, widths: Floats) -> list[Floats]:
    """Shares that rise in density up to a mode and fall after it, for some modes."""
    densities, count = shares / widths, len(shares)
    modes = np.unique(np.linspace(0, count, min(count, _MOST_MODES_TRIED) + 1).astype(np.intp))
    return [
        np.concatenate(
            [
                isotonic_regression(part, sample_weight=weights, increasing=rises)
                for part, weights, rises in (
                    (densities[:mode], widths[:mode], True),
                    (densities[mode:], widths[mode:], False),
                )
                if len(part)
            ]
        )
        * widths
        for mode in modes
    ]


def _quantiles(values: Floats, edges: Floats, shares: Floats, fitted: Floats, count: int) -> Floats:
    """So many values of the fitted distribution, at even steps of it."""
    stay = np.minimum(shares, fitted)
    come = fitted - stay
    below = come * (values - edges[:-1]) / np.diff(edges)
    start = np.concatenate([[0.0], np.cumsum(fitted)[:-1]])
    reached = np.column_stack([start, start + below, start + below + stay]).ravel()
    places = np.column_stack([edges[:-1], values, values]).ravel()
    steps = (np.arange(count) + 0.5) / count
    found: Floats = np.interp(steps, np.append(reached, 1.0), np.append(places, edges[-1]))
    return found
