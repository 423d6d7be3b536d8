"""Whether values have one mode or several, and what they would be like with one.

The nearest distribution of one mode is that of the highest likelihood: the greatest convex minorant
of the distribution function below the mode and the least concave majorant above it (Grenander 1956,
*Skand. Aktuarietidskr.* 39), with the mode that makes the values most likely.

A value that several customers share stands for all that are nearer to it than to others: bought
once or twice is no mode of its own.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import isotonic_regression

from segspark.model.scores import Floats

_FEWEST_VALUES = 10
"""Fewer are levels, such as yes and no, and no modes."""
_MOST_MODES_TRIED = 30
_DIGITS = 1e-9
"""Of the range of the values: in later ones the same ratio of other numbers differs."""
_CHANCE = 1.25
"""By the root of the number of customers: the largest difference of distribution functions that
2,000 even values, the worst case of one mode, exceed about once in twenty draws."""
_EVEN = 1e-9
"""A difference of shares that rounding makes."""


@dataclass(frozen=True, slots=True, eq=False)
class _OneMode:
    """The nearest distribution of one mode, by the m values that there are.

    Attributes:
        values: Ascending, shape (m,).
        edges: Borders of what each value stands for, shape (m + 1,).
        shares: Of the customers at each value, shape (m,).
        fitted: Those that one mode would put there, shape (m,).
    """

    values: Floats
    edges: Floats
    shares: Floats
    fitted: Floats

    @property
    def stay(self) -> Floats:
        """Shares of customers that remain at their value."""
        return np.minimum(self.shares, self.fitted)

    def quantiles(self, count: int) -> Floats:
        """So many values at even steps; who comes to a value is even over all it stands for."""
        start = np.cumsum(self.fitted) - self.fitted
        come = (self.fitted - self.stay) * (self.values - self.edges[:-1]) / np.diff(self.edges)
        reached = np.column_stack([start, start + come, start + come + self.stay]).ravel()
        places = np.column_stack([self.edges[:-1], self.values, self.values]).ravel()
        steps = (np.arange(count) + 0.5) / count
        found: Floats = np.interp(steps, np.append(reached, 1), np.append(places, self.edges[-1]))
        return found


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


def single_mode(values: Floats) -> Floats | None:
    """What values would be like with one mode, ascending; None where they have one already."""
    fit = _several_modes(values)
    return None if fit is None else fit.quantiles(len(values))


def valley(values: Floats) -> float | None:
    """Where values are few between modes: the middle of where one mode would put most more.

    Returns:
        None where the values have one mode.
    """
    fit = _several_modes(values)
    if fit is None:
        return None
    # Above zero the fit has put more there so far, and the next mode makes up for it; below zero
    # the last mode had more, and the fit makes up for it.
    ahead = np.append(0.0, np.cumsum(fit.fitted - fit.shares))
    most = int(np.abs(ahead).argmax())
    is_even = np.flatnonzero(np.abs(ahead) < _EVEN)
    other = is_even[is_even < most][-1] if ahead[most] > 0 else is_even[is_even > most][0]
    return float((fit.edges[most] + fit.edges[other]) / 2)


def without_ties(sample: Floats, generator: np.random.Generator) -> Floats:
    """Points whose shared values are spread over all that these stand for, column by column.

    Args:
        sample: Shape (n, d).
        generator: Draws where each goes.

    Returns:
        Shape (n, d); values that a customer has alone are as they were.
    """
    spread = sample.copy()
    for column, drawn in zip(spread.T, generator.uniform(size=sample.T.shape), strict=True):
        values, places, counts = np.unique(
            _rounded(column), return_inverse=True, return_counts=True
        )
        if len(values) > 1:
            edges, is_shared = _edges(values), counts[places] > 1
            even = edges[places] + drawn * np.diff(edges)[places]
            column[is_shared] = even[is_shared]
    return spread


def _several_modes(values: Floats) -> _OneMode | None:
    """The fit to values of several modes; None where they have one."""
    distinct, counts = np.unique(_rounded(values), return_counts=True)
    if len(distinct) < _FEWEST_VALUES:
        return None
    shares, edges = counts / len(values), _edges(distinct)
    fits = _fits(shares, np.diff(edges))
    fitted = max(fits, key=lambda each: float(shares @ np.log(each)))
    difference = float(np.abs(np.cumsum(fitted - shares)).max())
    if difference <= _CHANCE / np.sqrt(len(values)):
        return None
    return _OneMode(distinct, edges, shares, fitted)


def _rounded(values: Floats) -> Floats:
    unit = float(np.ptp(values)) * _DIGITS
    return np.round(values / unit) * unit if unit else values


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
                isotonic_regression(part, weights=weights, increasing=rises).x
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
