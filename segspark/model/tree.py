"""A tree of splits, as Spark's BisectingKMeansModel predicts with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np

from segspark.model.scores import (
    Floats,
    Indices,
    PointScore,
    Scores,
    checked_points,
    first_score,
    score_in_chunks,
    scores_by_distance,
    squared_distances,
)


@dataclass(frozen=True, slots=True)
class TreeNode:
    """A split or a leaf.

    Attributes:
        centre: Mean of the training points below, d values.
        children: Positions of the children in the tree's nodes; empty for a leaf.
        cluster_index: The leaf's cluster; None for a split.
    """

    centre: tuple[float, ...]
    children: tuple[int, ...] = ()
    cluster_index: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class BisectingTree:
    """A point descends from the root to the nearer child, the first of equals, until a leaf.

    The leaf need not be the one with the nearest centre: confidence is then 0.

    Attributes:
        nodes: The root first, every parent before its children.
        centres: Centres of the leaves by cluster index, shape (k, d).
    """

    kind: ClassVar[str] = "bisecting_tree"
    nodes: tuple[TreeNode, ...]
    centres: Floats = field(init=False, repr=False)
    _node_centres: Floats = field(init=False, repr=False)
    _leaves: tuple[int, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        positions = {
            node.cluster_index: position
            for position, node in enumerate(self.nodes)
            if node.cluster_index is not None
        }
        leaves = tuple(positions[index] for index in range(len(positions)))
        node_centres = np.array([node.centre for node in self.nodes], dtype=np.float64)
        object.__setattr__(self, "centres", node_centres[list(leaves)])
        object.__setattr__(self, "_node_centres", node_centres)
        object.__setattr__(self, "_leaves", leaves)

    @property
    def k(self) -> int:
        return len(self.centres)

    def assign(self, points: Floats) -> Indices:
        """Return the leaf that each of the (n, d) points reaches, shape (n,)."""
        return self._reached(squared_distances(points, self._node_centres))

    def score(self, points: Floats) -> Scores:
        """Score (n, d) points; distances and runner-up refer to the centres of the leaves."""
        checked = checked_points(points, width=self.centres.shape[1])
        return score_in_chunks(checked, self._score_chunk)

    def _score_chunk(self, points: Floats) -> Scores:
        squared = squared_distances(points, self._node_centres)
        return scores_by_distance(squared.T[list(self._leaves)].T, self._reached(squared))

    def _reached(self, squared: Floats) -> Indices:
        """The leaf of each point by its (n, nodes) squared distances, shape (n,)."""
        below: dict[int, Indices] = {}
        # From the leaves up: a comparison a split, of all points at once.
        for position, node in reversed(list(enumerate(self.nodes))):
            if node.cluster_index is not None:
                below[position] = np.full(len(squared), node.cluster_index, dtype=np.int32)
                continue
            first, *others = node.children
            reached, least = below.pop(first), squared[:, first]
            for child in others:
                is_nearer = squared[:, child] < least
                reached = np.where(is_nearer, below.pop(child), reached)
                least = np.minimum(least, squared[:, child])
            below[position] = reached
        return below[0]

    def score_point(self, point: Sequence[float]) -> PointScore:
        """Score one point of d coordinates."""
        return first_score(self.score(np.array([point])))

    def to_dict(self) -> dict[str, Any]:
        nodes = [
            {
                "centre": list(node.centre),
                "children": list(node.children),
                "cluster_index": node.cluster_index,
            }
            for node in self.nodes
        ]
        return {"kind": self.kind, "nodes": nodes}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote, bit for bit."""
        return cls(
            tuple(
                TreeNode(
                    centre=tuple(float(value) for value in node["centre"]),
                    children=tuple(int(child) for child in node["children"]),
                    cluster_index=node["cluster_index"],
                )
                for node in data["nodes"]
            )
        )
