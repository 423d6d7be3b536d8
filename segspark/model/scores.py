"""What a cluster model says about points, and the margin that all nearest-centre models share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from segspark.errors import ClusteringError

Floats = NDArray[np.float64]
Indices = NDArray[np.int32]
Flags = NDArray[np.bool_]
Places = NDArray[np.intp]
"""Positions in an array."""

NO_RUNNER_UP = -1
CACHED_ROWS = 6144
"""So few that their differences to a centre stay in the processor's cache; with 4,096 or fewer
numpy takes half as long again for each."""
CHUNK_ROWS = 10 * CACHED_ROWS


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """One entry per point, in the order of the points; every array has shape (n,).

    Attributes:
        cluster_index: Own cluster, 0 to k - 1.
        runner_up_index: The next best cluster; -1 when there is only one.
        centre_distance: Euclidean distance to the own cluster's centre, in units of the vector.
        probability: Posterior of the own component; NaN for models without probabilities.
        confidence: Lead over the runner-up, 0 (none) to 1; of an outlier apart, how far it is
            beyond the bounds.
        is_out_of_range: No cluster explains the point, so the cluster index means nothing.
        log_density: Logarithm of the density of all clusters together; NaN for models without one.
        isolation: Score of an isolation forest, 0 to 1; NaN for models without one.
        is_isolated: That score is above the model's bound.
        is_remote: Farther from the middle of all customers than the model lets pass.
    """

    cluster_index: Indices
    runner_up_index: Indices
    centre_distance: Floats
    probability: Floats
    confidence: Floats
    is_out_of_range: Flags
    log_density: Floats
    isolation: Floats
    is_isolated: Flags
    is_remote: Flags

    @classmethod
    def of(
        cls,
        cluster_index: Indices,
        runner_up_index: Indices,
        centre_distance: Floats,
        confidence: Floats,
        **known: Floats | Flags,
    ) -> Self:
        """Put together what every model says and what else is `known`; the rest is NaN or False."""
        unknown, no = np.full(len(cluster_index), np.nan), np.zeros(len(cluster_index), np.bool_)
        rest = dict.fromkeys(("probability", "log_density", "isolation"), unknown)
        flags = dict.fromkeys(("is_out_of_range", "is_isolated", "is_remote"), no)
        return cls(
            cluster_index=cluster_index,
            runner_up_index=runner_up_index,
            centre_distance=centre_distance,
            confidence=confidence,
            **(rest | flags | known),
        )

    @classmethod
    def concatenate(cls, parts: Sequence[Self]) -> Self:
        """Join scores of consecutive points; at least one part."""
        names = [field.name for field in fields(cls)]
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


class PointScore(NamedTuple):
    """One point's entry of `Scores`, in plain Python; without the density."""

    cluster_index: int
    runner_up_index: int
    centre_distance: float
    probability: float
    confidence: float
    is_out_of_range: bool = False
    isolation: float = float("nan")
    is_isolated: bool = False
    is_remote: bool = False


def first_score(scores: Scores) -> PointScore:
    """Take the first point's entry."""
    return PointScore(*(getattr(scores, name)[0].item() for name in PointScore._fields))


def checked_points(points: Floats, *, width: int) -> Floats:
    """Return `points` as float64 of shape (n, width).

    Raises:
        ClusteringError: They have another shape.
    """
    checked = np.asarray(points, dtype=np.float64)
    if checked.shape[1:] != (width,):
        raise ClusteringError(
            f"points of shape {checked.shape} do not fit a model of {width} columns: "
            f"give one row per customer and one value per column"
        )
    return checked


def squared_distances(points: Floats, centres: Floats) -> Floats:
    """Squared Euclidean distances: (n, d) points and (k, d) centres give (n, k).

    Differences are squared, not expanded into norms and products, which would lose near ties.
    """
    distances = np.empty((len(centres), len(points)))
    for start in range(0, len(points), CACHED_ROWS):
        part = slice(start, start + CACHED_ROWS)
        columns = np.ascontiguousarray(points[part].T)
        for row, centre in zip(distances, centres, strict=True):
            difference = columns - centre[:, None]
            np.einsum("dn,dn->n", difference, difference, out=row[part])
    return distances.T


