"""Evidence for many models at once: two passes over the points, whatever their number."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial, reduce
from operator import add
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from segspark.clustering.blocks import PointBlocks
from segspark.clustering.evidence import Evidence, evidence_of
from segspark.clustering.sums import ClusterShape, ClusterSums, FitSums, SpreadSums
from segspark.model.clusters import ClusterModel
from segspark.model.scores import Floats


def evaluate(points: PointBlocks, models: Sequence[ClusterModel]) -> list[Evidence]:
    """Judge every model on the same points, by two jobs in all.

    The first holds the clusters of all customers, a byte a model and customer, for the second. The
    driver receives the sums of each block: blocks x models x k x (d + 2) numbers.

    Args:
        points: All customers.
        models: What assigns the points; none give no evidence.

    Returns:
        One per model, in order.
    """
    if not models:
        return []
    with points.noted(partial(_first_looks, tuple(models))) as noted:
        found = list(map(_sum, zip(*noted.each_note(_totals), strict=True)))
        shapes = tuple(
            ClusterShape.of(total.sums, origins=model.centres)
            for total, model in zip(found, models, strict=True)
        )
        spreads = list(map(_sum, zip(*noted.each(partial(_spreads, shapes)), strict=True)))
    return [
        evidence_of(shape, spread, total.fit)
        for shape, spread, total in zip(shapes, spreads, found, strict=True)
    ]


_Sums = TypeVar("_Sums", "_Totals", SpreadSums)


def _sum(parts: Sequence[_Sums]) -> _Sums:
    return reduce(add, parts)


@dataclass(frozen=True, slots=True)
class _Totals:
    """What a first pass adds up of one model."""

    sums: ClusterSums
    fit: FitSums

    def __add__(self, other: Self) -> Self:
        return type(self)(self.sums + other.sums, self.fit + other.fit)


@dataclass(frozen=True, slots=True, eq=False)
class _FirstLook:
    """One model on one block: what adds up, and the clusters for the second pass."""

    totals: _Totals
    labels: NDArray[np.unsignedinteger[Any]]


def _first_looks(models: Sequence[ClusterModel], points: Floats) -> list[_FirstLook]:
    return [_first_look(model, points) for model in models]


def _first_look(model: ClusterModel, points: Floats) -> _FirstLook:
    scores = model.score(points)
    sums = ClusterSums.of(points, scores.cluster_index, origins=model.centres)
    labels = scores.cluster_index.astype(np.min_scalar_type(model.k - 1))
    return _FirstLook(_Totals(sums, FitSums.of(scores)), labels)


def _totals(looks: Sequence[_FirstLook]) -> list[_Totals]:
    return [look.totals for look in looks]


def _spreads(
    shapes: Sequence[ClusterShape], points: Floats, looks: Sequence[_FirstLook]
) -> list[SpreadSums]:
    return [
        SpreadSums.of(points, look.labels.astype(np.int32), shape=shape)
        for shape, look in zip(shapes, looks, strict=True)
    ]
