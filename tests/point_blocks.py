"""Points in blocks without Spark: what `point_blocks` would hold, in memory."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Self, TypeVar

import numpy as np

from segspark.clustering.block import Block
from segspark.clustering.blocks import (
    NotedBlocks,
    PointBlocks,
    lowest_of,
    share_of_sample,
)
from segspark.errors import ClusteringError
from segspark.model.scores import Floats

_Figure = TypeVar("_Figure")
_Note = TypeVar("_Note")


@dataclass(frozen=True, slots=True, eq=False)
class MemoryBlocks(PointBlocks):
    """Blocks on the driver: everything but the way to the workers is the product's own."""

    blocks: Sequence[Block]

    def _each(self, figure_of: Callable[[Block], _Figure]) -> list[_Figure]:
        return [figure_of(block) for block in self.blocks]

    @contextmanager
    def noted(self, note_of: Callable[[Floats], _Note]) -> Iterator[NotedBlocks[_Note]]:
        nowhere: Any = None
        notes = [note_of(block.points) for block in self.blocks]
        yield MemoryNotes(nowhere, notes, self.blocks)

    @contextmanager
    def changed(self, change: Callable[[Block], Block], *, row_count: int) -> Iterator[Self]:
        blocks = [each for each in map(change, self.blocks) if len(each.places)]
        assert row_count == sum(len(each.places) for each in blocks)
        yield replace(self, blocks=blocks, row_count=row_count, lowest=change(self.lowest))


@dataclass(frozen=True, slots=True, eq=False)
class MemoryNotes(NotedBlocks[_Note]):
    """Notes on the driver."""

    notes: Sequence[_Note]
    blocks: Sequence[Block]

    def each_note(self, figure_of: Callable[[_Note], _Figure]) -> list[_Figure]:
        return [figure_of(note) for note in self.notes]

    def each(self, figure_of: Callable[[Floats, _Note], _Figure]) -> list[_Figure]:
        return [
            figure_of(block.points, note)
            for block, note in zip(self.blocks, self.notes, strict=True)
        ]


def memory_blocks(points: Floats, *, parts: int = 3) -> MemoryBlocks:
    """Lay (n, d) points out by a random hash of each, in so many blocks."""
    places = np.random.default_rng(1).integers(-(2**63), 2**63 - 1, len(points))
    order = np.argsort(places)
    blocks = []
    for part in range(parts):
        own = order[places[order] % parts == part]
        if len(own):
            blocks.append(Block(places[own], points[own]))
    share = share_of_sample(len(points))
    lowest = lowest_of([block.lowest(share) for block in blocks])
    nowhere: Any = None
    return MemoryBlocks(nowhere, nowhere, len(points), lowest, blocks)


@contextmanager
def held_in_memory(points: Floats) -> Iterator[PointBlocks]:
    """Stand in for `point_blocks`, given an array in place of a table."""
    if not len(points):
        raise ClusteringError("there are no customers to cluster: build features that keep some")
    yield memory_blocks(points)
