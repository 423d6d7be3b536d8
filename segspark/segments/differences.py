"""What differs between segments beside the columns that made them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.stats import rankdata

from segspark.model.scores import Floats, Places
from segspark.segments.effects import (
    Counts,
    analyse_levels,
    analyse_ranks,
    analyse_variance,
    benjamini_hochberg,
    cross_table,
    holm,
)
from segspark.segments.rules import LabelledCustomers

MOST_EXPLAINED_RATIO = 0.9
"""A number of which more follows from the vector is the vector in other words: it is not tested."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One variable between the segments.

    Attributes:
        kind: `feature` for a number, `attribute` for levels.
        name: The variable.
        customer_count: Customers of whom it is known.
        eta_squared: Of a number; of its values.
        epsilon_squared: Of a number; of its ranks.
        cramers_v: Of an attribute.
        explained_by_vector: Of a number; share that follows from the vector's columns.
        statistic: Kruskal and Wallis' H of a number, Pearson's chi-squared of an attribute.
        degrees_of_freedom: Of the test.
        smallest_expected_count: Of an attribute.
        p_value: None where the number follows from the vector.
        holm: Adjusted for all variables with a p-value; None as above.
        benjamini_hochberg: As above.
    """

    kind: Literal["feature", "attribute"]
    name: str
    customer_count: int
    statistic: float
    degrees_of_freedom: int
    p_value: float | None
    eta_squared: float | None = None
    epsilon_squared: float | None = None
    cramers_v: float | None = None
    explained_by_vector: float | None = None
    smallest_expected_count: float | None = None
    holm: float | None = None
    benjamini_hochberg: float | None = None


def segment_differences(
    customers: LabelledCustomers,
    *,
    numbers: Mapping[str, Floats],
    levels: Mapping[str, Sequence[str | None]],
) -> list[Difference]:
    """Compare every variable that is not in the vector.

    Args:
        customers: The vector's columns and the segments.
        numbers: Name → value of each customer, NaN where it is not known.
        levels: Name → level of each customer, None where it is not known.

    Returns:
        Numbers, then attributes, in their order; a variable that is the same for everybody, or
        known in one segment only, is left out.
    """
    found = [_of_number(customers, name, values) for name, values in numbers.items()]
    found += [_of_levels(customers, name, values) for name, values in levels.items()]
    return _adjusted([each for each in found if each is not None])


def explained_ratio(vector: Floats, values: Floats) -> float:
    """Share of a number's variance that follows from the vector's columns.

    The larger R squared of two regressions, of the number's ranks and of its logarithm, on the
    ranks and the logarithms of the columns: a score is a step of its column's ranks, and spend is
    orders times average order.

    Args:
        vector: Shape (n, d), natural units.
        values: Shape (n,), not all alike.
    """
    told = np.column_stack([np.ones(len(values)), rankdata(vector, axis=0), _logarithm(vector)])
    return max(_r_squared(told, rankdata(values)), _r_squared(told, _logarithm(values)))


def _of_number(customers: LabelledCustomers, name: str, values: Floats) -> Difference | None:
    known = np.isfinite(values)
    values, segments = values[known], customers.segments[known]
    places = np.unique(values, return_inverse=True)[1]
    ranks = analyse_ranks(cross_table(places, segments))
    variance = analyse_variance(*_moments(values, segments))
    if ranks is None or variance is None:
        return None
    explained = explained_ratio(customers.values[known], values)
    return Difference(
        kind="feature",
        name=name,
        customer_count=len(values),
        statistic=ranks.h_statistic,
        degrees_of_freedom=ranks.degrees_of_freedom,
        p_value=ranks.p_value if explained <= MOST_EXPLAINED_RATIO else None,
        eta_squared=variance.eta_squared,
        epsilon_squared=ranks.epsilon_squared,
        explained_by_vector=explained,
    )


def _of_levels(
    customers: LabelledCustomers, name: str, values: Sequence[str | None]
) -> Difference | None:
    known = np.array([value is not None for value in values], dtype=np.bool_)
    levels = np.array([value for value in values if value is not None], dtype=np.str_)
    places = np.unique(levels, return_inverse=True)[1]
    found = analyse_levels(cross_table(places, customers.segments[known]))
    if found is None:
        return None
    return Difference(
        kind="attribute",
        name=name,
        customer_count=len(levels),
        statistic=found.chi_squared,
        degrees_of_freedom=found.degrees_of_freedom,
        p_value=found.p_value,
        cramers_v=found.cramers_v,
        smallest_expected_count=found.smallest_expected_count,
    )


def _adjusted(found: list[Difference]) -> list[Difference]:
    tested = [each.p_value for each in found if each.p_value is not None]
    pairs = zip(holm(tested), benjamini_hochberg(tested), strict=True)
    adjusted = []
    for each in found:
        if each.p_value is None:
            adjusted.append(each)
        else:
            first, second = next(pairs)
            adjusted.append(replace(each, holm=first, benjamini_hochberg=second))
    return adjusted


def _moments(values: Floats, segments: Places) -> tuple[Counts, Floats, Floats]:
    """Customers, mean and variance of each segment; the variance about the segment's own mean."""
    counts: Counts = np.bincount(segments)
    sizes = np.maximum(counts, 1)
    means: Floats = np.bincount(segments, values) / sizes
    variances: Floats = np.bincount(segments, (values - means[segments]) ** 2) / sizes
    return counts, means, variances


def _logarithm(values: Floats) -> Floats:
    logarithm: Floats = np.sign(values) * np.log1p(np.abs(values))
    return logarithm


def _r_squared(told: Floats, values: Floats) -> float:
    centred = values - values.mean()
    total = float((centred**2).sum())
    fitted = told @ np.linalg.lstsq(told, values, rcond=None)[0]
    return 1.0 - float(((values - fitted) ** 2).sum()) / total
