"""Hierarchical clustering of weighted points: one tree, and the segments of every number in it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import pdist, squareform

from segspark.model.micro_clusters import MicroClusters
from segspark.model.scores import Floats, Indices
from segspark.settings.training import Algorithm


@dataclass(frozen=True, slots=True, eq=False)
class _Union:
    """Two clusters that become one.

    Attributes:
        to_first: Distances of all clusters to the first of the two, shape (m,).
        to_second: To the second.
        between: Distance of the two.
        first: Weight of the first.
        second: Weight of the second.
        weights: Of all, shape (m,).
    """

    to_first: Floats
    to_second: Floats
    between: float
    first: float
    second: float
    weights: Floats


_Updated = Callable[[_Union], Floats]
"""Distances to the union of two, as Lance and Williams (1967) have them."""
_Pair = tuple[int, int, float]
"""Two clusters, each named by a point of its, and their height; the second names the union."""


def linkage_tree(micro: MicroClusters, algorithm: Algorithm) -> Floats:
    """Join the two nearest clusters again and again.

    Ward's distance of two clusters is the growth of the sum of squares by their union, so that
    the tree is the one of as many equal points as each micro-cluster counts; so is the one of
    average linkage, and counts do not matter to complete linkage.

    Args:
        micro: At least one.
        algorithm: Ward, complete or average linkage.

    Returns:
        SciPy's linkage matrix, shape (m - 1, 4): both clusters, height, micro-clusters joined.
    """
    distances, counts = squareform(pdist(micro.centres)), micro.counts
    if algorithm is Algorithm.AVERAGE_LINKAGE:
        return average_tree(distances, counts)
    if algorithm is Algorithm.COMPLETE_LINKAGE:
        return _joined(distances, counts, _complete)
    shared = counts[:, None] * counts / (counts[:, None] + counts)
    merges = _joined(2.0 * shared * distances**2, counts, _ward)
    merges[:, 2] = np.sqrt(merges[:, 2])
    return merges


def average_tree(distances: Floats, counts: Floats) -> Floats:
    """Join by the mean distance of all customers of the one to all of the other.

    Args:
        distances: Shape (m, m), symmetric.
        counts: Customers, shape (m,).

    Returns:
        SciPy's linkage matrix.
    """
    return _joined(distances, counts, _average)


def _joined(distances: Floats, counts: Floats, updated: _Updated) -> Floats:
    """Build the tree by chains of nearest neighbours, in a time that grows with m * m.

    Args:
        distances: Shape (m, m), symmetric.
        counts: Weights, shape (m,).
        updated: What the distances to a union are. A union must be no nearer to others than the
            nearer of its parts, which holds for all of Lance and Williams' but centroid and median.

    Returns:
        SciPy's linkage matrix.
    """
    left, weights = distances.copy(), counts.astype(np.float64)
    np.fill_diagonal(left, np.inf)
    is_open, heights = np.ones(len(left), dtype=np.bool_), np.zeros(len(left))
    chain: list[int] = []
    pairs: list[_Pair] = []
    for _ in range(len(left) - 1):
        if not chain:
            chain.append(int(is_open.argmax()))
        gone, kept = _mutually_nearest(chain, left)
        # Rounding must not put a union below its parts.
        heights[kept] = max(left[gone, kept], heights[gone], heights[kept])
        pairs.append((gone, kept, float(heights[kept])))
        both = (float(left[gone, kept]), float(weights[gone]), float(weights[kept]))
        union = updated(_Union(left[gone], left[kept], *both, weights))
        left[kept] = left[:, kept] = union
        left[gone] = left[:, gone] = left[kept, kept] = np.inf
        weights[kept] += weights[gone]
        is_open[gone] = False
    return _linkage_matrix(pairs)


def _mutually_nearest(chain: list[int], distances: Floats) -> tuple[int, int]:
    """Go on from the chain's end to the nearest, until two are nearest to each other: take them."""
    while True:
        row = distances[chain[-1]]
        nearest = int(row.argmin())
        # Of equally near ones the one before, or a chain could go round for ever.
        if len(chain) > 1 and row[chain[-2]] <= row[nearest]:
            return chain.pop(), chain.pop()
        chain.append(nearest)


def _linkage_matrix(pairs: Sequence[_Pair]) -> Floats:
    """Order the unions by height, which leaves each below those that it is a part of."""
    points = len(pairs) + 1
    clusters, sizes = list(range(points)), [1] * points
    merges = np.empty((len(pairs), 4))
    for step, (gone, kept, height) in enumerate(sorted(pairs, key=lambda pair: pair[2])):
        sizes[kept] += sizes[gone]
        merges[step] = (*sorted((clusters[gone], clusters[kept])), height, sizes[kept])
        clusters[kept] = points + step
    return merges


def segments_of(merges: Floats, count: int) -> Indices:
    """Cut a linkage matrix where it has as many clusters as asked, at most m.

    Returns:
        The cluster of each of the m points, numbered in the order of their first points.
    """
    points = len(merges) + 1
    labels = np.arange(2 * points - 1)
    # Roots first: what is below a join that was made takes the name of the join.
    for step in reversed(range(points - count)):
        first, second = merges[step, :2].astype(np.intp)
        labels[first] = labels[second] = labels[points + step]
    _, first_points, places = np.unique(labels[:points], return_index=True, return_inverse=True)
    order = np.argsort(np.argsort(first_points))
    segments: Indices = order[places].astype(np.int32)
    return segments


def _ward(union: _Union) -> Floats:
    n, m, others = union.first, union.second, union.weights
    growth = (n + others) * union.to_first + (m + others) * union.to_second
    distances: Floats = (growth - others * union.between) / (n + m + others)
    return distances


def _average(union: _Union) -> Floats:
    n, m = union.first, union.second
    distances: Floats = (n * union.to_first + m * union.to_second) / (n + m)
    return distances


def _complete(union: _Union) -> Floats:
    return np.maximum(union.to_first, union.to_second)
