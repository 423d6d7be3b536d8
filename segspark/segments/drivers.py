"""What drives membership: how much worse the rules tell segments without one of the columns."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from segspark.model.scores import Floats
from segspark.segments.rules import LabelledCustomers, Rule, told_segments


@dataclass(frozen=True, slots=True)
class Driver:
    """The weight of one column.

    Attributes:
        name: The column.
        segment: The segment that is told from the rest; None: each from each other.
        importance: Balanced accuracy lost when the column's values are shuffled among customers,
            the mean over all ways to shuffle them.
    """

    name: str
    segment: int | None
    importance: float


def permutation_drivers(
    rules: Sequence[Rule], customers: LabelledCustomers, *, segment_count: int
) -> list[Driver]:
    """Weigh every column, over all segments and for each against the rest.

    A shuffled value is any customer's with equal chance, and the rules only ask between which of
    their bounds it lies. So the mean over all shuffles is worked out, and none is drawn.

    Args:
        rules: Exclude each other and leave nobody out.
        customers: Whom the rules were not made from.
        segment_count: Segments are numbered from 0 on; those that nobody is in, or everybody,
            are left out.

    Returns:
        In the order of the columns; what is over all segments comes before the segments. Empty
        without customers.
    """
    if not len(customers.segments):
        return []
    before = _told_counts(rules, customers, segment_count)
    drivers = []
    for name in customers.names:
        after = _shuffled_counts(rules, customers, name, segment_count)
        lost = _overall(before) - _overall(after)
        drivers.append(Driver(name, None, lost))
        for segment in _segments_with_a_rest(before):
            lost = _against_the_rest(before, segment) - _against_the_rest(after, segment)
            drivers.append(Driver(name, segment, lost))
    return drivers


def _told_counts(rules: Sequence[Rule], customers: LabelledCustomers, segment_count: int) -> Floats:
    """Customers of each segment by the segment that the rules give them, shape (k, k)."""
    pairs = customers.segments * segment_count + told_segments(rules, customers)
    counts = np.bincount(pairs, minlength=segment_count**2).astype(np.float64)
    return counts.reshape(segment_count, segment_count)


def _shuffled_counts(
    rules: Sequence[Rule], customers: LabelledCustomers, name: str, segment_count: int
) -> Floats:
    """As `_told_counts`, the mean over all ways to shuffle one column."""
    column = customers.names.index(name)
    bounds = [bound for rule in rules for bound in rule.bounds if bound.name == name]
    cuts = np.unique([cut for bound in bounds for cut in (bound.above, bound.at_most)])
    places = np.searchsorted(cuts, customers.values[:, column], side="left")
    counts = np.zeros((segment_count, segment_count))
    for place, customers_there in zip(*np.unique(places, return_counts=True), strict=True):
        values = customers.values.copy()
        values[:, column] = values[places == place, column][0]
        told = _told_counts(rules, replace(customers, values=values), segment_count)
        counts += told * (customers_there / len(values))
    return counts


def _segments_with_a_rest(counts: Floats) -> list[int]:
    sizes = counts.sum(axis=1)
    return [int(s) for s in np.flatnonzero((sizes > 0) & (sizes < sizes.sum()))]


def _overall(counts: Floats) -> float:
    sizes = counts.sum(axis=1)
    return float((np.diagonal(counts)[sizes > 0] / sizes[sizes > 0]).mean())


def _against_the_rest(counts: Floats, segment: int) -> float:
    size = counts[segment].sum()
    taken_in = counts[:, segment].sum() - counts[segment, segment]
    found, wrong = counts[segment, segment] / size, taken_in / (counts.sum() - size)
    return float((found + 1.0 - wrong) / 2.0)
