"""Points in blocks without Spark: what `point_blocks` would hold, in memory."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from segspark.clustering.blocks import FigureOf, Places, PointBlocks
from segspark.errors import ClusteringError
from segspark.model.scores import Floats


@dataclass(frozen=True, slots=True)
class MemoryBlocks(PointBlocks):
    """Blocks on the driver: everything but the way to the workers is the product's own."""

    blocks: Sequence[tuple[Places, Floats]]

    def _each(self, figure_of: FigureOf, width: int) -> list[Any]:  # noqa: ARG002 - as there
        return [figure_of(*block) for block in self.blocks]


def memory_blocks(points: Floats, *, parts: int = 3) -> MemoryBlocks:
    """Lay (n, d) points out by a random hash of each, in so many blocks."""
    places = np.random.default_rng(1).integers(-(2**63), 2**63 - 1, len(points))
    order = np.argsort(places)
    blocks = []
    for part in range(parts):
        own = order[places[order] % parts == part]
        if len(own):
            blocks.append((places[own], points[own]))
    nowhere: Any = None
    return MemoryBlocks(nowhere, nowhere, len(points), points.shape[1], blocks)


@contextmanager
def held_in_memory(points: Floats) -> Iterator[PointBlocks]:
    """Stand in for `point_blocks`, given an array in place of a table."""
    if not len(points):
        raise ClusteringError("there are no customers to cluster: build features that keep some")
    yield memory_blocks(points)
