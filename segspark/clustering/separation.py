"""How many pairs of segments have few customers between them, whatever their shapes."""

from collections.abc import Mapping
from itertools import combinations

import numpy as np

from segspark.clustering.engine import Candidate
from segspark.clustering.modes import valley, without_ties
from segspark.clustering.one_thread import one_thread
from segspark.model.clusters import ClusterModel
from segspark.model.scores import Floats, Indices

_FEWEST_CUSTOMERS = 20
"""Of a segment; half of them find the line and half are looked at."""
_LEAST_SHARE = 0.9
"""Of the customers of a pair that are on their own side of the valley."""


def separated_pair_ratios(
    sample: Floats, models: Mapping[Candidate, ClusterModel], *, seed: int
) -> dict[Candidate, float]:
    """Share of the pairs of segments with a valley between them, by candidate.

    Silhouettes take round clusters. A valley asks nothing of shapes: along the line that tells two
    segments apart best (Fisher 1936, *Ann. Eugenics* 7), their customers together have several
    modes, and nine in ten are on their own side of where customers are few. The line is found by
    every other customer and looked at with the rest: of many columns one always tells those apart
    by whom it was found.

    Args:
        sample: Points, shape (n, d).
        models: Candidates that were fitted.
        seed: Of where customers go who share a value, so that counts make no valleys.

    Returns:
        From 0 to 1; one of a single segment is left out.
    """
    spread = without_ties(sample, np.random.default_rng(seed))
    found = {}
    with one_thread():
        for candidate, model in models.items():
            labels = model.assign(sample)
            pairs = list(combinations(range(model.k), 2))
            if pairs:
                apart = sum(_is_apart(spread, labels, *pair) for pair in pairs)
                found[candidate] = apart / len(pairs)
    return found


def _is_apart(points: Floats, labels: Indices, first: int, second: int) -> bool:
    low, high = (points[labels == each] for each in (first, second))
    if min(len(low), len(high)) < _FEWEST_CUSTOMERS:
        return False
    within = _scatter(low[::2]) + _scatter(high[::2])
    apart = high[::2].mean(axis=0) - low[::2].mean(axis=0)
    line = np.linalg.pinv(within, hermitian=True) @ apart
    below, above = low[1::2] @ line, high[1::2] @ line
    border = valley(np.concatenate([below, above]))
    if border is None:
        return False
    on_own_side = (below < border).sum() + (above > border).sum()
    return bool(on_own_side >= _LEAST_SHARE * (len(below) + len(above)))


def _scatter(points: Floats) -> Floats:
    offsets = points - points.mean(axis=0)
    scatter: Floats = offsets.T @ offsets
    return scatter
