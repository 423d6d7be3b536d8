"""Every candidate advances in the same passes over the points; none is fitted on its own."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from segspark.clustering.centre_steps import PASS_GAIN, CentreSet, nearest_sums
from segspark.clustering.embedded_fits import Embeddings, fit_on_embeddings
from segspark.clustering.engine import Candidate, FittedCandidate, Progress, too_few_points
from segspark.clustering.micro_fits import fit_on_micro_clusters
from segspark.clustering.mixture_steps import MovingMixture, posterior_sums
from segspark.clustering.one_thread import one_thread
from segspark.clustering.points import MemoryPoints, Points
from segspark.clustering.split_steps import SplitSteps
from segspark.clustering.starts import (
    SAMPLE_ROWS,
    starting_centres,
    starting_mixtures,
    starting_splits,
)
from segspark.clustering.stepping import SetSteps, Steps, settle
from segspark.model.clusters import ClusterModel
from segspark.model.scores import Floats
from segspark.settings.training import Algorithm, Covariance, SweepSettings


class BatchedEngine:
    """KMeans, bisecting KMeans and Gaussian mixtures, by numpy on Spark's workers, and the rest.

    Candidates start from their fit to a sample, so that few passes over all points are left; in
    each pass every candidate that still moves makes a step. What looks at pairs of customers is
    fitted to many small clusters afterwards. The same points and settings give the same models to
    the last digit, however the points were partitioned and on how many cores.
    """

    def fit(
        self,
        points: Points,
        candidates: Sequence[Candidate],
        settings: SweepSettings,
        *,
        progress: Progress,
    ) -> list[FittedCandidate]:
        """Fit all candidates together.

        Args:
            points: All customers.
            candidates: What to fit.
            settings: Restarts (on the sample), steps and seed.
            progress: Called before the sample is fitted and before each pass.

        Returns:
            One result per candidate, in order.
        """
        if not candidates:
            return []
        distinct = points.distinct_points(most=max(each.segment_count for each in candidates))
        possible = [each for each in candidates if each.segment_count <= distinct]
        on_micro = [each for each in possible if each.algorithm.is_on_micro_clusters]
        moving = [each for each in possible if not each.algorithm.is_on_micro_clusters]
        fitted = _fit_moving(points, moving, settings, progress)
        beside = [each.clusters for each in fitted if each.clusters is not None]
        fitted += fit_on_micro_clusters(
            points, on_micro, settings, beside=beside, progress=progress
        )
        results = dict(zip(moving + on_micro, fitted, strict=True))
        return [results.get(each) or too_few_points(each, distinct) for each in candidates]


def _fit_moving(
    points: Points,
    candidates: Sequence[Candidate],
    settings: SweepSettings,
    progress: Progress,
) -> list[FittedCandidate]:
    """Fit what advances step by step, all together; none cost nothing."""
    if not candidates:
        return []
    started = time.perf_counter()
    progress(f"starting {len(candidates)} candidates from a sample")
    with one_thread():
        starts = _starts(points.sample(SAMPLE_ROWS), candidates, settings)
    reached = settle(
        list(starts.values()),
        points.add_up,
        most_steps=settings.most_iterations,
        told=lambda steps: progress(f"pass {steps} over all customers"),
    )
    models = _models(candidates, dict(zip(starts, reached, strict=True)))
    seconds = (time.perf_counter() - started) / len(candidates)
    return [_result(each, *models[each], settings=settings, seconds=seconds) for each in candidates]


def fit_in_memory(
    values: Floats,
    candidates: Sequence[Candidate],
    settings: SweepSettings,
    *,
    embeddings: Embeddings = MappingProxyType({}),
) -> dict[Candidate, ClusterModel]:
    """Fit candidates to points at hand.

    Args:
        values: Points of the plain vector, shape (n, d).
        candidates: What to fit.
        settings: Restarts, steps, covariance and seed.
        embeddings: Those that candidates name, fitted already.

    Returns:
        Models of those that could be fitted.
    """

    def fit(points: MemoryPoints, some: Sequence[Candidate]) -> list[FittedCandidate]:
        return BatchedEngine().fit(points, some, settings, progress=lambda _: None)

    with one_thread():
        fitted = fit_on_embeddings(MemoryPoints(values), candidates, embeddings, fit)
    return {
        candidate: each.clusters
        for candidate, each in zip(candidates, fitted, strict=True)
        if each.clusters is not None
    }


def _models(
    candidates: Sequence[Candidate], reached: Mapping[Algorithm, Steps]
) -> dict[Candidate, tuple[ClusterModel, int]]:
    """The model of each candidate and the steps that led there."""
    models: dict[Candidate, tuple[ClusterModel, int]] = {}
    for algorithm, family in reached.items():
        own = [each for each in candidates if each.algorithm is algorithm]
        found = family.models([each.segment_count for each in own])
        models |= dict(zip(own, found, strict=True))
    return models


def _starts(
    sample: Floats, candidates: Sequence[Candidate], settings: SweepSettings
) -> dict[Algorithm, Steps]:
    """The candidates of each algorithm, fitted to a sample."""
    starts = _Starts(sample, settings, _centres(sample, candidates, settings))
    return {
        algorithm: starts.of(
            algorithm, [each for each in candidates if each.algorithm is algorithm]
        )
        for algorithm in dict.fromkeys(each.algorithm for each in candidates)
    }


@dataclass(frozen=True, slots=True, eq=False)
class _Starts:
    """What candidates start from.

    Attributes:
        sample: Shape (n, d).
        settings: Restarts and seed.
        centres: KMeans of the sample by the number of segments, the best start first.
    """

    sample: Floats
    settings: SweepSettings
    centres: dict[int, list[CentreSet]]

    def of(self, algorithm: Algorithm, candidates: Sequence[Candidate]) -> Steps:
        counts = [each.segment_count for each in candidates]
        match algorithm:
            case Algorithm.KMEANS:
                return self._kmeans(counts)
            case Algorithm.BISECTING_KMEANS:
                return self._bisecting(counts)
            case _:
                shapes = [each.covariance for each in candidates if each.covariance is not None]
                return self._mixtures(counts, shapes)

    def _kmeans(self, counts: Sequence[int]) -> SetSteps[CentreSet]:
        best = [self.centres[count][0].centres for count in counts]
        return SetSteps(tuple(CentreSet(each, gain=PASS_GAIN) for each in best), nearest_sums)

    def _bisecting(self, counts: Sequence[int]) -> SplitSteps:
        splits = starting_splits(
            self.sample,
            max(counts) - 1,
            restarts=self.settings.kmeans_restarts,
            seed=self.settings.seed,
            # What stands beside models of Spark ML cuts as it does.
            by_levels=self.settings.engine == "sparkml",
        )
        return SplitSteps(splits, self.sample.mean(axis=0))

    def _mixtures(
        self, counts: Sequence[int], covariances: Sequence[Covariance]
    ) -> SetSteps[MovingMixture]:
        # EM stays near where it starts, so the further starts are far from KMeans: its draws alone.
        further = self.settings.mixture_restarts - 1
        draws: list[list[CentreSet]] = [[]] * len(counts)
        if further:
            draws = starting_centres(
                self.sample, counts, restarts=further, seed=self.settings.seed, most_steps=0
            )
        starts = [
            [self.centres[count][0], *drawn] for count, drawn in zip(counts, draws, strict=True)
        ]
        mixtures = starting_mixtures(self.sample, starts, covariances=covariances)
        return SetSteps(mixtures, posterior_sums)


def _centres(
    sample: Floats, candidates: Sequence[Candidate], settings: SweepSettings
) -> dict[int, list[CentreSet]]:
    """KMeans of the sample for each number that KMeans itself or a mixture starts from."""
    from_centres = (Algorithm.KMEANS, Algorithm.GAUSSIAN_MIXTURE)
    numbers = sorted({each.segment_count for each in candidates if each.algorithm in from_centres})
    if not numbers:
        return {}
    restarts = settings.kmeans_restarts
    found = starting_centres(sample, numbers, restarts=restarts, seed=settings.seed)
    return dict(zip(numbers, found, strict=True))


def _result(
    candidate: Candidate,
    clusters: ClusterModel,
    iterations: int,
    *,
    settings: SweepSettings,
    seconds: float,
) -> FittedCandidate:
    asked, found = candidate.segment_count, clusters.k
    is_mixture = candidate.algorithm is Algorithm.GAUSSIAN_MIXTURE
    return FittedCandidate(
        candidate,
        clusters=clusters if found == asked else None,
        refusal=None if found == asked else f"{asked} segments were asked and {found} came back",
        restarts=settings.mixture_restarts if is_mixture else settings.kmeans_restarts,
        iterations=iterations,
        seconds=seconds,
    )
