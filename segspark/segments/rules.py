"""A small tree that tells segments apart in natural units, as rules that people can read."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from sklearn.tree import DecisionTreeClassifier

from segspark.model.scores import Floats, Places
from segspark.settings.segments import ExplanationSettings

_HELD_OUT_RATIO = 0.3
_FEWEST_IN_LEAF = 5
_FINEST_POWER = -12
_LEAF = -1


@dataclass(frozen=True, slots=True, eq=False)
class LabelledCustomers:
    """Customers with what the model sees of them and the segment that it gave them.

    Attributes:
        names: Columns of the vector.
        values: Shape (n, d), natural units, finite.
        segments: Shape (n,), the segment of each as a number from 0 on.
    """

    names: tuple[str, ...]
    values: Floats
    segments: Places

    def of(self, rows: Places) -> "LabelledCustomers":
        """Some of the customers."""
        return replace(self, values=self.values[rows], segments=self.segments[rows])


@dataclass(frozen=True, slots=True)
class Bound:
    """What a rule asks of one column: above one number, at most another, or both."""

    name: str
    above: float = -math.inf
    at_most: float = math.inf


@dataclass(frozen=True, slots=True)
class Rule:
    """Customers within all bounds belong to the segment; without bounds, everybody does."""

    bounds: tuple[Bound, ...]
    segment: int


@dataclass(frozen=True, slots=True, eq=False)
class Surrogate:
    """Rules that exclude each other and leave nobody out, and how true they are to the model.

    Attributes:
        rules: In the order of the tree.
        held_out: Customers that the rules were not made from; may be none.
        accuracy: Share of them whose segment the rules tell; None without any.
        balanced_accuracy: Mean of that share over their segments; None as above.
    """

    rules: tuple[Rule, ...]
    held_out: LabelledCustomers
    accuracy: float | None
    balanced_accuracy: float | None


def fit_surrogate(customers: LabelledCustomers, settings: ExplanationSettings) -> Surrogate:
    """Make rules from seven tenths of the customers, and test them on the others.

    Args:
        customers: At least one, in an order that does not change from run to run.
        settings: Depth, size of the smallest leaf, seed.

    Returns:
        Bounds are the roundest numbers that divide the customers as the tree does.
    """
    order = np.random.default_rng(settings.seed).permutation(len(customers.segments))
    held_out_count = int(_HELD_OUT_RATIO * len(order))
    held_out, seen = (customers.of(rows) for rows in np.split(order, [held_out_count]))
    least = max(_FEWEST_IN_LEAF, math.ceil(settings.smallest_leaf_ratio * len(seen.segments)))
    tree = DecisionTreeClassifier(
        max_depth=settings.tree_depth, min_samples_leaf=least, random_state=settings.seed
    ).fit(seen.values, seen.segments)
    rules = tuple(_Branches(tree, seen).rules(0, np.arange(len(seen.segments)), {}))
    told = told_segments(rules, held_out)
    is_right = told == held_out.segments
    shares = [float(is_right[held_out.segments == s].mean()) for s in np.unique(held_out.segments)]
    return Surrogate(
        rules,
        held_out,
        float(is_right.mean()) if held_out_count else None,
        float(np.mean(shares)) if held_out_count else None,
    )


def told_segments(rules: Sequence[Rule], customers: LabelledCustomers) -> Places:
    """The segment that the rules give each customer, shape (n,)."""
    told = np.full(len(customers.segments), -1, dtype=np.intp)
    for rule in rules:
        meets = np.ones(len(told), dtype=np.bool_)
        for bound in rule.bounds:
            values = customers.values[:, customers.names.index(bound.name)]
            meets &= (values > bound.above) & (values <= bound.at_most)
        told[meets] = rule.segment
    return told


def roundest_between(low: float, high: float) -> float:
    """The number of fewest digits from `low` on and below `high`; of several, the middle one."""
    middle = low + (high - low) / 2.0
    power = math.ceil(math.log10(max(abs(low), abs(high))))
    for exponent in range(power, _FINEST_POWER - 1, -1):
        step = 10.0**exponent
        for steps in (round(middle / step), math.ceil(low / step)):
            found = round(steps * step, max(0, -exponent))
            if low <= found < high:
                return found
    return low


@dataclass(frozen=True, slots=True, eq=False)
class _Branches:
    """A fitted tree and the customers that it was fitted to."""

    tree: DecisionTreeClassifier
    seen: LabelledCustomers

    def rules(self, node: int, rows: Places, bounds: dict[str, Bound]) -> list[Rule]:
        """Rules of the branch from a node on; one where the whole branch is one segment's."""
        inner = self.tree.tree_
        if inner.children_left[node] == _LEAF:
            segment = int(self.tree.classes_[inner.value[node][0].argmax()])
            return [Rule(tuple(bounds.values()), segment)]
        column = int(inner.feature[node])
        # The tree compares in single precision.
        values = self.seen.values[rows, column]
        is_left = values.astype(np.float32) <= inner.threshold[node]
        cut = roundest_between(float(values[is_left].max()), float(values[~is_left].min()))
        name = self.seen.names[column]
        before = bounds.get(name, Bound(name))
        found = [
            *self.rules(
                inner.children_left[node],
                rows[is_left],
                bounds | {name: replace(before, at_most=cut)},
            ),
            *self.rules(
                inner.children_right[node],
                rows[~is_left],
                bounds | {name: replace(before, above=cut)},
            ),
        ]
        if len({rule.segment for rule in found}) == 1:
            return [Rule(tuple(bounds.values()), found[0].segment)]
        return found
