"""Whether a clustering comes back when other customers of the same kind are clustered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from sklearn.metrics import adjusted_rand_score
from sklearn.metrics.cluster import contingency_matrix

from segspark.clustering.batched import fit_in_memory
from segspark.clustering.embedded_fits import embeddings_of
from segspark.clustering.engine import Candidate
from segspark.model.clusters import ClusterModel
from segspark.model.scores import Floats, Indices
from segspark.settings.training import SweepSettings

_SAMPLE_RATIO = 0.05
_LEAST_ROWS = 2000
_MOST_ROWS = 25_000


@dataclass(frozen=True, slots=True)
class Stability:
    """How well a clustering comes back in resamples.

    Attributes:
        jaccards: By cluster the mean over the resamples of the best overlap that one of their
            clusters has with it, 0 to 1; None where none of its customers was drawn.
        rand_index: Mean adjusted Rand index, 1 for the same clustering, about 0 for chance.
        resample_count: Clusterings that it was looked for in.
    """

    jaccards: tuple[float | None, ...]
    rand_index: float
    resample_count: int

    @property
    def mean(self) -> float:
        """Of all clusters that were drawn, each counting as one."""
        return fmean(self._drawn)

    @property
    def lowest(self) -> float:
        return min(self._drawn)

    @property
    def _drawn(self) -> list[float]:
        return [jaccard for jaccard in self.jaccards if jaccard is not None]


def resampled_customers(customer_count: int) -> int:
    """Customers to sample: 5 %, at least 2,000 and at most 25,000, and never more than all."""
    share = int(np.ceil(_SAMPLE_RATIO * customer_count))
    return min(customer_count, max(_LEAST_ROWS, min(share, _MOST_ROWS)))


def stabilities(
    sample: Floats,
    models: Mapping[Candidate, ClusterModel],
    *,
    settings: SweepSettings,
    resamples: int,
) -> dict[Candidate, Stability]:
    """Cluster bootstrap resamples and look for the clusters of each model among theirs.

    After Hennig (2007): a resample draws as many customers as the sample has, with replacement; the
    candidate is fitted to it from scratch, and the two clusterings are compared on the customers
    that were drawn, each counted once. What each candidate is drawn does not depend on the others.
    An embedding stays as it was fitted to all customers: it is the segments that must come back.

    Args:
        sample: Customers' points, shape (n, d), at least one.
        models: What was fitted to all customers.
        settings: Restarts, steps and seed of the fits.
        resamples: Their number, at least one.

    Returns:
        One per candidate.
    """
    labels = {candidate: model.assign(sample) for candidate, model in models.items()}
    found: dict[Candidate, list[_Comparison]] = {candidate: [] for candidate in models}
    embeddings = embeddings_of(models)
    for generator in np.random.default_rng(settings.seed).spawn(resamples):
        drawn = generator.integers(len(sample), size=len(sample))
        refitted = fit_in_memory(sample[drawn], list(models), settings, embeddings=embeddings)
        once = np.unique(drawn)
        for candidate, own in labels.items():
            again = refitted.get(candidate)
            # Too few distinct points were drawn, or density found too few or many: none came back.
            theirs = None if again is None else again.assign(sample[once])
            found[candidate].append(_compare(own[once], theirs, clusters=models[candidate].k))
    return {candidate: _mean_of(comparisons) for candidate, comparisons in found.items()}


def agreement(own: Indices, theirs: Indices, *, clusters: int) -> Stability:
    """Look for the clusters of one clustering in another one of the same customers.

    Args:
        own: Cluster indices, shape (n,).
        theirs: Those of the other clustering.
        clusters: How many the first one has; one that holds none of the customers counts as 0.
    """
    found = _compare(own, theirs, clusters=clusters)
    jaccards = np.nan_to_num(found.jaccards, nan=0.0)
    return Stability(tuple(jaccards.tolist()), found.rand_index, 1)


def best_jaccards(own: Indices, theirs: Indices) -> dict[int, float]:
    """For each cluster the highest Jaccard overlap with any cluster of another clustering.

    Args:
        own: Cluster indices, shape (n,).
        theirs: Those of the other clustering of the same customers.
    """
    shared = contingency_matrix(own, theirs).astype(np.float64)
    either = shared.sum(axis=1)[:, None] + shared.sum(axis=0)[None, :] - shared
    best = (shared / either).max(axis=1)
    return dict(zip(np.unique(own).tolist(), best.tolist(), strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class _Comparison:
    """One resample: best overlaps by cluster, NaN where none of its customers was drawn."""

    jaccards: Floats
    rand_index: float


def _compare(own: Indices, theirs: Indices | None, *, clusters: int) -> _Comparison:
    jaccards = np.full(clusters, np.nan)
    if theirs is None:
        jaccards[np.unique(own)] = 0.0
        return _Comparison(jaccards, 0.0)
    for cluster, jaccard in best_jaccards(own, theirs).items():
        jaccards[cluster] = jaccard
    return _Comparison(jaccards, float(adjusted_rand_score(own, theirs)))


def _mean_of(comparisons: Sequence[_Comparison]) -> Stability:
    jaccards = np.stack([each.jaccards for each in comparisons])
    return Stability(
        jaccards=tuple(
            None if np.isnan(of_one).all() else float(np.nanmean(of_one)) for of_one in jaccards.T
        ),
        rand_index=float(np.mean([each.rand_index for each in comparisons])),
        resample_count=len(comparisons),
    )
