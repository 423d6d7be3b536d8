"""Evidence for many models at once: two passes over the points, whatever their number."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame

from segspark.clustering.evidence import Evidence, evidence_of
from segspark.clustering.layout import points_of
from segspark.clustering.sums import ClusterShape, ClusterSums, SpreadSums
from segspark.errors import ClusteringError
from segspark.model.clusters import ClusterModel
from segspark.model.scores import Floats

Batches = Iterator[pa.RecordBatch]


def evaluate(points: DataFrame, models: Sequence[ClusterModel]) -> list[Evidence]:
    """Judge every model on the same points, by two jobs in all.

    The driver receives one row of sums per partition: partitions x models x k x (d + 2) numbers.

    Args:
        points: customer_id, vector (array<double>), one row per customer, any partitioning.
        models: What assigns the points; none give no evidence.

    Returns:
        One per model, in order; `centre_cost` refers to the model's centres.
    """
    if not models:
        return []
    totals = _pass(points, lambda values: _cluster_sums(values, models))
    lengths = [model.k * (model.centres.shape[1] + 2) for model in models]
    sums = [
        ClusterSums.from_flat(flat, shape=model.centres.shape)
        for flat, model in zip(_cut(totals, lengths), models, strict=True)
    ]
    shapes = [
        ClusterShape.of(found, origins=model.centres)
        for found, model in zip(sums, models, strict=True)
    ]
    totals = _pass(points, lambda values: _spread_sums(values, models, shapes))
    spreads = [SpreadSums.from_flat(flat) for flat in _cut(totals, [m.k + 1 for m in models])]
    return [evidence_of(*each) for each in zip(sums, shapes, spreads, strict=True)]


def _cluster_sums(values: Floats, models: Sequence[ClusterModel]) -> Floats:
    return np.concatenate(
        [
            ClusterSums.of(values, model.assign(values), origins=model.centres).to_flat()
            for model in models
        ]
    )


def _spread_sums(
    values: Floats, models: Sequence[ClusterModel], shapes: Sequence[ClusterShape]
) -> Floats:
    return np.concatenate(
        [
            SpreadSums.of(values, model.assign(values), shape=shape).to_flat()
            for model, shape in zip(models, shapes, strict=True)
        ]
    )


def _pass(points: DataFrame, sums_of: Callable[[Floats], Floats]) -> Floats:
    def partial_sums(batches: Batches) -> Batches:
        parts = (sums_of(points_of(batch)) for batch in batches if batch.num_rows)
        total = _add(parts)
        if total is not None:
            yield pa.RecordBatch.from_pydict({"sums": pa.array([total.tobytes()], pa.binary())})

    rows = points.select("vector").mapInArrow(partial_sums, "sums binary").collect()
    total = _add(np.frombuffer(row["sums"]) for row in rows)
    if total is None:
        raise ClusteringError(
            "there are no customers to judge a clustering by: build features that keep some"
        )
    return total


def _add(parts: Iterable[Floats]) -> Floats | None:
    total: Floats | None = None
    for part in parts:
        total = part if total is None else total + part
    return total


def _cut(flat: Floats, lengths: Sequence[int]) -> list[Floats]:
    return np.split(flat, np.cumsum(lengths)[:-1])
