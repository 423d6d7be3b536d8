"""The gap statistic: how much lower the within sum is than on data without clusters."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev

import numpy as np

from segspark.clustering.components import mean_and_covariance, principal_components
from segspark.clustering.engine import Candidate
from segspark.clustering.evidence import Evidence
from segspark.clustering.one_thread import one_thread
from segspark.clustering.points import MemoryPoints
from segspark.clustering.structureless import cluster_draws
from segspark.model.scores import Floats
from segspark.settings.training import PcaSettings, SweepSettings


@dataclass(frozen=True, slots=True)
class GapStatistic:
    """Gap statistic of one candidate on a sample.

    Attributes:
        gap: Mean logarithm of the within sum on data without clusters, less that on the sample.
        deviation: Deviation of the former over the draws times the root of 1 + 1 / draws.
    """

    gap: float
    deviation: float


def gap_statistics(
    own: Mapping[Candidate, Evidence], drawn: Mapping[Candidate, Sequence[Evidence]]
) -> dict[Candidate, GapStatistic]:
    """Compare within sums as Tibshirani, Walther and Hastie (2001) do.

    The sample and the draws have as many points and are clustered by the same means. What the draws
    are like is the caller's choice: uniform, as in the paper, or with the sample's own margins and
    rank correlations, so that skewed or correlated columns alone make no gap.

    Args:
        own: Figures of the sample.
        drawn: Figures of each draw of data without clusters.

    Returns:
        One per candidate; one whose within sum vanishes somewhere is left out.
    """
    return {
        candidate: _gap(own[candidate], figures)
        for candidate, figures in drawn.items()
        if candidate in own and figures
        if all(each.within_cluster_sum > 0 for each in (own[candidate], *figures))
    }


def cluster_uniform(
    sample: Floats, candidates: Sequence[Candidate], settings: SweepSettings, *, draws: int
) -> dict[Candidate, list[Evidence]]:
    """Cluster uniform data with the counterpart of each candidate.

    Args:
        sample: Customers' points, shape (n, d); each draw has n points too.
        candidates: What to cluster each draw with.
        settings: How they are fitted, and the seed of fits and draws; the same settings give the
            same result.
        draws: Data sets to draw.

    Returns:
        Figures of the draws; nothing where all customers stand at one point, which has no box.
    """
    if not candidates or not np.ptp(sample, axis=0).any():
        return {}
    generators = np.random.default_rng(settings.seed).spawn(draws)
    return cluster_draws(draw_uniform(sample, generators), candidates, settings)


def draw_uniform(sample: Floats, generators: Sequence[np.random.Generator]) -> list[Floats]:
    """Draw points that lie evenly in the box of the sample's principal components.

    The second reference of Tibshirani, Walther and Hastie (2001), which they prefer: it takes the
    shape of the sample into account, whichever way the columns are turned.

    Args:
        sample: Shape (n, d), not all points the same.
        generators: One per draw.

    Returns:
        One array of shape (n, d) per generator.
    """
    with one_thread():
        mean, covariance = mean_and_covariance(MemoryPoints(sample))
        whole = PcaSettings(component_count=sample.shape[1])
        axes, _ = principal_components(covariance, whole)
        turned = (sample - mean) @ axes.T
        low, high = turned.min(axis=0), turned.max(axis=0)
        return [
            mean + generator.uniform(low, high, sample.shape) @ axes for generator in generators
        ]


def gap_choice(curve: Mapping[int, GapStatistic]) -> int | None:
    """The number of clusters by the one-standard-error rule of the same paper.

    The fewest whose gap is no lower than that of one more less its deviation.

    Args:
        curve: Gap by number of clusters, from 1 up.

    Returns:
        1: there are no clusters; None: no number is it, as far as the curve goes.
    """
    for clusters in sorted(curve):
        more = curve.get(clusters + 1)
        if more is not None and curve[clusters].gap >= more.gap - more.deviation:
            return clusters
    return None


def _gap(own: Evidence, drawn: Sequence[Evidence]) -> GapStatistic:
    logarithms = [math.log(each.within_cluster_sum) for each in drawn]
    return GapStatistic(
        gap=fmean(logarithms) - math.log(own.within_cluster_sum),
        deviation=pstdev(logarithms) * math.sqrt(1.0 + 1.0 / len(logarithms)),
    )
