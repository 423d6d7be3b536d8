"""The gap statistic: how much lower the within sum is than on data without clusters."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev

from segspark.clustering.engine import Candidate
from segspark.clustering.evidence import Evidence


@dataclass(frozen=True, slots=True)
class CopulaGap:
    """Gap statistic of one candidate on a sample.

    Attributes:
        gap: Mean logarithm of the within sum on data without structure, less that on the sample.
        deviation: Deviation of the former over the draws times the root of 1 + 1 / draws.
    """

    gap: float
    deviation: float


def copula_gaps(
    own: Mapping[Candidate, Evidence], drawn: Mapping[Candidate, Sequence[Evidence]]
) -> dict[Candidate, CopulaGap]:
    """Compare within sums as Tibshirani, Walther and Hastie (2001) do.

    Their null data are uniform; these have the sample's own margins and rank correlations, so that
    skewed or correlated columns alone make no gap. The sample and the draws have as many points
    and are clustered by the same means.

    Args:
        own: Figures of the sample.
        drawn: Figures of each draw of structureless data.

    Returns:
        One per candidate; one whose within sum vanishes somewhere is left out.
    """
    return {
        candidate: _gap(own[candidate], figures)
        for candidate, figures in drawn.items()
        if candidate in own and figures
        if all(each.within_cluster_sum > 0 for each in (own[candidate], *figures))
    }


def _gap(own: Evidence, drawn: Sequence[Evidence]) -> CopulaGap:
    logarithms = [math.log(each.within_cluster_sum) for each in drawn]
    return CopulaGap(
        gap=fmean(logarithms) - math.log(own.within_cluster_sum),
        deviation=pstdev(logarithms) * math.sqrt(1.0 + 1.0 / len(logarithms)),
    )
