"""Bisecting KMeans: all splits of a tree move at once, a step a pass; one tree serves all k."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Self

import numpy as np
from numpy.typing import NDArray

from segspark.clustering.centre_steps import CentreSet
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
        halves: Two centres on their way, within the part alone.
    """

    part: int
    halves: CentreSet

    @property
    def parent(self) -> int | None:
        """The split whose half it cuts; None where it cuts all points."""
        return None if self.part == 0 else (self.part - 1) // 2


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
        """Sum of squared distances to the means of the halves, shape (splits,)."""
        lengths = np.square(self.sums[..., :-1]).sum(axis=-1)
        halves = self.squares - lengths / np.maximum(self.sums[..., -1], 1.0)
        costs: Floats = np.maximum(halves, 0.0).sum(axis=1)
        return costs

    @classmethod
    def of(cls, points: Floats, splits: Sequence[Split]) -> Self:
        """Add up (n, d) points; one in the middle of a split falls into its first half."""
        centres = np.array([split.halves.centres for split in splits])
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


@dataclass(frozen=True, slots=True, eq=False)
class SplitSteps:
    """Lloyd's algorithm within every split of a tree at once.

    A split settles once the one above it has, and then rests: what is cut later, and how often,
    changes nothing before it.

    Attributes:
        splits: In the order in which they are made; none where all points are one.
        root: Mean of the points of the last step; before the first, of those that the splits come
            from; shape (d,).
    """

    splits: tuple[Split, ...]
    root: Floats

    @property
    def is_settled(self) -> bool:
        return all(split.halves.is_settled for split in self.splits)

    def sums(self, points: Floats) -> SideSums:
        """Add up (n, d) points by the halves of all splits."""
        return SideSums.of(points, self.splits)

    def stepped(self, sums: SideSums) -> Self:
        """Move the halves of each split that has not settled, as KMeans does."""
        total = sums.sums[0].sum(axis=0)
        steps = zip(self.splits, sums.sums, sums.costs, strict=True)
        return type(self)(
            tuple(self._moved(split, part, float(cost)) for split, part, cost in steps),
            total[:-1] / total[-1],
        )

    def _moved(self, split: Split, sums: Floats, cost: float) -> Split:
        if split.halves.is_settled:
            return split
        moved = split.halves.moved(sums, cost)
        if split.parent is not None and not self.splits[split.parent].halves.is_settled:
            # The next step may be about other points: neither shift nor cost tells anything yet.
            moved = replace(moved, cost=np.inf, is_settled=False)
        return Split(split.part, moved)

    def models(self, segment_counts: Sequence[int]) -> list[tuple[ClusterModel, int]]:
        """The tree of each number of segments; one of fewer where there are not enough splits.

        Each tree is the one before it with one more part cut.
        """
        return [self._model(self.splits[: asked - 1]) for asked in segment_counts]

    def _model(self, splits: Sequence[Split]) -> tuple[ClusterModel, int]:
        return _tree(splits, self.root), max((split.halves.steps for split in splits), default=0)


def _tree(splits: Sequence[Split], root: Floats) -> BisectingTree:
    """The tree that splits make, leaves numbered from left to right."""
    cut_by = {split.part: place for place, split in enumerate(splits)}
    nodes: list[TreeNode] = []
    leaves = count()

    def append(part: int, centre: Floats) -> int:
        position = len(nodes)
        values = tuple(float(value) for value in centre)
        nodes.append(TreeNode(values))
        if part in cut_by:
            place = cut_by[part]
            first, second = splits[place].halves.centres
            children = (append(2 * place + 1, first), append(2 * place + 2, second))
            nodes[position] = TreeNode(values, children)
        else:
            nodes[position] = TreeNode(values, cluster_index=next(leaves))
        return position

    append(0, root)
    return BisectingTree(tuple(nodes))
