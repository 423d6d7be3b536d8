"""Points as few large blocks that every pass of a sweep reads, laid out the same way always."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial, reduce
from operator import add
from typing import Any, Generic, Self, TypeVar

import numpy as np
import pyarrow as pa
from py4j.protocol import Py4JError
from pyspark import RDD, StorageLevel
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from segspark.clustering.block import (
    BLOCK_COLUMNS,
    Batches,
    Block,
    Held,
    block_of,
    bytes_of,
    on_one_thread,
    only_width,
    packed,
)
from segspark.clustering.stepping import SumsOf
from segspark.errors import ClusteringError
from segspark.model.embedding import Embedding
from segspark.model.scores import Floats
from segspark.tables.engine_errors import engine_sentences

ROWS_PER_BLOCK = 125_000
"""So many that a task takes longer than Spark takes to start it, and a core has memory for some."""
SAMPLED_ROWS = 50_000
"""Customers whose points the driver holds: no fit and no figure on a sample asks for more."""

_Figure = TypeVar("_Figure")
_Note = TypeVar("_Note")


@dataclass(frozen=True, slots=True, eq=False)
class PointBlocks:
    """All customers' points, in an order that depends on their ids alone.

    Attributes:
        frame: places (binary: a hash of each customer_id, int64), points (binary: float64, row by
            row), one row a block; worked out whenever it is read.
        held: The same as pairs of bytes, held by the executors. An RDD: a pass over a frame of
            Arrow batches costs twice the time, and there are dozens.
        row_count: Customers.
        lowest: Those of the lowest hashes, `SAMPLED_ROWS` of them, on the driver; where customers
            were left out, what is left of these.
    """

    frame: DataFrame
    held: RDD[Held]
    row_count: int
    lowest: Block

    @property
    def width(self) -> int:
        """Coordinates of a point."""
        return int(self.lowest.points.shape[1])

    def add_up(self, sums_of: Sequence[SumsOf]) -> list[Any]:
        """Add up several figures over all points by one job, block by block in their order.

        Args:
            sums_of: Each takes (n, d) points and gives something that adds up by `+`; it runs in
                Spark's Python workers.
        """
        return reduce(_added, self._each(partial(Block.sums, sums_of=sums_of)))

    def sample(self, rows: int) -> Floats:
        """Return the points of the `rows` customers whose ids have the lowest hashes, in order.

        The same customers give the same sample, however they were partitioned.

        Args:
            rows: At most `SAMPLED_ROWS`.

        Returns:
            Shape (n, d); n is less than `rows` where there are fewer, or some were left out.
        """
        return self.lowest.points[:rows]

    def distinct_points(self, *, most: int) -> int:
        """Count distinct points, up to `most`: by the sample where that has so many."""
        found = self.lowest.distinct(most=most)
        if len(found) < most and self.row_count > len(self.lowest.points):
            found = np.concatenate(self._each(partial(Block.distinct, most=most)))
        return min(most, len(np.unique(found, axis=0)))

    @contextmanager
    def noted(self, note_of: Callable[[Floats], _Note]) -> Iterator["NotedBlocks[_Note]"]:
        """Work something out of each block, and hold it beside the block for a further pass.

        Args:
            note_of: Takes (n, d) points; it runs in Spark's Python workers.

        Yields:
            The blocks with their notes; the notes are released afterwards.
        """
        # Beside a copy of the block: RDD.zip would send all blocks through Python once more.
        pairs = self.held.map(lambda held: (held, on_one_thread(note_of, block_of(held).points)))
        pairs = pairs.persist(StorageLevel.MEMORY_AND_DISK)
        try:
            yield NotedBlocks(pairs)
        finally:
            with suppress(Py4JError, PySparkException):
                pairs.unpersist()

    @contextmanager
    def changed(self, change: Callable[[Block], Block], *, row_count: int) -> Iterator[Self]:
        """Hold other points of the same customers, or of some of them, in the same order.

        Args:
            change: It leaves some customers; it runs in Spark's Python workers.
            row_count: How many it leaves.

        Yields:
            The blocks; released afterwards.
        """
        held = self.held.map(lambda held: bytes_of(change(block_of(held))))
        held = held.filter(lambda held: len(held[0]) > 0).persist(StorageLevel.MEMORY_AND_DISK)
        try:
            frame = self.frame.sparkSession.createDataFrame(held, BLOCK_COLUMNS)
            yield replace(
                self, frame=frame, held=held, row_count=row_count, lowest=change(self.lowest)
            )
        finally:
            with suppress(Py4JError, PySparkException):
                held.unpersist()

    def embedded(self, embedding: Embedding) -> AbstractContextManager[Self]:
        """Hold the embedded points of the same customers, in the same order."""
        return self.changed(partial(Block.embedded, embedding=embedding), row_count=self.row_count)

    def rows(self) -> DataFrame:
        """The points one by one, in their order: vector (array<double>)."""
        width = self.width

        def unpacked(batches: Batches) -> Batches:
            for batch in batches:
                for points in batch.column("points"):
                    values = pa.array(np.frombuffer(points.as_buffer()))
                    offsets = pa.array(np.arange(0, len(values) + 1, width, dtype=np.int32))
                    vectors = pa.ListArray.from_arrays(offsets, values)
                    yield pa.RecordBatch.from_pydict({"vector": vectors})

        return self.frame.mapInArrow(unpacked, "vector array<double>")

    def _each(self, figure_of: Callable[[Block], _Figure]) -> list[_Figure]:
        """Work a figure of each block out; results in their order."""
        return self.held.map(lambda held: figure_of(block_of(held))).collect()


@dataclass(frozen=True, slots=True, eq=False)
class NotedBlocks(Generic[_Note]):
    """Blocks of points, and something that was worked out of each.

    Attributes:
        pairs: As in `PointBlocks.held`, each with its note.
    """

    pairs: RDD[tuple[Held, _Note]]

    def each_note(self, figure_of: Callable[[_Note], _Figure]) -> list[_Figure]:
        """Collect a figure of each note, by one job that also works the notes out."""
        return self.pairs.map(lambda pair: figure_of(pair[1])).collect()

    def each(self, figure_of: Callable[[Floats, _Note], _Figure]) -> list[_Figure]:
        """Collect a figure of each block's (n, d) points and its note, by one job."""
        return self.pairs.map(
            lambda pair: on_one_thread(figure_of, block_of(pair[0]).points, pair[1])
        ).collect()


