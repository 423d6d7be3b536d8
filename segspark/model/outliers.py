"""Customers far from all others: which they are, and a cluster model that deals with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Self, get_args

import numpy as np

from segspark.model.clusters import ClusterModel
from segspark.model.isolation_forest import IsolationForest
from segspark.model.scores import (
    Flags,
    Floats,
    Indices,
    PointScore,
    Scores,
    checked_points,
    first_score,
    lengths,
    score_in_chunks,
)

OutlierPolicy = Literal["keep", "clip", "apart"]


@dataclass(frozen=True, slots=True, eq=False)
class OutlierRule:
    """Who is an outlier before anything is clustered, and what becomes of them.

    Attributes:
        policy: `keep`: they are clustered like everybody; `clip`: those farther from the middle
            than the reach are clustered as if they were that far; `apart`: they are a cluster of
            their own.
        middle: Median of all customers in each coordinate, shape (d,).
        reach: Distance to the middle above which a customer is remote; infinite: nobody is.
        forest: What scores how isolated a customer is; None: nothing does.
        isolation_bound: Score above which a customer is isolated.
    """

    policy: OutlierPolicy
    middle: Floats
    reach: float
    forest: IsolationForest | None = None
    isolation_bound: float = 1.0

    def flags(self, points: Floats) -> "OutlierFlags":
        """Look at (n, d) points."""
        distance = lengths(points - self.middle)
        isolation = self.forest.scores(points) if self.forest else np.full(len(points), np.nan)
        return OutlierFlags(
            distance, isolation, isolation > self.isolation_bound, distance > self.reach
        )

    @property
    def looks_for_none(self) -> bool:
        """Whether everybody is like everybody else."""
        return self.policy == "keep" and self.forest is None

    def is_fitted(self, points: Floats) -> Flags:
        """Which of (n, d) points fits see."""
        if self.policy == "apart":
            return ~self.flags(points).is_any
        return np.ones(len(points), dtype=np.bool_)

    def fitted(self, points: Floats) -> Floats:
        """Leave of (n, d) points those that fits see, where they see them: shape (m, d)."""
        return self.seen(points)[self.is_fitted(points)]

    def seen(self, points: Floats) -> Floats:
        """Where fits and clusters take (n, d) points to be.

        That is where they are, unless outliers are clipped: then whoever is beyond the reach is
        moved straight towards the middle, as far as the reach.
        """
        if self.policy != "clip":
            return points
        offsets = points - self.middle
        distance = lengths(offsets)
        shares = np.divide(self.reach, distance, out=np.ones(len(points)), where=distance > 0)
        moved: Floats = self.middle + offsets * shares[:, None]
        return np.where((distance > self.reach)[:, None], moved, points)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; an infinite reach is None."""
        return {
            "policy": self.policy,
            "middle": self.middle.tolist(),
            "reach": self.reach if np.isfinite(self.reach) else None,
            "forest": self.forest.to_dict() if self.forest else None,
            "isolation_bound": self.isolation_bound,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote, bit for bit.

        Raises:
            ValueError: The policy is none that is known.
        """
        forest, reach, policy = data["forest"], data["reach"], data["policy"]
        if policy not in get_args(OutlierPolicy):
            raise ValueError(f"there is no policy {policy!r}")
        return cls(
            policy=policy,
            middle=np.array(data["middle"], dtype=np.float64),
            reach=np.inf if reach is None else float(reach),
            forest=None if forest is None else IsolationForest.from_dict(forest),
            isolation_bound=float(data["isolation_bound"]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class OutlierFlags:
    """One entry a point, shape (n,).

    Attributes:
        distance: To the middle of all customers.
        isolation: Score of the forest; NaN without one.
        is_isolated: That is above the rule's bound.
        is_remote: The distance is above the rule's reach.
    """

    distance: Floats
    isolation: Floats
    is_isolated: Flags
    is_remote: Flags

    @property
    def is_any(self) -> Flags:
        return self.is_isolated | self.is_remote


@dataclass(frozen=True, slots=True, eq=False)
class OutlierAwareModel:
    """A clustering and the rule by which it was made; outliers apart are its last cluster.

    Attributes:
        rule: Who is an outlier, and what becomes of them.
        base: The clustering of all others, or of all.
        apart_centre: Mean of the outliers apart, shape (d,); None where none are.
    """

    kind: ClassVar[str] = "outlier_aware"
    rule: OutlierRule
    base: ClusterModel
    apart_centre: Floats | None = None

    @property
    def k(self) -> int:
        return len(self.centres)

    @property
    def centres(self) -> Floats:
        if self.apart_centre is None:
            return self.base.centres
        return np.vstack([self.base.centres, self.apart_centre])

    def assign(self, points: Floats) -> Indices:
        """Return the cluster of each of the (n, d) points, shape (n,)."""
        labels = self.base.assign(self.rule.seen(points))
        if self.apart_centre is None:
            return labels
        is_apart = self.rule.flags(points).is_any
        return np.where(is_apart, np.int32(self.base.k), labels)

    def score(self, points: Floats) -> Scores:
        """Score (n, d) points where they really are; clusters and confidence follow the policy.

        The confidence of an outlier apart is how far it is beyond the bounds, as a share of its
        distance or of its score; its runner-up is the cluster that it would belong to else.
        """
        checked = checked_points(points, width=self.rule.middle.shape[0])
        return score_in_chunks(checked, self._score_chunk)

    def score_point(self, point: Sequence[float]) -> PointScore:
        """Score one point of d coordinates."""
        return first_score(self.score(np.array([point])))

    def _score_chunk(self, points: Floats) -> Scores:
        flags = self.rule.flags(points)
        found = self.base.score(self.rule.seen(points))
        found = replace(
            found,
            centre_distance=lengths(points - self.base.centres[found.cluster_index]),
            isolation=flags.isolation,
            is_isolated=flags.is_isolated,
            is_remote=flags.is_remote,
        )
        if self.apart_centre is None:
            return found
        is_apart, own = flags.is_any, np.int32(self.base.k)
        apart_distance = lengths(points - self.apart_centre)
        return replace(
            found,
            cluster_index=np.where(is_apart, own, found.cluster_index),
            runner_up_index=np.where(is_apart, found.cluster_index, found.runner_up_index),
            centre_distance=np.where(is_apart, apart_distance, found.centre_distance),
            probability=np.where(is_apart, np.nan, found.probability),
            confidence=np.where(is_apart, _excess(flags, self.rule), found.confidence),
            is_out_of_range=found.is_out_of_range & ~is_apart,
        )

    def to_dict(self) -> dict[str, Any]:
        centre = self.apart_centre
        return {
            "kind": self.kind,
            "rule": self.rule.to_dict(),
            "base": self.base.to_dict(),
            "apart_centre": None if centre is None else centre.tolist(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], *, base: ClusterModel) -> Self:
        """Read what `to_dict` wrote, bit for bit, around a base that was read before."""
        centre = data["apart_centre"]
        return cls(
            rule=OutlierRule.from_dict(data["rule"]),
            base=base,
            apart_centre=None if centre is None else np.array(centre, dtype=np.float64),
        )


def _excess(flags: OutlierFlags, rule: OutlierRule) -> Floats:
    """How far customers are beyond the bounds, the larger of two figures, 0 to 1, shape (n,).

    That is the share of the distance that lies beyond the reach, and the share of the scores above
    the bound that are lower than theirs could be: (score - bound) / (1 - bound).
    """
    distance = np.where(flags.is_remote, flags.distance, np.inf)
    excess = np.where(flags.is_remote, 1.0 - rule.reach / distance, 0.0)
    bound = rule.isolation_bound
    above = np.where(flags.is_isolated, flags.isolation - bound, 0.0) / max(1.0 - bound, 1e-300)
    return np.maximum(excess, above)
