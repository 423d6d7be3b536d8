"""What is tried, what came of it, and what every engine that fits candidates must offer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from segspark.model.clusters import ClusterModel
from segspark.settings.training import Algorithm, SweepSettings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Progress = Callable[[int, int, str], None]
"""Told how many candidates are done, how many there are, and which one is next or was last."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A family of clusterings with a number of segments."""

    algorithm: Algorithm
    segment_count: int

    @property
    def candidate_id(self) -> str:
        """Its name within a training run, such as `kmeans-4`."""
        return f"{self.algorithm.value}-{self.segment_count}"


@dataclass(frozen=True, slots=True)
class FittedCandidate:
    """A candidate after fitting; exactly one of `clusters` and `refusal` is there.

    Attributes:
        candidate: What was asked.
        clusters: The model of the best start.
        refusal: Why there is none, a sentence.
        restarts: Starts that were made.
        iterations: Iterations of the best start.
        training_cost: Sum of squared distances to the centres; None for mixtures.
        log_likelihood: Of all customers together; None for others than mixtures.
        seconds: Wall-clock time of all starts.
    """

    candidate: Candidate
    clusters: ClusterModel | None = None
    refusal: str | None = None
    restarts: int = 0
    iterations: int | None = None
    training_cost: float | None = None
    log_likelihood: float | None = None
    seconds: float = 0.0


class SweepEngine(Protocol):
    """Fits candidates to points."""

    def fit(
        self,
        points: "DataFrame",
        candidates: Sequence[Candidate],
        settings: SweepSettings,
        *,
        progress: Progress,
    ) -> list[FittedCandidate]:
        """Fit each candidate to customer_id, vector (array<double>), one row per customer.

        Returns:
            One result per candidate, in order; one that cannot be fitted is refused in a
            sentence and stops no other.

        Raises:
            ClusteringError: There are no points.
        """


def candidates_of(settings: SweepSettings) -> list[Candidate]:
    """Every algorithm with every number of segments."""
    counts = range(settings.fewest_segments, settings.most_segments + 1)
    return [Candidate(algorithm, count) for algorithm in settings.algorithms for count in counts]