def _added(first: list[Any], second: list[Any]) -> list[Any]:
    return [add(*pair) for pair in zip(first, second, strict=True)]


@contextmanager
def point_blocks(points: DataFrame) -> Iterator[PointBlocks]:
    """Hold the points in blocks, whose order and sizes depend on ids and row count alone.

    Runs two jobs: a count, and one that shuffles the points by a hash of their ids.

    Args:
        points: customer_id (unique), vector (array<double>), one row per customer.

    Yields:
        The blocks; released afterwards.

    Raises:
        ClusteringError: There are no points, or they have not all as many coordinates, or one of
            these is missing.
    """
    rows = points.count()
    if rows == 0:
        raise ClusteringError("there are no customers to cluster: build features that keep some")
    frame = (
        points.select(F.xxhash64("customer_id").alias("place"), "customer_id", "vector")
        .repartition(max(1, round(rows / ROWS_PER_BLOCK)), "place")
        # Ids of equal hash are so rare that sorting by them as well costs nothing.
        .sortWithinPartitions("place", "customer_id")
        .select("place", "vector")
        .mapInArrow(packed, BLOCK_COLUMNS)
    )
    held = frame.rdd.map(_pair).persist(StorageLevel.MEMORY_AND_DISK)
    try:
        share = share_of_sample(rows)
        with engine_sentences("laying out the customers' points", error=ClusteringError):
            parts = held.map(lambda each: block_of(each).lowest(share)).collect()
        yield PointBlocks(frame, held, rows, lowest_of(parts))
    finally:
        with suppress(Py4JError, PySparkException):
            held.unpersist()


def _pair(row: Row) -> Held:
    return bytes(row["places"]), bytes(row["points"])


def share_of_sample(rows: int) -> int:
    """How many of `rows` customers one block sends for the sample.

    Hashes are even: no block holds many more of the lowest than its share, and as many blocks as
    there are hundreds of thousands of customers need not send the whole sample each.
    """
    share = SAMPLED_ROWS / max(1, round(rows / ROWS_PER_BLOCK))
    return int(share + 10 * share**0.5 + 100)


def lowest_of(blocks: Sequence[Block]) -> Block:
    """Join blocks and take the customers of the lowest hashes, `SAMPLED_ROWS` at most.

    Raises:
        ClusteringError: Points have not as many coordinates in all of them.
    """
    only_width(each.points.shape[1] for each in blocks)
    places = np.concatenate([each.places for each in blocks])
    order = np.argsort(places, kind="stable")[:SAMPLED_ROWS]
    return Block(places[order], np.concatenate([each.points for each in blocks])[order])
