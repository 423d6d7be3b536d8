"""Sums over customers from which every figure of evidence follows; they add up across batches."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from segspark.model.scores import Floats, Indices, Scores, squared_distances


@dataclass(frozen=True, slots=True, eq=False)
class ClusterSums:
    """Counts and moments of each cluster about a fixed origin of its own.

    An origin inside the cluster keeps the moments exact where a far one would lose their digits.

    Attributes:
        counts: Customers, shape (k,).
        sums: Sums of point - origin, shape (k, d).
        squares: Sums of its squared length, shape (k,).
    """

    counts: Floats
    sums: Floats
    squares: Floats

    @classmethod
    def of(cls, points: Floats, labels: Indices, *, origins: Floats) -> Self:
        """Sum (n, d) points by their (n,) cluster indices."""
        clusters, squares = len(origins), np.zeros(len(points))
        # `bincount` and `take` would make places of the labels each time.
        sums, places = np.empty(origins.shape), labels.astype(np.intp)
        # Column by column: what is next to each other in memory is added up twice as fast.
        for place, column in enumerate(np.ascontiguousarray(points.T)):
            offsets = column - origins[:, place].take(places)
            sums[:, place] = np.bincount(places, offsets, clusters)
            offsets *= offsets
            squares += offsets
        return cls(
            counts=np.bincount(places, minlength=clusters).astype(np.float64),
            sums=sums,
            squares=np.bincount(places, squares, clusters).astype(np.float64),
        )

    def __add__(self, other: Self) -> Self:
        return type(self)(
            self.counts + other.counts, self.sums + other.sums, self.squares + other.squares
        )


@dataclass(frozen=True, slots=True, eq=False)
class ClusterShape:
    """Where the clusters are and how wide; an empty one has a count of 0 and no meaning else.

    Attributes:
        counts: Customers, shape (k,).
        means: Actual means, shape (k, d).
        squares: Sum of squared distances to the own mean, shape (k,).
    """

    counts: Floats
    means: Floats
    squares: Floats

    @classmethod
    def of(cls, sums: ClusterSums, *, origins: Floats) -> Self:
        """Derive the shape from complete sums."""
        divisors = np.maximum(sums.counts, 1.0)
        shifts = sums.sums / divisors[:, None]
        spread = sums.squares - sums.counts * np.einsum("kd,kd->k", shifts, shifts)
        return cls(sums.counts, origins + shifts, np.maximum(spread, 0.0))


@dataclass(frozen=True, slots=True, eq=False)
class SpreadSums:
    """Sums that need the means first.

    Attributes:
        silhouette: Sum of the customers' silhouettes.
        distances: Sum of Euclidean distances to the own mean, shape (k,).
    """

    silhouette: float
    distances: Floats

    @classmethod
    def of(cls, points: Floats, labels: Indices, *, shape: ClusterShape) -> Self:
        """Sum over (n, d) points with (n,) cluster indices."""
        squared = squared_distances(points, shape.means)
        own = squared[np.arange(len(points)), labels]
        return cls(
            silhouette=float(_silhouettes(squared, own, labels, shape=shape).sum()),
            distances=np.bincount(labels, np.sqrt(own), len(shape.counts)).astype(np.float64),
        )

    def __add__(self, other: Self) -> Self:
        return type(self)(self.silhouette + other.silhouette, self.distances + other.distances)


@dataclass(frozen=True, slots=True)
class FitSums:
    """Sums of what a model itself says about customers.

    Attributes:
        confidence: Sum of their leads over the runner-up.
        log_likelihood: Of all of them together; NaN for models without densities.
    """

    confidence: float
    log_likelihood: float

    @classmethod
    def of(cls, scores: Scores) -> Self:
        """Sum over what a model scored."""
        return cls(float(scores.confidence.sum()), float(scores.log_density.sum()))

    def __add__(self, other: Self) -> Self:
        return type(self)(
            self.confidence + other.confidence, self.log_likelihood + other.log_likelihood
        )


def _silhouettes(squared: Floats, own: Floats, labels: Indices, *, shape: ClusterShape) -> Floats:
    """Silhouettes by squared Euclidean distance in closed form, shape (n,).

    Given are the distances to all means, (n, k), no longer what they were afterwards, and those to
    the own one, (n,).

    The mean squared distance to the members of a cluster is the one to its mean plus the
    cluster's mean square; among its own members a customer does not count. This is Spark's
    ClusteringEvaluator (SquaredEuclideanSilhouette); customers alone in a cluster have 0.
    """
    spreads = shape.squares / np.maximum(shape.counts, 1.0)
    sizes = shape.counts[labels]
    within = (own + spreads[labels]) * sizes / np.maximum(sizes - 1.0, 1.0)
    squared += spreads
    squared[:, shape.counts == 0] = np.inf
    squared[np.arange(len(labels)), labels] = np.inf
    nearest = squared.min(axis=1, initial=np.inf)
    larger = np.maximum(within, nearest)
    is_defined = (sizes > 1) & (larger > 0) & np.isfinite(larger)
    silhouettes: Floats = np.zeros(len(labels))
    np.divide(nearest - within, larger, out=silhouettes, where=is_defined)
    return silhouettes
