"""Which of two unseen events comes first, by when: the one integral that Pareto/NBD needs."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from segspark.lifetime.arrays import CHUNK_ROWS, Floats, Indices
from segspark.lifetime.quadrature import gauss_legendre

_NODES = 40
_NEGLIGIBLE = 40.0
"""What decays to below exp(-40) is cut off."""
_LARGEST_EXPONENT = 600.0


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """An event that happens at a rate ~ Gamma(shape, rate) since time 0.

    Attributes:
        shape: Shape (k,), positive.
        rate: Positive, in the unit of time.
    """

    shape: Floats
    rate: float

    def at(self, rows: slice) -> Self:
        """The event of those rows."""
        return type(self)(self.shape[rows], self.rate)


@dataclass(frozen=True, slots=True, eq=False)
class FirstEvent:
    """Probabilities that an event is the first, and their derivatives.

    Attributes:
        probabilities: Shape (k,), within [0, 1].
        by_shape: Derivative by the event's shape, shape (k,).
        by_rate: Derivative by the event's rate, shape (k,).
        by_other_shape: Derivative by the other event's shape, shape (k,).
        by_other_rate: Derivative by the other event's rate, shape (k,).
    """

    probabilities: Floats
    by_shape: Floats
    by_rate: Floats
    by_other_shape: Floats
    by_other_rate: Floats

    def at(self, rows: Indices) -> Self:
        """Those of the given rows, in that order."""
        by_event = (self.by_shape[rows], self.by_rate[rows])
        by_other = (self.by_other_shape[rows], self.by_other_rate[rows])
        return type(self)(self.probabilities[rows], *by_event, *by_other)


def first_event(event: Waiting, other: Waiting, *, starts: Floats, lengths: Floats) -> FirstEvent:
    """Probability that, neither having happened by t, the event happens by U and before the other.

    With shapes s and n, and rates beta and alpha, of the event and the other, it is the integral
    over y from t to U of
    s (beta + t)^s / (beta + y)^(s + 1) ((alpha + t) / (alpha + y))^n.
    Gauss-Legendre in log(m + y), m the lesser rate, where the integrand is smooth.

    Args:
        event: Shape (k,).
        other: Shape (k,).
        starts: t, shape (k,), at least 0.
        lengths: U - t, shape (k,), at least 0.
    """
    found = np.zeros((5, len(starts)))
    for start in range(0, len(starts), CHUNK_ROWS):
        rows = slice(start, start + CHUNK_ROWS)
        found[:, rows] = _integrate(event.at(rows), other.at(rows), starts[rows], lengths[rows])
    return FirstEvent(*found)


def _integrate(event: Waiting, other: Waiting, starts: Floats, lengths: Floats) -> Floats:
    before_event, before_other = event.rate + starts, other.rate + starts
    least = np.minimum(before_event, before_other)
    width = _log_width(event, other, starts, lengths)
    sums = np.zeros((5, len(starts)))
    for node, weight in zip(*gauss_legendre(_NODES), strict=True):
        waited = least * np.expm1(node * width)
        log_event, log_other = np.log1p(waited / before_event), np.log1p(waited / before_other)
        exponent = node * width - (event.shape + 1.0) * log_event - other.shape * log_other
        mass = weight * np.exp(exponent)
        sums[0] += mass
        sums[1] += mass * log_event
        sums[2] += mass * waited / (before_event + waited)
        sums[3] += mass * log_other
        sums[4] += mass * waited / (before_other + waited)
    sums *= width * least * event.shape / before_event
    total, log_event, share_event, log_other, share_other = sums
    by_rate = ((event.shape + 1.0) * share_event - total) / before_event
    by_other_rate = other.shape * share_other / before_other
    return np.stack([total, total / event.shape - log_event, by_rate, -log_other, by_other_rate])


def _log_width(event: Waiting, other: Waiting, starts: Floats, lengths: Floats) -> Floats:
    """log((m + U) / (m + t)), or less where nothing is left of the integrand before U."""
    before_event, before_other = event.rate + starts, other.rate + starts
    waited = lengths
    for shape, before in ((event.shape, before_event), (other.shape, before_other)):
        exponent = np.minimum(_NEGLIGIBLE / shape, _LARGEST_EXPONENT)
        waited = np.minimum(waited, before * np.expm1(exponent))
    return np.log1p(waited / np.minimum(before_event, before_other))
