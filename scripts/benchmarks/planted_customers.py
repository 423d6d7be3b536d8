"""Customers of known structure, or of none: what a sweep must find, or say that it is not there."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from segspark.model.scores import Floats, Indices

FOUR_CENTRES = np.array([[0.0, 0.0, 0.0], [9.0, 0.0, 0.0], [0.0, 9.0, 0.0], [0.0, 0.0, 9.0]])
_RFM_MEANS = (4.0, 1.0, 3.5)
_RFM_COVARIANCE = ((1.0, -0.5, -0.2), (-0.5, 0.8, 0.4), (-0.2, 0.4, 1.2))
"""Of the logarithms of recency, frequency and money: who bought lately buys often."""


@dataclass(frozen=True, slots=True, eq=False)
class Customers:
    """Customers and what was planted in them.

    Attributes:
        planted: What is there, in a few words.
        points: Shape (n, d), of mean 0 and deviation 1 unless said otherwise.
        groups: The planted group of each customer, shape (n,); None where there are no groups.
    """

    planted: str
    points: Floats
    groups: Indices | None = None


def standardised(points: Floats) -> Floats:
    """Points of mean 0 and deviation 1 in each column."""
    scaled: Floats = (points - points.mean(axis=0)) / points.std(axis=0)
    return scaled


def planted(*sizes: int, spread: float = 1.0, seed: int = 1) -> tuple[Floats, Indices]:
    """So many points around each of the four centres, and the centre of each.

    Args:
        sizes: Up to four.
        spread: Standard deviation around a centre; centres are 9 or 13 apart.
        seed: Of the draw.
    """
    groups = np.repeat(np.arange(len(sizes)), sizes).astype(np.int32)
    noise = np.random.default_rng(seed).normal(scale=spread, size=(len(groups), 3))
    return standardised(FOUR_CENTRES[groups] + noise), groups


def separated() -> Customers:
    """Four groups far apart."""
    return Customers("4 groups far apart", *planted(100, 100, 100, 100, spread=0.7))


def overlapping() -> Customers:
    """Four groups whose edges mix."""
    return Customers("4 groups that overlap", *planted(150, 150, 150, 150, spread=2.2))


def unequal() -> Customers:
    """Four groups of very different sizes."""
    return Customers("4 groups of 400, 120, 40 and 20", *planted(400, 120, 40, 20, spread=0.8))


def correlated() -> Customers:
    """Three long ellipses side by side, whose middles are nearer than their ends."""
    along = np.random.default_rng(3).normal(scale=(6.0, 0.4), size=(900, 2))
    groups = np.repeat([0, 1, 2], 300).astype(np.int32)
    middles = np.array([[0.0, -4.0], [0.0, 0.0], [0.0, 4.0]])
    return Customers("3 long Gaussians side by side", standardised(along + middles[groups]), groups)


def with_outliers() -> Customers:
    """Four groups, and two customers far out who belong to none (group 4)."""
    points, groups = planted(150, 150, 150, 150, spread=0.7)
    far = np.array([[6.0, 6.0, -1.0], [-1.0, 6.0, 6.0]])
    everyone = np.append(groups, [4, 4]).astype(np.int32)
    return Customers("4 groups and 2 outliers", np.vstack([points, far]), everyone)


def noise(seed: int = 1) -> Customers:
    """One normal cloud."""
    return Customers("nothing: noise", np.random.default_rng(seed).normal(size=(500, 3)))


def skewed(customers: int = 600, seed: int = 4) -> Customers:
    """Recency, frequency and money that are log-normal and correlated, on a logarithmic scale."""
    normal = np.random.default_rng(seed).multivariate_normal(
        _RFM_MEANS, _RFM_COVARIANCE, size=customers
    )
    return Customers("nothing: log-normal RFM", standardised(np.log1p(np.exp(normal))))


def nearly_equal() -> Customers:
    """Four groups whose customers differ in the ninth digit; not standardised."""
    groups = np.repeat([0, 1, 2, 3], 40).astype(np.int32)
    shifts = 1e-9 * np.random.default_rng(1).normal(size=(160, 3))
    return Customers("4 groups of near-duplicates", FOUR_CENTRES[groups] / 4 + shifts, groups)


def constant_column(constant: float = 7.0) -> Customers:
    """Four groups, with a column that is the same for everybody."""
    points, groups = planted(100, 100, 100, 100, spread=0.7)
    wider = np.column_stack([points, np.full(len(points), constant)])
    return Customers("4 groups, and a constant column", wider, groups)


def few_distinct() -> Customers:
    """Four points, thirty customers at each; not standardised."""
    groups = np.repeat([0, 1, 2, 3], 30).astype(np.int32)
    return Customers("120 customers at 4 points", FOUR_CENTRES[groups] / 4, groups)


def one_customer() -> Customers:
    """Too few to divide."""
    return Customers("1 customer", FOUR_CENTRES[:1])


def nobody() -> Customers:
    """No row at all."""
    return Customers("no customers", FOUR_CENTRES[:0])


SCENARIOS: dict[str, Callable[[], Customers]] = {
    "separated": separated,
    "overlapping": overlapping,
    "unequal sizes": unequal,
    "correlated": correlated,
    "outliers": with_outliers,
    "noise": noise,
    "skewed": skewed,
    "near-duplicates": nearly_equal,
    "constant column": constant_column,
    "few distinct points": few_distinct,
    "one customer": one_customer,
    "none": nobody,
}
