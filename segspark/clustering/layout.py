"""One defined order and split of the points, so that a result does not depend on the input's."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import numpy as np
import pyarrow as pa
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.errors import ClusteringError
from segspark.model.scores import Floats

ROWS_PER_PARTITION = 100_000


@contextmanager
def fixed_layout(points: DataFrame, *, column: str = "vector") -> Iterator[DataFrame]:
    """Hold the points in an order and split that depend on ids and row count alone.

    Runs two jobs. The rows are a local checkpoint and not a cached frame: Spark ML keeps its own
    blocks only of frames that are not cached, and is more than twice as slow without them.

    Args:
        points: customer_id (unique), vector (array<double>), one row per customer.
        column: Name of the vector in the result.

    Yields:
        customer_id and the vector; released afterwards.

    Raises:
        ClusteringError: There are no points.
    """
    rows = points.count()
    if rows == 0:
        raise ClusteringError("there are no customers to cluster: build features that keep some")
    partitions = max(1, rows // ROWS_PER_PARTITION)
    held = (
        points.select("customer_id", F.col("vector").alias(column))
        .repartition(partitions, "customer_id")
        .sortWithinPartitions("customer_id")
        .localCheckpoint(eager=True)
    )
    try:
        yield held
    finally:
        release(held)


def release(checkpoint: DataFrame) -> None:
    """Free a local checkpoint now rather than when Java collects its garbage."""
    blocking = False
    with suppress(Py4JError, PySparkException):
        checkpoint._jdf.logicalPlan().rdd().unpersist(blocking)  # noqa: SLF001 - no call in PySpark


def sample_points(points: DataFrame, *, rows: int) -> Floats:
    """Collect at most `rows` points, chosen and ordered by a hash of customer_id.

    The same customers give the same sample in the same order, however they are partitioned.

    Returns:
        Shape (n, d).
    """
    chosen = points.orderBy(F.xxhash64("customer_id"), "customer_id").limit(rows).select("vector")
    return np.array([row["vector"] for row in chosen.collect()], dtype=np.float64)


def points_of(batch: pa.RecordBatch) -> Floats:
    """Read a batch's `vector` column, lists of one length without NULL, as shape (n, d)."""
    rows = batch.num_rows
    values = batch.column("vector").flatten().to_numpy(zero_copy_only=False)
    points: Floats = values.reshape(rows, -1) if rows else np.empty((0, 0))
    return points
