"""Where candidates start: fitted on a sample in memory, so that few passes over all are left."""

import heapq
from collections.abc import Sequence

import numpy as np
from sklearn.cluster import kmeans_plusplus

from segspark.clustering.centre_steps import PASS_GAIN, CentreSet, nearest_sums
from segspark.clustering.mixture_steps import (
    LEAST_WEIGHT,
    MovingMixture,
    posterior_sums,
    shaped_covariances,
)
from segspark.clustering.points import MemoryPoints
from segspark.clustering.split_steps import Split
from segspark.clustering.stepping import SetSteps, settle
from segspark.model.mixture import Mixture
from segspark.model.scores import Floats, first_least, squared_distances
from segspark.settings.training import Covariance

SAMPLE_ROWS = 20_000
_TRIALS = 4
_MOST_STEPS = 100
_SAMPLE_GAIN = 1e-4
_FULL_GAIN = 1e-5


def starting_centres(
    sample: Floats,
    counts: Sequence[int],
    *,
    restarts: int,
    seed: int,
    most_steps: int = _MOST_STEPS,
) -> list[list[CentreSet]]:
    """KMeans on a sample, for each number of centres and start.

    A draw of k-means++ begins with draws of every smaller number of centres, so one draw a start
    serves all.

    Args:
        sample: Shape (n, d).
        counts: Numbers of centres.
        restarts: Draws.
        seed: Of the draws.
        most_steps: Steps after which a start stays where it is.

    Returns:
        For each number the starts, the lowest cost first; a start has fewer centres where the
        sample has fewer distinct points.
    """
    draws = [
        _draw(sample, max(counts), part) for part in np.random.SeedSequence(seed).spawn(restarts)
    ]
    sets = tuple(CentreSet(draw[:count]) for count in counts for draw in draws)
    (reached,) = settle(
        [SetSteps(sets, nearest_sums)], MemoryPoints(sample).add_up, most_steps=most_steps
    )
    grouped = [reached.sets[start : start + restarts] for start in range(0, len(sets), restarts)]
    return [sorted(group, key=lambda each: (-len(each.centres), each.cost)) for group in grouped]


def _draw(sample: Floats, count: int, seed: np.random.SeedSequence) -> Floats:
    state = np.random.RandomState(seed.generate_state(1)[0])
    # As many trials whatever the count, so that a longer draw begins with the shorter one.
    centres, _ = kmeans_plusplus(
        sample, min(count, len(sample)), random_state=state, n_local_trials=_TRIALS
    )
    first = np.unique(centres, axis=0, return_index=True)[1]
    distinct: Floats = centres[np.sort(first)]
    return distinct


def starting_splits(
    sample: Floats, count: int, *, restarts: int, seed: int, by_levels: bool = False
) -> tuple[Split, ...]:
    """Cut a sample in two again and again, each time where it lowers the sum of squares most.

    Args:
        sample: Shape (n, d).
        count: Splits.
        restarts: Draws of k-means++ for each split.
        seed: Of the draws.
        by_levels: Cut as Spark ML does: all parts of a level before the next, the largest first.

    Returns:
        At most `count` splits, the first ones whatever the count; fewer where no part has two
        points any more whose distance is not lost in rounding.
    """
    seeds = np.random.SeedSequence(seed)
    splits: list[Split] = []
    best: list[tuple[tuple[float, ...], int, int, Floats, Floats]] = []

    def consider(part: int, members: Floats, level: int) -> None:
        if (members == members[:1]).all():
            return
        (starts,) = starting_centres(
            members, [2], restarts=restarts, seed=int(seeds.spawn(1)[0].generate_state(1)[0])
        )
        if starts[0].k == 1:
            return
        before = np.square(members - members.mean(axis=0)).sum()
        rank = (level, -len(members)) if by_levels else (starts[0].cost - before,)
        heapq.heappush(best, (rank, part, level, starts[0].centres, members))

    consider(0, sample, 0)
    while best and len(splits) < count:
        _, part, level, centres, members = heapq.heappop(best)
        place = len(splits)
        splits.append(Split(part, CentreSet(centres, gain=PASS_GAIN)))
        nearest = first_least(squared_distances(members, centres))[0]
        for half in range(2):
            consider(2 * place + 1 + half, members[nearest == half], level + 1)
    return tuple(splits)


def starting_mixtures(
    sample: Floats, centres: Sequence[Sequence[CentreSet]], *, covariances: Sequence[Covariance]
) -> tuple[MovingMixture, ...]:
    """Gaussian mixtures on a sample, from the clusters that KMeans found.

    Args:
        sample: Shape (n, d).
        centres: For each candidate its starts, at least one.
        covariances: For each candidate what its components' covariances may look like.

    Returns:
        For each candidate the mixture of highest likelihood on the sample, ready to go on.
    """
    sets = tuple(
        MovingMixture(_mixture_at(sample, start.centres, covariance), covariance, _SAMPLE_GAIN)
        for starts, covariance in zip(centres, covariances, strict=True)
        for start in starts
    )
    (reached,) = settle(
        [SetSteps(sets, posterior_sums)], MemoryPoints(sample).add_up, most_steps=_MOST_STEPS
    )
    found, left = [], list(reached.sets)
    for starts in centres:
        used, left = left[: len(starts)], left[len(starts) :]
        best = max(used, key=lambda each: each.log_likelihood)
        found.append(MovingMixture(best.mixture, best.covariance, _FULL_GAIN))
    return tuple(found)


def _mixture_at(sample: Floats, centres: Floats, covariance: Covariance) -> Mixture:
    """Weights, means and covariances of the points nearest to each centre."""
    nearest = first_least(squared_distances(sample, centres))[0]
    counts = np.bincount(nearest, minlength=len(centres)).astype(np.float64)
    spread = np.zeros((len(centres), *2 * sample.shape[1:]))
    for place in np.flatnonzero(counts):
        spread[place] = np.cov(sample[nearest == place].T, bias=True)
    counts = np.maximum(counts, LEAST_WEIGHT * len(sample))
    return Mixture(counts / counts.sum(), centres, shaped_covariances(spread, counts, covariance))
