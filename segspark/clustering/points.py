"""Points that fits read: all customers in blocks on Spark's workers, or a few in memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from segspark.clustering.stepping import SumsOf
from segspark.model.scores import Floats


class Points(Protocol):
    """What a fit asks of points, wherever they are."""

    def add_up(self, sums_of: Sequence[SumsOf]) -> list[Any]:
        """Add up several figures over all points, in one pass."""

    def sample(self, rows: int) -> Floats:
        """At most so many points, the same ones each time, shape (n, d)."""

    def distinct_points(self, *, most: int) -> int:
        """Count distinct points, up to `most`."""


@dataclass(frozen=True, slots=True, eq=False)
class MemoryPoints:
    """Points at hand.

    Attributes:
        values: Shape (n, d).
    """

    values: Floats

    def add_up(self, sums_of: Sequence[SumsOf]) -> list[Any]:
        return [each(self.values) for each in sums_of]

    def sample(self, rows: int) -> Floats:
        return self.values[:rows]

    def distinct_points(self, *, most: int) -> int:
        return min(most, len(np.unique(self.values, axis=0)))
