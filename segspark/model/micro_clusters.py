"""Segments that are made of many small clusters, so they may have any shape."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np

from segspark.model.scores import (
    CACHED_ROWS,
    Floats,
    Indices,
    Places,
    PointScore,
    Scores,
    checked_points,
    first_score,
    lead_over,
    lengths,
    margin_over,
    score_in_chunks,
    squared_distances,
)


@dataclass(frozen=True, slots=True, eq=False)
class MicroClusters:
    """Customers in so many small clusters that these stand for them.

    Attributes:
        centres: A point belongs to the nearest one, the first of equally near ones, shape (m, d).
        counts: Customers of each, above 0, shape (m,).
        radii: Root mean square distance of its customers to its centre, shape (m,).
    """

    centres: Floats
    counts: Floats
    radii: Floats

    @property
    def usual_radius(self) -> float:
        """The least radius such that nine customers in ten are in no wider micro-cluster."""
        order = np.argsort(self.radii, kind="stable")
        reached = np.cumsum(self.counts[order])
        return float(self.radii[order][np.searchsorted(reached, 0.9 * reached[-1])])

    def of(self, places: Places) -> Self:
        """Those at the given places, in their order."""
        return type(self)(self.centres[places], self.counts[places], self.radii[places])

    def means_of(self, segments: Indices) -> Floats:
        """Mean of the customers of each segment, (m,) indices from 0 up give (k, d)."""
        totals = np.bincount(segments, self.counts)
        sums = [np.bincount(segments, self.counts * column) for column in self.centres.T]
        means: Floats = np.stack(sums, axis=1) / totals[:, None]
        return means


@dataclass(frozen=True, slots=True, eq=False)
class MicroClusterModel:
    """A point belongs to the segment of its nearest micro-cluster.

    Confidence is (d2 - d1) / d2 with d1 the distance to the nearest micro-cluster and d2 the one
    to the nearest of another segment; by agreement, where there is such, it is how much more the
    nearest micro-cluster goes with its own segment than with the runner-up.

    Attributes:
        micro: The micro-clusters.
        segments: The segment of each, 0 to k - 1, shape (m,).
        centres: One per segment, shape (k, d).
        merges: How they were joined, as SciPy's linkage matrix, shape (m - 1, 4); None where no
            tree was made.
        agreement: Share of the clusterings, 0 to 1, in which each goes with the customers of each
            segment, shape (m, k); None for all but a consensus.
        reach: A point farther than that of its segment from all micro-clusters is explained by
            none, shape (k,); None: there is no such.
    """

    kind: ClassVar[str] = "micro_clusters"
    micro: MicroClusters
    segments: Indices
    centres: Floats
    merges: Floats | None = None
    agreement: Floats | None = None
    reach: Floats | None = None
    _by_segment: tuple[Places, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        members = tuple(np.flatnonzero(self.segments == place) for place in range(self.k))
        object.__setattr__(self, "_by_segment", members)

    @property
    def k(self) -> int:
        return len(self.centres)

    def assign(self, points: Floats) -> Indices:
        """Return the segment of each of the (n, d) points, shape (n,)."""
        own: Indices = self.segments[self._nearest(points)[0]]
        return own

    def score(self, points: Floats) -> Scores:
        """Score (n, d) points; distances refer to the segments' centres."""
        checked = checked_points(points, width=self.centres.shape[1])
        return score_in_chunks(checked, self._score_chunk)

    def score_point(self, point: Sequence[float]) -> PointScore:
        """Score one point of d coordinates."""
        return first_score(self.score(np.array([point])))

    def _nearest(self, points: Floats) -> tuple[Places, Floats]:
        """The nearest micro-cluster, (n,), and the squared distance to each segment's, (n, k)."""
        nearest = np.empty(len(points), dtype=np.intp)
        squared = np.empty((self.k, len(points))).T  # as `first_least` is quick to read
        for start in range(0, len(points), CACHED_ROWS):
            part = slice(start, start + CACHED_ROWS)
            distances = squared_distances(points[part], self.micro.centres).T
            nearest[part] = distances.argmin(axis=0)
            for place, members in enumerate(self._by_segment):
                squared[part, place] = distances[members].min(axis=0)
        return nearest, squared

    def _score_chunk(self, points: Floats) -> Scores:
        nearest, squared = self._nearest(points)
        own = self.segments[nearest]
        reached = np.sqrt(squared[np.arange(len(points)), own])
        if self.agreement is None:
            runner_up, confidence = margin_over(squared, own)
        else:
            runner_up, confidence = lead_over(self.agreement.T[:, nearest].T, own)
        distance = lengths(points - self.centres[own])
        is_beyond = reached > (np.inf if self.reach is None else self.reach[own])
        return Scores.of(own, runner_up, distance, confidence, is_out_of_range=is_beyond)

    def to_dict(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "micro_centres": self.micro.centres.tolist(),
            "micro_counts": self.micro.counts.tolist(),
            "micro_radii": self.micro.radii.tolist(),
            "segments": self.segments.tolist(),
            "centres": self.centres.tolist(),
            "merges": None if self.merges is None else self.merges.tolist(),
            "agreement": None if self.agreement is None else self.agreement.tolist(),
            "reach": None if self.reach is None else self.reach.tolist(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote, bit for bit; once it wrote one reach for all segments."""
        reach, segments = data["reach"], len(data["centres"])
        return cls(
            micro=MicroClusters(
                *(_floats(data[f"micro_{name}"]) for name in ("centres", "counts", "radii"))
            ),
            segments=np.array(data["segments"], dtype=np.int32),
            centres=_floats(data["centres"]),
            merges=None if data["merges"] is None else _floats(data["merges"]).reshape(-1, 4),
            agreement=None if data["agreement"] is None else _floats(data["agreement"]),
            reach=None if reach is None else np.full(segments, reach, dtype=np.float64),
        )


def _floats(values: Any) -> Floats:  # noqa: ANN401 - nested lists of JSON
    return np.array(values, dtype=np.float64)
