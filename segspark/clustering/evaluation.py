"""Evidence for many models at once: two passes over the points, whatever their number."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Self

from segspark.clustering.blocks import PointBlocks
from segspark.clustering.evidence import Evidence, evidence_of
from segspark.clustering.sums import ClusterShape, ClusterSums, FitSums, SpreadSums
from segspark.model.clusters import ClusterModel
from segspark.model.scores import Floats


def evaluate(points: PointBlocks, models: Sequence[ClusterModel]) -> list[Evidence]:
    """Judge every model on the same points, by two jobs in all.

    The driver receives the sums of each block: blocks x models x k x (d + 2) numbers.

    Args:
        points: All customers.
        models: What assigns the points; none give no evidence.

    Returns:
        One per model, in order.
    """
    if not models:
        return []
    sums = points.add_up([partial(_cluster_sums, model) for model in models])
    shapes = [
        ClusterShape.of(found, origins=model.centres)
        for found, model in zip(sums, models, strict=True)
    ]
    judgements = points.add_up(
        [partial(_judgement, *each) for each in zip(models, shapes, strict=True)]
    )
    return [
        evidence_of(shape, found.spread, found.fit)
        for shape, found in zip(shapes, judgements, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Judgement:
    spread: SpreadSums
    fit: FitSums

    def __add__(self, other: Self) -> Self:
        return type(self)(self.spread + other.spread, self.fit + other.fit)


def _cluster_sums(model: ClusterModel, points: Floats) -> ClusterSums:
    return ClusterSums.of(points, model.assign(points), origins=model.centres)


def _judgement(model: ClusterModel, shape: ClusterShape, points: Floats) -> _Judgement:
    scores = model.score(points)
    return _Judgement(
        SpreadSums.of(points, scores.cluster_index, shape=shape),
        FitSums.of(points, scores, model=model),
    )
