"""Points as few large blocks that every pass of a sweep reads, laid out the same way always."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial, reduce
from operator import add
from typing import Any, Generic, Self, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from py4j.protocol import Py4JError
from pyspark import RDD, StorageLevel
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F
from threadpoolctl import threadpool_limits

from segspark.clustering.stepping import SumsOf
from segspark.errors import ClusteringError
from segspark.model.embedding import Embedding
from segspark.model.scores import Floats
from segspark.tables.engine_errors import engine_sentences

ROWS_PER_BLOCK = 125_000
"""So many that a task takes longer than Spark takes to start it, and a core has memory for some."""
SAMPLED_ROWS = 50_000
"""Customers whose points the driver holds: no fit and no figure on a sample asks for more."""
_BLOCK = "places binary, points binary"

Batches = Iterator[pa.RecordBatch]
Hashes = NDArray[np.int64]
_Figure = TypeVar("_Figure")
_Note = TypeVar("_Note")


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Some customers' points, in the order of their places.

    Attributes:
        places: A hash of each customer_id, shape (n,).
        points: Shape (n, d).
    """

    places: Hashes
    points: Floats

    def sums(self, sums_of: Sequence[SumsOf]) -> list[Any]:
        """Work several figures out."""
        return _alone(lambda points: [each(points) for each in sums_of], self.points)

    def lowest(self, rows: int) -> "Block":
        """Take those of the lowest hashes."""
        return Block(self.places[:rows], self.points[:rows])

    def embedded(self, embedding: Embedding) -> "Block":
        """The same customers' embedded points."""
        return Block(self.places, embedding.embed(self.points))

    def distinct(self, *, most: int) -> Floats:
        """Find distinct points, all of them or `most`."""
        few: Floats = np.unique(self.points[: 16 * most], axis=0)
        return few[:most] if len(few) >= most else np.unique(self.points, axis=0)[:most]


@dataclass(frozen=True, slots=True, eq=False)
class PointBlocks:
    """All customers' points, in an order that depends on their ids alone.

    Attributes:
        frame: places (binary: a hash of each customer_id, int64), points (binary: float64, row by
            row), one row a block; worked out whenever it is read.
        held: The same as pairs of bytes, held by the executors. An RDD: a pass over a frame of
            Arrow batches costs twice the time, and there are dozens.
        row_count: Customers.
        lowest: Those of the lowest hashes, `SAMPLED_ROWS` of them, on the driver.
    """

    frame: DataFrame
    held: RDD[tuple[bytes, bytes]]
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
            Shape (n, d).
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
        pairs = self.held.map(lambda held: (held, _alone(note_of, _block(held).points)))
        pairs = pairs.persist(StorageLevel.MEMORY_AND_DISK)
        try:
            yield NotedBlocks(pairs)
        finally:
            with suppress(Py4JError, PySparkException):
                pairs.unpersist()

    @contextmanager
    def changed(self, change: Callable[[Block], Block]) -> Iterator[Self]:
        """Hold other points of the same customers, or of some of them, in the same order.

        Runs a job, which counts what is left.

        Args:
            change: It leaves some customers; it runs in Spark's Python workers.

        Yields:
            The blocks; released afterwards.
        """
        held = self.held.map(lambda held: _bytes_of(change(_block(held))))
        held = held.filter(lambda held: len(held[0]) > 0).persist(StorageLevel.MEMORY_AND_DISK)
        try:
            rows = sum(held.map(lambda held: len(_block(held).places)).collect())
            frame = self.frame.sparkSession.createDataFrame(held, _BLOCK)
            yield replace(self, frame=frame, held=held, row_count=rows, lowest=change(self.lowest))
        finally:
            with suppress(Py4JError, PySparkException):
                held.unpersist()

    def embedded(self, embedding: Embedding) -> AbstractContextManager[Self]:
        """Hold the embedded points of the same customers, in the same order."""
        return self.changed(partial(Block.embedded, embedding=embedding))

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
        return self.held.map(lambda held: figure_of(_block(held))).collect()


