"""Bisecting KMeans: all splits of a tree move at once, a step a pass; one tree serves all k."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Self

import numpy as np
from numpy.typing import NDArray

from segspark.clustering.centre_steps import SETTLED_SHIFT
from segspark.clustering.stepping import chunks
from segspark.model.clusters import ClusterModel
from segspark.model.scores import Floats
from segspark.model.tree import BisectingTree, TreeNode


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """A part of the points cut in two.

    Attributes:
        part: The part that it cuts: 0 for all points, 2 s + 1 and 2 s + 2 for the halves of split
            s, which comes before this one.
        centres: Of the halves, shape (2, d).
    """

    part: int
    centres: Floats


@dataclass(frozen=True, slots=True, eq=False)
class SideSums:
    """Points added up by the halves that they fall into.

    Attributes:
        sums: Sum of the points of each half and, last, their count, shape (splits, 2, d + 1).
        squares: Sum of their squared lengths, shape (splits, 2).
    """

    sums: Floats
    squares: Floats

    def __add__(self, other: Self) -> Self:
        return type(self)(self.sums + other.sums, self.squares + other.squares)

    @property
    def costs(self) -> Floats:
        """Sum of squared distances to the mean of each half, shape (splits, 2)."""
        return _costs(self.sums, self.squares)

    @property
    def total_cost(self) -> float:
        """Sum of squared distances of all points to their mean."""
        return float(_costs(self.sums[0].sum(axis=0), self.squares[0].sum()))

    @classmethod
    def of(cls, points: Floats, splits: Sequence[Split]) -> Self:
        """Add up (n, d) points; one in the middle of a split falls into its first half."""
        centres = np.array([split.centres for split in splits])
        lengths = np.einsum("shd,shd->sh", centres, centres)
        # The second centre is nearer where this, of a point and 1, is below zero.
        planes = np.column_stack(
            [2.0 * (centres[:, 0] - centres[:, 1]), lengths[:, 1] - lengths[:, 0]]
        )
        sums = np.zeros((2 * len(splits), centres.shape[2] + 1))
        squares = np.zeros(2 * len(splits))
        for columns in chunks(points):
            halves = _halves(planes @ columns, splits)
            sums += halves @ columns.T
            squares += halves @ np.einsum("dn,dn->n", columns[:-1], columns[:-1])
        shape = (len(splits), 2)
        return cls(sums.reshape(*shape, -1), squares.reshape(shape))


def _halves(sides: Floats, splits: Sequence[Split]) -> Floats:
    """1.0 where a point falls into a half, shape (2 splits, n)."""
    is_within: NDArray[np.bool_] = np.empty((1 + 2 * len(splits), sides.shape[1]), dtype=bool)
    is_within[0] = True
    for place, split in enumerate(splits):
        is_second = sides[place] < 0
        np.logical_and(is_within[split.part], ~is_second, out=is_within[2 * place + 1])
        np.logical_and(is_within[split.part], is_second, out=is_within[2 * place + 2])
    return is_within[1:].astype(np.float64)


def _costs(sums: Floats, squares: Floats) -> Floats:
    lengths = np.square(sums[..., :-1]).sum(axis=-1)
    costs: Floats = np.maximum(squares - lengths / np.maximum(sums[..., -1], 1.0), 0.0)
    return costs


@dataclass(frozen=True, slots=True, eq=False)
class SplitSteps:
    """Lloyd's algorithm within every split of a tree at once.

    A split settles once those above it have; then its centres are the means of its halves.

    Attributes:
        splits: In the order in which they are made; none where all points are one.
        root: Mean of the points that the splits come from, shape (d,).
        last: What the last step went by; None before the first.
        steps: Steps made.
        has_settled: Whether the last one moved nothing any more.
    """

    splits: tuple[Split, ...]
    root: Floats
    last: SideSums | None = None
    steps: int = 0
    has_settled: bool = False

    @property
    def is_settled(self) -> bool:
        return self.has_settled or not self.splits

    def sums(self, points: Floats) -> SideSums:
        """Add up (n, d) points by the halves of all splits."""
        return SideSums.of(points, self.splits)

    def stepped(self, sums: SideSums) -> Self:
        """Move each half's centre to the mean of its points; one without points stays."""
        before = np.array([split.centres for split in self.splits])
        counts = sums.sums[..., -1:]
        centres = np.where(counts > 0, sums.sums[..., :-1] / np.maximum(counts, 1.0), before)
        farthest = np.square(centres - before).sum(axis=-1).max()
        splits = tuple(
            Split(split.part, moved) for split, moved in zip(self.splits, centres, strict=True)
        )
        return type(self)(
            splits, self.root, sums, self.steps + 1, bool(farthest <= SETTLED_SHIFT**2)
        )

    def models(self, segment_counts: Sequence[int]) -> list[tuple[ClusterModel, int]]:
        """The tree of each number of segments; one of fewer where there are not enough splits.

        Each tree is the one before it with one more part cut: the one that lowers the sum of
        squared distances most.
        """
        root, order = self.root, []
        if self.last is not None:
            total = self.last.sums[0].sum(axis=0)
            root, order = total[:-1] / total[-1], self._greedy_order(self.last)
        return [
            (_tree(self.splits, order[: asked - 1], root), self.steps) for asked in segment_counts
        ]

    def _greedy_order(self, sums: SideSums) -> list[int]:
        below = sums.costs.sum(axis=1)
        parts = np.concatenate([[sums.total_cost], sums.costs.ravel()])
        gains = {place: parts[split.part] - below[place] for place, split in enumerate(self.splits)}
        order: list[int] = []
        open_parts = {0}
        for _ in self.splits:
            choices = [s for s in gains if s not in order and self.splits[s].part in open_parts]
            best = max(choices, key=lambda place: (gains[place], -place))
            order.append(best)
            open_parts |= {2 * best + 1, 2 * best + 2}
        return order


def _tree(splits: Sequence[Split], chosen: Sequence[int], root: Floats) -> BisectingTree:
    """The tree that the chosen splits make, leaves numbered from left to right."""
    cut_by = {splits[place].part: place for place in chosen}
    nodes: list[TreeNode] = []
    leaves = count()

    def append(part: int, centre: Floats) -> int:
        position = len(nodes)
        values = tuple(float(value) for value in centre)
        nodes.append(TreeNode(values))
        if part in cut_by:
            place = cut_by[part]
            first, second = splits[place].centres
            children = (append(2 * place + 1, first), append(2 * place + 2, second))
            nodes[position] = TreeNode(values, children)
        else:
            nodes[position] = TreeNode(values, cluster_index=next(leaves))
        return position

    append(0, root)
    return BisectingTree(tuple(nodes))
