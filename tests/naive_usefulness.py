"""What divisions of customers tell of later spend, by loops that nobody would run on many."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats


def naive_ratios(
    groups: Sequence[object], past: Sequence[float], later: Sequence[float]
) -> tuple[float, float, float]:
    """Share of the ranks of later spend, Gini, share of buying again."""
    means = {name: np.mean(members(past, groups, name)) for name in set(groups)}
    scores = [float(means[name]) for name in groups]
    return (
        naive_share(stats.rankdata(later), groups),
        naive_area(scores, later) / naive_area(later, later),
        naive_share([float(amount > 0) for amount in later], groups),
    )


def naive_share(values: ArrayLike, groups: Sequence[object]) -> float:
    """Share of the variance between groups, both variances by their degrees of freedom."""
    numbers, names = np.asarray(values, dtype=float), set(groups)
    own = [members(numbers.tolist(), groups, name) for name in names]
    within = sum(float(((np.array(each) - np.mean(each)) ** 2).sum()) for each in own)
    return 1 - (within / (len(numbers) - len(names))) / float(numbers.var(ddof=1))


def members(values: Sequence[float], groups: Sequence[object], name: object) -> list[float]:
    """Values of one group."""
    return [value for value, own in zip(values, groups, strict=True) if own == name]


def naive_area(scores: Sequence[float], later: Sequence[float]) -> float:
    """Area between chance and the curve of spend, customers that tie in every order at once."""
    total, customers = sum(later), len(later)
    curve = [(0.0, 0.0)]
    for score in sorted(set(scores), reverse=True):
        tied = [amount for each, amount in zip(scores, later, strict=True) if each == score]
        curve.append((curve[-1][0] + len(tied) / customers, curve[-1][1] + sum(tied) / total))
    return (
        sum((right[0] - left[0]) * (left[1] + right[1]) / 2 for left, right in pairwise(curve))
        - 0.5
    )
