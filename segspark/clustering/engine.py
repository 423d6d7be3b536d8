"""What is tried, what came of it, and what every engine that fits candidates must offer."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from segspark.clustering.blocks import PointBlocks
from segspark.model.clusters import ClusterModel
from segspark.settings.training import Algorithm, Covariance, EmbeddingMethod, SweepSettings

Progress = Callable[[str], None]
"""Told how far the fits are, in a few words."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A family of clusterings with a number of segments, or with what leads to one.

    Attributes:
        algorithm: The family.
        segment_count: Segments asked for; of a family that finds the number those found, 0 before.
        eps: Distance of neighbours of DBSCAN, in units of the vector; None for other families, and
            where the distances themselves are yet to give it.
        embedding: What the points of the vector become before they are clustered.
        covariance: What the covariances of a mixture's components may look like, full where nothing
            is said; None for other families.
    """

    algorithm: Algorithm
    segment_count: int = 0
    eps: float | None = None
    embedding: EmbeddingMethod = EmbeddingMethod.NONE
    covariance: Covariance | None = None

    def __post_init__(self) -> None:
        # One way to write a mixture: candidates are compared, and looked up, by what they hold.
        if self.algorithm is Algorithm.GAUSSIAN_MIXTURE and self.covariance is None:
            object.__setattr__(self, "covariance", Covariance.FULL)

    @property
    def is_embedded(self) -> bool:
        """Whether it clusters anything else than the plain vector."""
        return self.embedding is not EmbeddingMethod.NONE

    @property
    def family(self) -> str:
        """What it shares with other numbers of segments: `pca-kmeans`, `gaussian_mixture-tied`."""
        lead = f"{self.embedding.value}-" if self.is_embedded else ""
        shape = "" if self.covariance in (None, Covariance.FULL) else f"-{self.covariance}"
        return lead + self.algorithm.value + shape

    @property
    def candidate_id(self) -> str:
        """Its name within a training run, such as `kmeans-4`, `pca-kmeans-4`, `dbscan-eps0.5`."""
        if self.algorithm.finds_segment_count:
            return self.family + (f"-eps{self.eps}" if self.eps else "")
        return f"{self.family}-{self.segment_count}"


@dataclass(frozen=True, slots=True)
class FittedCandidate:
    """A candidate after fitting; exactly one of `clusters` and `refusal` is there.

    Attributes:
        candidate: What was asked.
        clusters: The model of the best start.
        refusal: Why there is none, a sentence.
        restarts: Starts that were made.
        iterations: Iterations of the best start.
        seconds: Wall-clock time of all starts; candidates that are fitted together share it evenly.
    """

    candidate: Candidate
    clusters: ClusterModel | None = None
    refusal: str | None = None
    restarts: int = 0
    iterations: int | None = None
    seconds: float = 0.0


class SweepEngine(Protocol):
    """Fits candidates to points."""

    def fit(
        self,
        points: PointBlocks,
        candidates: Sequence[Candidate],
        settings: SweepSettings,
        *,
        progress: Progress,
    ) -> list[FittedCandidate]:
        """Fit each candidate to the points.

        Returns:
            One result per candidate, in order; one that cannot be fitted is refused in a
            sentence and stops no other. Where the family finds the number of segments, the result's
            candidate has it.
        """


def candidates_of(settings: SweepSettings) -> list[Candidate]:
    """Every algorithm with every number of segments, on every embedding.

    An algorithm that finds the number of segments is tried once, or with every eps, and mixtures
    with each of the covariances.
    """
    plain = _candidates_of_algorithms(settings)
    return [replace(each, embedding=method) for method in settings.embeddings for each in plain]


def _candidates_of_algorithms(settings: SweepSettings) -> list[Candidate]:
    counts = range(settings.fewest_segments, settings.most_segments + 1)
    found: list[Candidate] = []
    for algorithm in settings.algorithms:
        if algorithm.finds_segment_count:
            asked = settings.dbscan_eps if algorithm is Algorithm.DBSCAN else ()
            found += [Candidate(algorithm, eps=eps) for eps in asked or (None,)]
        else:
            is_mixture = algorithm is Algorithm.GAUSSIAN_MIXTURE
            shapes = settings.covariances if is_mixture else (None,)
            found += [
                Candidate(algorithm, count, covariance=shape)
                for shape in shapes
                for count in counts
            ]
    return found


def rivals_of(counts: Iterable[int], settings: SweepSettings) -> list[Candidate]:
    """Every algorithm of a sweep with each of the numbers, tried or not.

    What a clustering must surpass is what any of them reaches on data without structure.
    """
    grid = candidates_of(settings)
    rivals = (replace(each, segment_count=count) for count in counts for each in grid)
    return list(dict.fromkeys(rivals))


def seed_of(candidate: Candidate, settings: SweepSettings, *, restart: int = 0) -> int:
    """A seed of the candidate's own, so that what is tried beside it does not change it."""
    order = list(Algorithm).index(candidate.algorithm)
    parts = [settings.seed, order, candidate.segment_count, restart]
    return int(np.random.SeedSequence(parts).generate_state(1)[0])


def too_few_points(candidate: Candidate, distinct: int) -> FittedCandidate:
    """Refuse a candidate that asks for more segments than there are distinct points."""
    asked = candidate.segment_count
    return FittedCandidate(
        candidate, refusal=f"{asked} segments were asked of {distinct} distinct points"
    )
