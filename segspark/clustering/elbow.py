"""The elbow of a falling cost: where one more segment stops paying."""

from collections.abc import Mapping

import numpy as np

_LEAST_RISE = 1e-12
_FEWEST_COUNTS = 3
"""A line has two ends: the elbow lies between."""


def elbow(costs: Mapping[int, float]) -> int | None:
    """Find the number of segments with the largest difference curve.

    Kneedle (Satopaa, Albrecht, Irwin and Raghavan, 2011) without smoothing, which a handful of
    exact costs needs not, and without a threshold: both are scaled to 0 to 1, and the elbow is
    where the cost lies farthest below the line from the first to the last; the first of equals.

    Args:
        costs: Within sum by number of segments, of one algorithm.

    Returns:
        None with fewer than three numbers, where one between others is missing, as the elbow may
        be that one, or where no cost lies below that line.
    """
    counts = sorted(costs)
    if len(counts) < _FEWEST_COUNTS or counts[-1] - counts[0] >= len(counts):
        return None
    numbers = np.array(counts, dtype=np.float64)
    heights = np.array([costs[count] for count in counts])
    first, last = heights[0], heights[-1]
    if not first > last:
        return None
    shares = (numbers - numbers[0]) / (numbers[-1] - numbers[0])
    differences = (first - heights) / (first - last) - shares
    best = int(differences.argmax())
    return counts[best] if differences[best] > _LEAST_RISE else None
