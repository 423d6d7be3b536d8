"""Points that fits read: all customers in blocks on Spark's workers, or a few in memory."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np

from segspark.clustering.stepping import SumsOf
from segspark.model.embedding import Embedding
from segspark.model.scores import Floats


class Points(Protocol):
    """What a fit asks of points, wherever they are."""

    def add_up(self, sums_of: Sequence[SumsOf]) -> list[Any]:
        """Add up several figures over all points, in one pass."""

    def sample(self, rows: int) -> Floats:
        """At most so many points, the same ones each time, shape (n, d)."""

    def distinct_points(self, *, most: int) -> int:
        """Count distinct points, up to `most`."""

    def embedded(self, embedding: Embedding) -> AbstractContextManager[Self]:
        """Hold the embedded points of the same customers, in the same order."""


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

    @contextmanager
    def embedded(self, embedding: Embedding) -> Iterator[Self]:
        yield type(self)(embedding.embed(self.values))
