"""What all cluster models that are served answer, and those of nearest centres."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, Self

import numpy as np

from segspark.model.scores import (
    NO_RUNNER_UP,
    Floats,
    Indices,
    PointScore,
    Scores,
    checked_points,
    first_least,
    nearest_scores,
    score_in_chunks,
    squared_distances,
)


class ClusterModel(Protocol):
    """A fitted clustering that scores points with numpy alone."""

    @property
    def k(self) -> int:
        """Number of clusters."""

    @property
    def centres(self) -> Floats:
        """One centre per cluster, shape (k, d), in units of the vector."""

    def assign(self, points: Floats) -> Indices:
        """Return the cluster of each of the (n, d) points, shape (n,)."""

    def score(self, points: Floats) -> Scores:
        """Score (n, d) points; no points give empty scores."""

    def score_point(self, point: Sequence[float]) -> PointScore:
        """Score one point of d coordinates, as `score` does."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values that `cluster_model_from_dict` reads."""


@dataclass(frozen=True, slots=True, eq=False)
class Centres:
    """Every point belongs to its nearest centre, the first of equally near ones (KMeans).

    Attributes:
        centres: Shape (k, d).
    """

    kind: ClassVar[str] = "centres"
    centres: Floats
    _rows: tuple[tuple[float, ...], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_rows", tuple(map(tuple, self.centres.tolist())))

    @property
    def k(self) -> int:
        return len(self.centres)

    def assign(self, points: Floats) -> Indices:
        """Return the nearest centre of each of the (n, d) points, shape (n,)."""
        return first_least(squared_distances(points, self.centres))[0]

    def score(self, points: Floats) -> Scores:
        """Score (n, d) points by distance; confidence as in `scores_by_distance`."""
        checked = checked_points(points, width=self.centres.shape[1])
        return score_in_chunks(checked, lambda chunk: nearest_scores(chunk, self.centres))

    def score_point(self, point: Sequence[float]) -> PointScore:
        """Score one point of d coordinates, without numpy: for one that takes longer to call."""
        squared = []
        for centre in self._rows:
            total = 0.0
            for coordinate, middle in zip(point, centre, strict=True):
                difference = coordinate - middle
                total += difference * difference
            squared.append(total)
        nearest = min(squared)
        own, distance = squared.index(nearest), math.sqrt(nearest)
        if len(squared) == 1:
            runner_up, confidence = NO_RUNNER_UP, 1.0
        else:
            squared[own] = math.inf
            next_nearest = min(squared)
            runner_up, other = squared.index(next_nearest), math.sqrt(next_nearest)
            confidence = (other - distance) / other if other > 0 else 0.0
        return PointScore(own, runner_up, distance, math.nan, confidence)

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "centres": self.centres.tolist()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote, bit for bit."""
        return cls(np.array(data["centres"], dtype=np.float64))
