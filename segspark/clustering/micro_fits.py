"""Candidates that are fitted to micro-clusters, which stand for all customers."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from segspark.clustering.consensus import co_association, consensus_models
from segspark.clustering.density import (
    NO_EPS,
    density_model,
    eps_of,
    least_customers,
    too_coarse,
)
from segspark.clustering.engine import Candidate, FittedCandidate, Progress
from segspark.clustering.hierarchical_density import hierarchical_density_model
from segspark.clustering.linkage import linkage_tree, segments_of
from segspark.clustering.micro_clusters import micro_clusters
from segspark.clustering.one_thread import one_thread
from segspark.clustering.points import Points
from segspark.model.clusters import ClusterModel
from segspark.model.micro_clusters import MicroClusterModel, MicroClusters
from segspark.settings.training import Algorithm, SweepSettings


def fit_on_micro_clusters(
    points: Points,
    candidates: Sequence[Candidate],
    settings: SweepSettings,
    *,
    beside: Sequence[ClusterModel],
    progress: Progress,
) -> list[FittedCandidate]:
    """Cluster all customers finely, and the fine clusters as each candidate asks.

    Args:
        points: All customers.
        candidates: Of algorithms that work on micro-clusters; none cost nothing.
        settings: Micro-clusters, density, range of segments and seed.
        beside: Models of the other candidates, which a consensus counts as well.
        progress: Told before the customers are clustered, and of what came of it.

    Returns:
        One result per candidate, in order; one that finds the number of its segments itself comes
        back with that.
    """
    if not candidates:
        return []
    started = time.perf_counter()
    progress("clustering all customers finely")
    with one_thread():
        micro = micro_clusters(points, settings)
        progress(f"{len(micro.counts)} micro-clusters of radius {micro.usual_radius:.3g}")
        fitted = fitted_on(micro, candidates, settings, beside=beside)
    seconds = (time.perf_counter() - started) / len(candidates)
    return [replace(fitted[each], restarts=1, seconds=seconds) for each in candidates]


def fitted_on(
    micro: MicroClusters,
    candidates: Sequence[Candidate],
    settings: SweepSettings,
    *,
    beside: Sequence[ClusterModel],
) -> dict[Candidate, FittedCandidate]:
    """Fit candidates to micro-clusters that are at hand; arguments as `fit_on_micro_clusters`."""
    fitted: dict[Candidate, FittedCandidate] = {}
    models = list(beside)
    for algorithm in _ORDER:
        own = [each for each in candidates if each.algorithm is algorithm]
        if own:
            results = _MicroFits(micro, settings, tuple(models)).of(algorithm, own)
            fitted |= dict(zip(own, results, strict=True))
            models += [each.clusters for each in results if each.clusters is not None]
    return fitted


@dataclass(frozen=True, slots=True, eq=False)
class _MicroFits:
    """What candidates are fitted to.

    Attributes:
        micro: All customers.
        settings: Density and range of segments.
        beside: Models that a consensus counts.
    """

    micro: MicroClusters
    settings: SweepSettings
    beside: Sequence[ClusterModel]

    def of(self, algorithm: Algorithm, candidates: Sequence[Candidate]) -> list[FittedCandidate]:
        match algorithm:
            case Algorithm.DBSCAN:
                core = least_customers(self.micro, ratio=self.settings.dbscan_core_ratio)
                return [self._dense(each, core=core) for each in candidates]
            case Algorithm.HDBSCAN:
                least = least_customers(self.micro, ratio=self.settings.hdbscan_smallest_ratio)
                model = hierarchical_density_model(self.micro, smallest_customers=least)
                return [self._counted(each, model) for each in candidates]
            case Algorithm.CONSENSUS:
                return self._consensus(candidates)
            case _:
                return self._linkage(candidates)

    def _linkage(self, candidates: Sequence[Candidate]) -> list[FittedCandidate]:
        merges = linkage_tree(self.micro, candidates[0].algorithm)

        def cut(count: int) -> MicroClusterModel:
            segments = segments_of(merges, count)
            return MicroClusterModel(self.micro, segments, self.micro.means_of(segments), merges)

        return [
            _too_few(each, self.micro) or FittedCandidate(each, clusters=cut(each.segment_count))
            for each in candidates
        ]

    def _dense(self, candidate: Candidate, *, core: int) -> FittedCandidate:
        eps = candidate.eps or eps_of(self.micro, core_customers=core)
        if eps == 0:
            return FittedCandidate(candidate, refusal=NO_EPS)
        tried = replace(candidate, eps=eps)
        refusal = too_coarse(self.micro, eps=eps)
        if refusal is not None:
            return FittedCandidate(tried, refusal=refusal)
        return self._counted(tried, density_model(self.micro, eps=eps, core_customers=core))

    def _counted(self, candidate: Candidate, model: MicroClusterModel | None) -> FittedCandidate:
        """Name the number of segments found, and refuse one out of range."""
        found = 0 if model is None else model.k
        counted = replace(candidate, segment_count=found)
        least, most = self.settings.fewest_segments, self.settings.most_segments
        if model is None or not least <= found <= most:
            refusal = f"segments found: {found}, and {least} to {most} are asked in training.sweep"
            return FittedCandidate(counted, refusal=refusal)
        return FittedCandidate(counted, clusters=model)

    def _consensus(self, candidates: Sequence[Candidate]) -> list[FittedCandidate]:
        if not self.beside:
            refusal = "no other candidate was fitted that it could agree with"
            return [FittedCandidate(each, refusal=refusal) for each in candidates]
        refused = {each: _too_few(each, self.micro) for each in candidates}
        possible = [each for each in candidates if refused[each] is None]
        counts = [each.segment_count for each in possible]
        shares = co_association(self.micro, self.beside)
        models = consensus_models(self.micro, shares, counts)
        found = dict(zip(possible, models, strict=True))
        return [refused[each] or FittedCandidate(each, clusters=found[each]) for each in candidates]


def _too_few(candidate: Candidate, micro: MicroClusters) -> FittedCandidate | None:
    """Refuse a candidate that asks for more segments than there are micro-clusters."""
    asked, there = candidate.segment_count, len(micro.counts)
    if asked <= there:
        return None
    refusal = f"{asked} segments were asked of {there} micro-clusters"
    return FittedCandidate(candidate, refusal=refusal)


# The consensus last: it counts all others.
_ORDER = (
    Algorithm.WARD,
    Algorithm.COMPLETE_LINKAGE,
    Algorithm.AVERAGE_LINKAGE,
    Algorithm.DBSCAN,
    Algorithm.HDBSCAN,
    Algorithm.CONSENSUS,
)
