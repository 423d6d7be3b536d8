"""A tree of splits, as Spark's BisectingKMeansModel predicts with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from segspark.model.scores import (
    Floats,
    Indices,
    PointScore,
    Scores,
    checked_points,
    first_score,
    margin_scores,
    score_in_chunks,
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
    """A point descends from the root to the nearer child until it reaches a leaf.

    The leaf need not be the one with the nearest centre: confidence is then 0.

    Attributes:
        nodes: The root first, every parent before its children.
        centres: Centres of the leaves by cluster index, shape (k, d).
    """

    kind: ClassVar[str] = "bisecting_tree"
    nodes: tuple[TreeNode, ...]
    centres: Floats = field(init=False, repr=False)

    def __post_init__(self) -> None:
        leaves = {
            node.cluster_index: node.centre for node in self.nodes if node.cluster_index is not None
        }
        centres = np.array([leaves[index] for index in range(len(leaves))], dtype=np.float64)
        object.__setattr__(self, "centres", centres)

    @property
    def k(self) -> int:
        return len(self.centres)

    def assign(self, points: Floats) -> Indices:
        """Return the leaf that each of the (n, d) points reaches, shape (n,)."""
        leaf = np.zeros(len(points), dtype=np.int32)
        at_node: dict[int, NDArray[np.intp]] = {0: np.arange(len(points))}
        for position, node in enumerate(self.nodes):
            rows = at_node.pop(position)
            if node.cluster_index is not None:
                leaf[rows] = node.cluster_index
                continue
            centres = np.array([self.nodes[child].centre for child in node.children])
            nearest = squared_distances(points[rows], centres).argmin(axis=1)
            for order, child in enumerate(node.children):
                at_node[child] = rows[nearest == order]
        return leaf

    def score(self, points: Floats) -> Scores:
        """Score (n, d) points; distances and runner-up refer to the centres of the leaves."""
        checked = checked_points(points, width=self.centres.shape[1])
        return score_in_chunks(
            checked, lambda chunk: margin_scores(chunk, self.centres, self.assign(chunk))
        )

    def score_point(self, point: Sequence[float]) -> PointScore:
        """Score one point of d coordinates."""
        return first_score(self.score(np.array([point])))

    def log_likelihood(self, points: Floats) -> None:
        """There are no densities."""

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
