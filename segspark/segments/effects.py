"""How much a variable differs between segments: effect sizes first, tests beside them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, fdtrc

from segspark.model.scores import Floats, Places

Counts = NDArray[np.int64]
_FEWEST = 2
"""One alone differs from nothing."""


@dataclass(frozen=True, slots=True)
class VarianceAnalysis:
    """Means compared: analysis of variance of one factor.

    Attributes:
        eta_squared: Share of the variance that lies between the segments, 0 to 1.
        f_statistic: Mean square between over that within; infinite where nothing varies within.
        p_value: Of equal means.
    """

    eta_squared: float
    f_statistic: float
    p_value: float


@dataclass(frozen=True, slots=True)
class RankAnalysis:
    """Ranks compared: the test of Kruskal and Wallis, corrected for ties.

    Attributes:
        epsilon_squared: H / (n - 1), which is the eta squared of the ranks, 0 to 1.
        h_statistic: About chi-squared where no segment tends to larger values.
        degrees_of_freedom: Segments less one.
        p_value: Of that.
    """

    epsilon_squared: float
    h_statistic: float
    degrees_of_freedom: int
    p_value: float


@dataclass(frozen=True, slots=True)
class LevelAnalysis:
    """Shares compared: Pearson's chi-squared test of independence.

    Attributes:
        cramers_v: Corrected for bias (Bergsma, 2013), 0 to 1.
        chi_squared: Without a correction for continuity.
        degrees_of_freedom: (levels - 1) times (segments - 1).
        p_value: Of independence.
        smallest_expected_count: Below 5 the p-value is rough.
    """

    cramers_v: float
    chi_squared: float
    degrees_of_freedom: int
    p_value: float
    smallest_expected_count: float


def cross_table(places: Places, groups: Places) -> Counts:
    """Count pairs: shape (greatest place + 1, greatest group + 1); empty without any."""
    height, width = (int(numbers.max(initial=-1)) + 1 for numbers in (places, groups))
    counts: Counts = np.bincount(places * width + groups, minlength=height * width)
    return counts.reshape(height, width)


def analyse_variance(counts: Counts, means: Floats, variances: Floats) -> VarianceAnalysis | None:
    """Compare means by what is enough to know of each segment.

    Args:
        counts: Customers of each segment, shape (k,).
        means: Of each, shape (k,); not read where there is nobody.
        variances: Population variances, shape (k,); as above.

    Returns:
        None with fewer than two segments, no customer more than segments, or one value only.
    """
    has = counts > 0
    sizes, groups, customers = counts[has], int(has.sum()), int(counts.sum())
    if groups < _FEWEST or customers <= groups:
        return None
    mean = float((sizes * means[has]).sum() / customers)
    between = float((sizes * (means[has] - mean) ** 2).sum())
    within = float((sizes * variances[has]).sum())
    if between + within == 0.0:
        return None
    free, rest = groups - 1, customers - groups
    statistic = (between / free) / (within / rest) if within > 0 else float("inf")
    p_value = float(fdtrc(free, rest, statistic)) if np.isfinite(statistic) else 0.0
    return VarianceAnalysis(between / (between + within), statistic, p_value)


def analyse_ranks(table: Counts) -> RankAnalysis | None:
    """Compare ranks by how often each value is in each segment.

    Args:
        table: Shape (distinct values in ascending order, segments).

    Returns:
        None with fewer than two segments or one value only.
    """
    known = _occupied(table)
    if min(known.shape) < _FEWEST:
        return None
    ties, sizes = known.sum(axis=1), known.sum(axis=0)
    customers = float(ties.sum())
    ranks = np.cumsum(ties) - (ties - 1) / 2.0
    middle = (customers + 1.0) / 2.0
    between = float((sizes * (ranks @ known / sizes - middle) ** 2).sum())
    total = float((ties * (ranks - middle) ** 2).sum())
    share, free = between / total, known.shape[1] - 1
    statistic = share * (customers - 1.0)
    return RankAnalysis(share, statistic, free, float(chdtrc(free, statistic)))


def analyse_levels(table: Counts) -> LevelAnalysis | None:
    """Compare the shares of a category's levels.

    Args:
        table: Customers of each level in each segment, shape (levels, segments).

    Returns:
        None with fewer than two levels or segments that have customers.
    """
    known = _occupied(table)
    levels, segments = known.shape
    if min(levels, segments) < _FEWEST:
        return None
    customers = float(known.sum())
    expected = np.outer(known.sum(axis=1), known.sum(axis=0)) / customers
    statistic = float(((known - expected) ** 2 / expected).sum())
    free = (levels - 1) * (segments - 1)
    return LevelAnalysis(
        cramers_v=_corrected_cramers_v(statistic / customers, levels, segments, customers),
        chi_squared=statistic,
        degrees_of_freedom=free,
        p_value=float(chdtrc(free, statistic)),
        smallest_expected_count=float(expected.min()),
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values so that one false finding among all is as rare as the bound compared to.

    Holm's step down, in the order given.
    """
    ordered, places = _ordered(p_values)
    raised = ordered * np.arange(len(ordered), 0, -1)
    return _placed(np.maximum.accumulate(raised), places)


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values so that the expected share of false findings is below the bound.

    Benjamini and Hochberg's step up, in the order given.
    """
    ordered, places = _ordered(p_values)
    raised = ordered * len(ordered) / np.arange(1, len(ordered) + 1)
    return _placed(np.minimum.accumulate(raised[::-1])[::-1], places)


def _ordered(p_values: Sequence[float]) -> tuple[Floats, NDArray[np.intp]]:
    found = np.asarray(p_values, dtype=np.float64)
    places = np.argsort(found, kind="stable")
    return found[places], places


def _placed(adjusted: Floats, places: NDArray[np.intp]) -> list[float]:
    placed = np.empty(len(adjusted))
    placed[places] = np.minimum(adjusted, 1.0)
    return [float(value) for value in placed]


def _occupied(table: Counts) -> Counts:
    """Without the rows and columns that nobody is in."""
    kept: Counts = table[np.ix_(table.sum(axis=1) > 0, table.sum(axis=0) > 0)]
    return kept


def _corrected_cramers_v(phi: float, levels: int, segments: int, customers: float) -> float:
    free, rest = (levels - 1) * (segments - 1), customers - 1.0
    corrected = max(0.0, phi - free / rest)
    widths = (n - (n - 1) ** 2 / rest for n in (levels, segments))
    most = min(widths) - 1.0
    return min(1.0, float(np.sqrt(corrected / most))) if most > 0.0 else 0.0
