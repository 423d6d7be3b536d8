"""KMeans of many candidates at once: one pass over the points takes all of them a step on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from segspark.clustering.stepping import SetSums, chunks, spans_of
from segspark.model.clusters import Centres
from segspark.model.scores import Floats

SETTLED_SHIFT = 1e-4
"""Spark's tolerance: a candidate has settled when no centre moves farther in a step."""

_SETTLED_GAIN = 1e-7
"""Nor does it go on when a step lowers the cost by no larger a part: nobody could see it."""
PASS_GAIN = 1e-5
"""The part of the cost that a pass over all customers must gain to be worth another: far less than
what two starts differ by."""


@dataclass(frozen=True, slots=True, eq=False)
class CentreSet:
    """Centres of one candidate on their way.

    Attributes:
        centres: Shape (k, d).
        cost: Sum of squared distances to the centres of the step before; infinite before the first.
        steps: Steps made.
        is_settled: Whether the last one moved nothing any more.
        gain: The part of the cost below which a step counts as none.
    """

    centres: Floats
    cost: float = np.inf
    steps: int = 0
    is_settled: bool = False
    gain: float = _SETTLED_GAIN

    @property
    def k(self) -> int:
        return len(self.centres)

    @property
    def model(self) -> Centres:
        return Centres(self.centres)

    def moved(self, sums: Floats, figure: float) -> Self:
        """Move each centre to the mean of its points; one without points stays.

        Args:
            sums: Sum of the points of each centre and, last, their count, shape (k, d + 1).
            figure: The cost.
        """
        counts = sums[:, -1:]
        centres = np.where(counts > 0, sums[:, :-1] / np.maximum(counts, 1.0), self.centres)
        shifts = np.square(centres - self.centres).sum(axis=1)
        is_settled = bool(
            shifts.max() <= SETTLED_SHIFT**2 or self.cost - figure < self.gain * figure
        )
        return type(self)(centres, figure, self.steps + 1, is_settled, self.gain)


def nearest_sums(points: Floats, sets: Sequence[CentreSet]) -> SetSums:
    """Add up (n, d) points by their nearest centre; the first of equally near ones.

    All squared distances, but for the point's own length, are one matrix product, and so are all
    sums: a point enters a sum where its distance is the least of the set.

    Returns:
        Sum of the points of each centre and, last, their count; the cost of each set.
    """
    centres = np.concatenate([each.centres for each in sets])
    factors = np.column_stack([-2.0 * centres, np.einsum("kd,kd->k", centres, centres)])
    spans = spans_of([each.k for each in sets])
    sums = np.zeros(factors.shape)
    costs = np.full(len(sets), np.einsum("nd,nd->", points, points))
    for columns in chunks(points):
        distances = factors @ columns
        is_nearest = np.empty(distances.shape)
        for order, (start, end) in enumerate(spans):
            part, own = distances[start:end], is_nearest[start:end]
            least = part.min(axis=0)
            costs[order] += least.sum()
            np.equal(part, least, out=own)
            if own.sum() > len(least):
                own[:] = part.argmin(axis=0) == np.arange(end - start)[:, None]
        sums += is_nearest @ columns.T
    return SetSums(sums, costs)