@dataclass(frozen=True, slots=True, eq=False)
class NotedBlocks(Generic[_Note]):
    """Blocks of points, and something that was worked out of each.

    Attributes:
        pairs: As in `PointBlocks.held`, each with its note.
    """

    pairs: RDD[tuple[tuple[bytes, bytes], _Note]]

    def each_note(self, figure_of: Callable[[_Note], _Figure]) -> list[_Figure]:
        """Collect a figure of each note, by one job that also works the notes out."""
        return self.pairs.map(lambda pair: figure_of(pair[1])).collect()

    def each(self, figure_of: Callable[[Floats, _Note], _Figure]) -> list[_Figure]:
        """Collect a figure of each block's (n, d) points and its note, by one job."""
        return self.pairs.map(
            lambda pair: _alone(figure_of, _block(pair[0]).points, pair[1])
        ).collect()


def _alone(figure_of: Callable[..., _Figure], *of: object) -> _Figure:
    """Equal sums on any number of cores: BLAS would split them among its threads."""
    with threadpool_limits(limits=1):
        return figure_of(*of)


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
        .mapInArrow(_packed, _BLOCK)
    )
    held = frame.rdd.map(_pair).persist(StorageLevel.MEMORY_AND_DISK)
    try:
        share = share_of_sample(rows)
        with engine_sentences("laying out the customers' points", error=ClusteringError):
            parts = held.map(lambda each: _block(each).lowest(share)).collect()
        yield PointBlocks(frame, held, rows, lowest_of(parts))
    finally:
        with suppress(Py4JError, PySparkException):
            held.unpersist()


def _pair(row: Row) -> tuple[bytes, bytes]:
    return bytes(row["places"]), bytes(row["points"])


def _bytes_of(block: Block) -> tuple[bytes, bytes]:
    return block.places.tobytes(), block.points.tobytes()


def _block(held: tuple[bytes, bytes]) -> Block:
    places = np.frombuffer(held[0], dtype=np.int64)
    return Block(places, np.frombuffer(held[1]).reshape(len(places), -1))


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
    _only_width(each.points.shape[1] for each in blocks)
    places = np.concatenate([each.places for each in blocks])
    order = np.argsort(places, kind="stable")[:SAMPLED_ROWS]
    return Block(places[order], np.concatenate([each.points for each in blocks])[order])


def _packed(batches: Batches) -> Batches:
    """Place (bigint), vector (array<double>) → one block."""
    places: list[Hashes] = []
    points: list[Floats] = []
    for batch in batches:
        if batch.num_rows:
            places.append(batch.column("place").to_numpy(zero_copy_only=False))
            points.append(points_of(batch))
    if places:
        _only_width(part.shape[1] for part in points)
        block = [np.concatenate(places).tobytes(), np.concatenate(points).tobytes()]
        yield pa.RecordBatch.from_arrays(
            [pa.array([part], pa.binary()) for part in block], names=["places", "points"]
        )


def points_of(batch: pa.RecordBatch) -> Floats:
    """Read a batch's `vector` column, array<double>, as shape (n, d).

    Raises:
        ClusteringError: The vectors have not all as many coordinates, one has none, or one of
            these is missing or infinite.
    """
    vectors = batch.column("vector")
    lengths = vectors.value_lengths().fill_null(0).to_numpy()
    if not len(lengths):
        return np.empty((0, 0))
    width = _only_width(np.unique(lengths).tolist())
    points: Floats = vectors.flatten().to_numpy(zero_copy_only=False).reshape(-1, width)
    if not np.isfinite(points).all():
        raise ClusteringError(
            "a customer's vector holds a value that is missing or infinite: say in "
            "training.vector.missing_values what a missing one counts as"
        )
    return points


def _only_width(widths: Iterable[int]) -> int:
    """The number of coordinates that all vectors have."""
    found = sorted(set(widths))
    if len(found) == 1 and found[0] > 0:
        return found[0]
    raise ClusteringError(
        f"customers' vectors have {' or '.join(map(str, found))} coordinates: "
        f"give every customer a number for each of the same columns"
    )
