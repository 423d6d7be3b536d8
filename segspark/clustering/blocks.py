"""Points as few large blocks that every pass of a sweep reads, laid out the same way always."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

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
from segspark.model.scores import Floats
from segspark.tables.engine_errors import engine_sentences

ROWS_PER_BLOCK = 125_000
"""So many that a task takes longer than Spark takes to start it, and a core has memory for some."""
_BLOCK = "places binary, points binary"

Batches = Iterator[pa.RecordBatch]
Places = NDArray[np.int64]
FigureOf = Callable[[Places, Floats], Any]
"""Any figure of a block: (n,) hashes and (n, d) points."""


@dataclass(frozen=True, slots=True)
class PointBlocks:
    """All customers' points, in an order that depends on their ids alone.

    Attributes:
        frame: places (binary: a hash of each customer_id, int64), points (binary: float64, row by
            row), one row a block; worked out whenever it is read.
        held: The same as pairs of bytes, held by the executors. An RDD: a pass over a frame of
            Arrow batches costs twice the time, and there are dozens.
        row_count: Customers.
        width: Coordinates of a point.
    """

    frame: DataFrame
    held: RDD[tuple[bytes, bytes]]
    row_count: int
    width: int

    def add_up(self, sums_of: Sequence[SumsOf]) -> list[Any]:
        """Add up several figures over all points by one job, block by block in their order.

        Args:
            sums_of: Each takes (n, d) points and gives something that adds up by `+`; it runs in
                Spark's Python workers.
        """
        width = self.width

        def of_block(places: Places, points: Floats) -> list[Any]:  # noqa: ARG001 - as asked
            # Equal sums on any number of cores: BLAS would split them among its threads.
            with threadpool_limits(limits=1):
                return [each(points) for each in sums_of]

        return reduce(_added, self._each(of_block, width))

    def sample(self, rows: int) -> Floats:
        """Collect the points of the `rows` customers whose ids have the lowest hashes, in order.

        The same customers give the same sample, however they were partitioned.

        Returns:
            Shape (n, d).
        """
        # Hashes are even: no block holds many more of the lowest than its share, and as many blocks
        # as there are hundreds of thousands of customers need not send the whole sample each.
        share = rows / max(1, round(self.row_count / ROWS_PER_BLOCK))
        most = int(share + 10 * share**0.5 + 100)

        def lowest(places: Places, points: Floats) -> tuple[Places, Floats]:
            return places[:most], points[:most]

        parts = self._each(lowest, self.width)
        places = np.concatenate([part[0] for part in parts])
        points: Floats = np.concatenate([part[1] for part in parts])
        return points[np.argsort(places, kind="stable")[:rows]]

    def distinct_points(self, *, most: int) -> int:
        """Count distinct points, up to `most`."""

        def distinct(places: Places, points: Floats) -> Floats:  # noqa: ARG001 - as asked
            few: Floats = np.unique(points[: 16 * most], axis=0)
            return few[:most] if len(few) >= most else np.unique(points, axis=0)[:most]

        return min(most, len(np.unique(np.concatenate(self._each(distinct, self.width)), axis=0)))

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

    def _each(self, figure_of: FigureOf, width: int) -> list[Any]:
        """Apply a function of (n,) hashes and (n, d) points to each block; results in order."""

        def figure(block: tuple[bytes, bytes]) -> Any:  # noqa: ANN401 - whatever it gives
            places = np.frombuffer(block[0], dtype=np.int64)
            return figure_of(places, np.frombuffer(block[1]).reshape(-1, width))

        return self.held.map(figure).collect()


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
    held = frame.rdd.map(_as_bytes).persist(StorageLevel.MEMORY_AND_DISK)
    try:
        with engine_sentences("laying out the customers' points", error=ClusteringError):
            widths = held.map(_width).collect()
        yield PointBlocks(frame, held, rows, _only_width(widths))
    finally:
        with suppress(Py4JError, PySparkException):
            held.unpersist()


def _as_bytes(row: Row) -> tuple[bytes, bytes]:
    return bytes(row["places"]), bytes(row["points"])


def _width(block: tuple[bytes, bytes]) -> int:
    places, points = block
    return len(points) // len(places)


def _packed(batches: Batches) -> Batches:
    """Place (bigint), vector (array<double>) → one block."""
    places: list[Places] = []
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


@contextmanager
def released(checkpoint: DataFrame) -> Iterator[DataFrame]:
    """Free a local checkpoint afterwards rather than when Java collects its garbage."""
    try:
        yield checkpoint
    finally:
        blocking = False
        with suppress(Py4JError, PySparkException):
            checkpoint._jdf.logicalPlan().rdd().unpersist(blocking)  # noqa: SLF001 - no call in PySpark
