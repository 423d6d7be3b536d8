"""Outliers of a training: the rule that a sample gives, and blocks of points that follow it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import numpy as np

from segspark.clustering.block import Block
from segspark.clustering.blocks import SAMPLED_ROWS, PointBlocks
from segspark.clustering.isolation import grow_forest
from segspark.clustering.one_thread import one_thread
from segspark.clustering.points import Points
from segspark.errors import ClusteringError
from segspark.model.clusters import ClusterModel
from segspark.model.outliers import OutlierAwareModel, OutlierRule
from segspark.model.scores import Flags, Floats, lengths
from segspark.settings.training import OutlierSettings


@dataclass(frozen=True, slots=True, eq=False)
class Outliers:
    """Outliers among all customers; where the rule looks for none, nothing is counted.

    Attributes:
        rule: Who they are.
        customers: All customers.
        isolated: Those above the bound of isolation.
        remote: Those beyond the reach, isolated or not.
        either: Those who are one of the two.
        centre: Mean of their points, shape (d,); NaN where there are none.
    """

    rule: OutlierRule
    customers: int
    isolated: int
    remote: int
    either: int
    centre: Floats

    @property
    def changes_points(self) -> bool:
        """Whether fits see other points than those of all customers."""
        counts = {"keep": 0, "clip": self.remote, "apart": self.either}
        return counts[self.rule.policy] > 0

    @property
    def fitted_customers(self) -> int:
        """Customers that fits see."""
        return self.customers - (self.either if self.rule.policy == "apart" else 0)

    def around(self, model: ClusterModel) -> ClusterModel:
        """Make a model of all customers from one that was fitted by the rule."""
        if self.rule.looks_for_none:
            return model
        is_apart = self.rule.policy == "apart" and self.either > 0
        return OutlierAwareModel(self.rule, model, self.centre if is_apart else None)

    @property
    def sentence(self) -> str:
        """What became of them, for a reader; empty where none were looked for."""
        if self.rule.looks_for_none:
            return ""
        found = [f"{self.isolated:,} isolated"] if self.rule.forest else []
        if np.isfinite(self.rule.reach):
            found.append(f"{self.remote:,} farther than {self.rule.reach:.2f} from the middle")
        fates = {
            "keep": "they are clustered like everybody",
            "clip": "those far from the middle are clustered as if they were at that distance",
            "apart": "they are a segment of their own" if self.either else "so none is apart",
        }
        share = f"{100 * self.either / self.customers:.1f} % of all customers"
        return f"Outliers: {' and '.join(found)}, {share}; {fates[self.rule.policy]}."


def outliers_of(points: Points, settings: OutlierSettings, *, seed: int) -> Outliers:
    """Find out who is an outlier by a sample, and count them all in one pass.

    Args:
        points: All customers, at least one.
        settings: Policy, fence and forest.
        seed: Of the forest.

    Raises:
        ClusteringError: A fence is asked for, and most customers stand at one point.
    """
    rule = _rule(points.sample(SAMPLED_ROWS), settings, seed=seed)
    if rule.looks_for_none:
        return Outliers(rule, 0, 0, 0, 0, np.full(len(rule.middle), np.nan))
    (sums,) = points.add_up([partial(_sums, rule=rule)])
    customers, isolated, remote, either = (int(count) for count in sums[:4])
    centre = sums[4:] / either if either else np.full(len(rule.middle), np.nan)
    return Outliers(rule, customers, isolated, remote, either, centre)


def upper_fence(distances: Floats, *, ratio: float) -> float:
    """Tukey's upper fence: the upper quartile and `ratio` quartile distances above it."""
    lower, upper = np.quantile(distances, [0.25, 0.75])
    return float(upper + ratio * (upper - lower))


@contextmanager
def fitted_blocks(points: PointBlocks, outliers: Outliers) -> Iterator[PointBlocks]:
    """Hold the points that fits see: the given ones where all customers are kept as they are."""
    if not outliers.changes_points:
        yield points
        return
    change = partial(_fitted_block, rule=outliers.rule)
    with points.changed(change, row_count=outliers.fitted_customers) as changed:
        yield changed


def _rule(sample: Floats, settings: OutlierSettings, *, seed: int) -> OutlierRule:
    middle, reach = np.median(sample, axis=0), np.inf
    if settings.policy != "keep":
        reach = upper_fence(lengths(sample - middle), ratio=settings.fence_ratio)
        if reach == 0:
            raise ClusteringError(
                "three quarters of the customers stand at one point of the vector, so no distance "
                f"tells who is far from them: take another training.outliers.policy than "
                f"{settings.policy}, or other columns in training.vector"
            )
    # One customer alone is isolated from nobody, and no tree can be grown.
    if settings.isolation_bound is None or len(sample) == 1:
        return OutlierRule(settings.policy, middle, reach)
    with one_thread():
        forest = grow_forest(sample, trees=settings.isolation_trees, seed=seed)
    return OutlierRule(settings.policy, middle, reach, forest, settings.isolation_bound)


def _sums(points: Floats, *, rule: OutlierRule) -> Floats:
    """Customers; isolated, remote, either of the two; sums of the coordinates of the latter."""
    flags = rule.flags(points)
    counted: list[Flags] = [flags.is_isolated, flags.is_remote, flags.is_any]
    counts = [len(points), *(int(flag.sum()) for flag in counted)]
    return np.concatenate([np.array(counts, dtype=np.float64), points[flags.is_any].sum(axis=0)])


def _fitted_block(block: Block, *, rule: OutlierRule) -> Block:
    is_fitted = rule.is_fitted(block.points)
    return Block(block.places[is_fitted], rule.seen(block.points)[is_fitted])