def lengths(offsets: Floats) -> Floats:
    """Euclidean lengths of (n, d) offsets, shape (n,)."""
    return np.asarray(np.sqrt(np.einsum("nd,nd->n", offsets, offsets)))


def score_in_chunks(points: Floats, score: Callable[[Floats], Scores]) -> Scores:
    """Apply `score` to at most `CHUNK_ROWS` points at a time; no points give empty scores."""
    starts = range(0, max(len(points), 1), CHUNK_ROWS)
    return Scores.concatenate([score(points[start : start + CHUNK_ROWS]) for start in starts])


def nearest_scores(points: Floats, centres: Floats) -> Scores:
    """Score (n, d) points by their nearest of (k, d) centres, the first of equally near ones."""
    squared = squared_distances(points, centres)
    return scores_by_distance(squared, first_least(squared)[0])


def scores_by_distance(squared: Floats, cluster_index: Indices) -> Scores:
    """Score points whose cluster is known by distances alone.

    Confidence is (d2 - d1) / d2 with d1 the distance to the own centre and d2 the one to the
    nearest other centre; 0 when d2 is 0 or below d1, 1 when there is no other centre.

    Args:
        squared: Squared, to each centre, shape (n, k); no longer what they were afterwards.
        cluster_index: Own clusters, shape (n,).
    """
    own = np.sqrt(squared[np.arange(len(squared)), cluster_index])
    runner_up, confidence = margin_over(squared, cluster_index)
    return Scores.of(cluster_index, runner_up, own, confidence)


def margin_over(squared: Floats, own: Indices) -> tuple[Indices, Floats]:
    """Return the nearest other cluster of each point and its margin (d2 - d1) / d2.

    The margin is 0 when d2 is 0 or below d1; without another cluster the runner-up is -1 and the
    margin 1.

    Args:
        squared: Squared distances to each cluster, shape (n, k); no longer what they were
            afterwards.
        own: The own clusters, shape (n,).
    """
    if squared.shape[1] == 1:
        return _no_other(len(own))
    rows = np.arange(len(own))
    nearest = np.sqrt(squared[rows, own])
    squared[rows, own] = np.inf
    runner_up, other = first_least(squared)
    np.sqrt(other, out=other)
    margin = np.divide(other - nearest, other, out=np.zeros(len(own)), where=other > 0)
    return runner_up, np.maximum(margin, 0.0)


def lead_over(weights: Floats, own: Indices) -> tuple[Indices, Floats]:
    """Return the heaviest other cluster of each point and the lead in weight over it, at least 0.

    Without another cluster the runner-up is -1 and the lead 1.

    Args:
        weights: Of each cluster, 0 to 1, shape (n, k); no longer what they were afterwards.
        own: The own clusters, shape (n,).
    """
    if weights.shape[1] == 1:
        return _no_other(len(own))
    rows = np.arange(len(own))
    heaviest = weights[rows, own]
    weights[rows, own] = -1.0
    runner_up, other = first_most(weights)
    return runner_up, np.maximum(heaviest - other, 0.0)


def first_least(values: Floats) -> tuple[Indices, Floats]:
    """Return where each of n rows of (n, k) numbers is least, at the first of equals, and what.

    Quick where columns are next to each other in memory; k is 1 or more, and nothing is NaN.
    """
    return _first_best(values, np.less, np.minimum)


def first_most(values: Floats) -> tuple[Indices, Floats]:
    """As `first_least`, the largest."""
    return _first_best(values, np.greater, np.maximum)


def _first_best(values: Floats, is_better: np.ufunc, better_of: np.ufunc) -> tuple[Indices, Floats]:
    """Column by column, of all points at once, which `argmin` of few columns is slow at.

    A place is a small number that later columns only raise, which needs no choice for each point.
    """
    small = np.min_scalar_type(values.shape[1])
    place, best = np.zeros(len(values), dtype=small), values[:, 0].copy()
    for column in range(1, values.shape[1]):
        better = is_better(values[:, column], best)
        np.maximum(place, np.multiply(better, small.type(column)), out=place)
        better_of(values[:, column], best, out=best)
    return place.astype(np.int32), best


def _no_other(count: int) -> tuple[Indices, Floats]:
    return np.full(count, NO_RUNNER_UP, dtype=np.int32), np.ones(count)
