"""Growing an isolation forest on a sample, and taking it out as plain numbers."""

from typing import Protocol

import numpy as np
from sklearn.ensemble import IsolationForest as Estimator

from segspark.model.isolation_forest import IsolationForest
from segspark.model.scores import Floats, Places

_CUSTOMERS_A_TREE = 256
"""As its authors advise: more hide what is isolated among each other."""


def grow_forest(sample: Floats, *, trees: int, seed: int) -> IsolationForest:
    """Grow scikit-learn's forest, each tree of 256 customers or all if there are fewer.

    Args:
        sample: Shape (n, d), at least two points.
        trees: Their number.
        seed: Of the draws and the cuts.
    """
    drawn = min(_CUSTOMERS_A_TREE, len(sample))
    forest = Estimator(n_estimators=trees, max_samples=drawn, random_state=seed).fit(sample)
    depth = max(1, *(each.tree_.max_depth for each in forest.estimators_))
    complete = [_complete(each.tree_, depth) for each in forest.estimators_]
    coordinates, thresholds, path_lengths = (np.array(part) for part in zip(*complete, strict=True))
    return IsolationForest(coordinates, thresholds, path_lengths, usual_path_length(drawn))


def usual_path_length(customers: int) -> float:
    """Mean path of an unsuccessful search in a binary search tree: equation 1 of the paper."""
    others = customers - 1
    if others <= 1:
        return float(others)
    return float(2.0 * (np.log(others) + np.euler_gamma) - 2.0 * others / customers)


class _Tree(Protocol):
    """What scikit-learn's trees hold, an entry a node."""

    children_left: Places
    children_right: Places
    feature: Places
    threshold: Floats
    n_node_samples: Places


def _complete(tree: _Tree, depth: int) -> tuple[list[int], list[float], list[float]]:
    """Coordinates and thresholds of the cuts, and path lengths of the leaves, by place."""
    cuts = 2**depth - 1
    coordinates, thresholds = [0] * cuts, [float(np.finfo(np.float64).max)] * cuts
    path_lengths = [0.0] * (cuts + 1)
    waiting = [(0, 0, 0)]
    while waiting:
        node, place, level = waiting.pop()
        first, second = int(tree.children_left[node]), int(tree.children_right[node])
        is_leaf = first == second
        if is_leaf:
            length = level + usual_path_length(int(tree.n_node_samples[node]))
            # Nothing is above the thresholds below it: they lead to its first leaf.
            path_lengths[(place + 1) * 2 ** (depth - level) - 1 - cuts] = length
            continue
        coordinates[place], thresholds[place] = int(tree.feature[node]), float(tree.threshold[node])
        waiting += [(first, 2 * place + 1, level + 1), (second, 2 * place + 2, level + 1)]
    return coordinates, thresholds, path_lengths
