"""Fits of a search: to growing parts of a sample, held to structureless data of the same kind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from segspark.clustering.batched import BatchedEngine
from segspark.clustering.embedded_fits import Embeddings, fit_embeddings, fit_on_embeddings
from segspark.clustering.engine import Candidate, FittedCandidate, rivals_of
from segspark.clustering.evidence import evidence
from segspark.clustering.points import MemoryPoints
from segspark.clustering.results import CandidateResult, results
from segspark.clustering.search_study import Proposal
from segspark.clustering.structureless import (
    StructurelessSilhouette,
    best_of_all_algorithms,
    cluster_structureless,
    structureless_silhouettes,
)
from segspark.errors import ClusteringError
from segspark.model.scores import Floats
from segspark.settings.training import TrainingSettings

PARTS = (500, 2_000, 8_000)
"""Customers of the sample that a trial is fitted to, one part after the other; each holds those
before it. Of customers that are fewer the last part is all."""


@dataclass(frozen=True, slots=True, eq=False)
class SampleFits:
    """Fits proposals to parts of the samples, and holds them to structureless data.

    Attributes:
        samples: By recipe the points of the plain vector, shape (n, d).
        embeddings: By recipe what the points may become, fitted to the last part once.
        settings: How proposals are fitted and compared.
        held_to: By recipe and number of segments what structureless data reach, once it is known;
            None where they reach nothing.
    """

    samples: Mapping[str, Floats]
    embeddings: Mapping[str, Embeddings]
    settings: TrainingSettings
    held_to: dict[tuple[str, int], StructurelessSilhouette | None] = field(default_factory=dict)

    @classmethod
    def of(cls, samples: Mapping[str, Floats], settings: TrainingSettings) -> Self:
        """Fit the embeddings of each sample.

        Raises:
            ClusteringError: One has fewer columns than components are asked.
        """
        embeddings = {
            recipe: _embeddings(sample[: PARTS[-1]], settings, lead=settings.lead_of(recipe))
            for recipe, sample in samples.items()
        }
        return cls(samples, embeddings, settings)

    def parts(self, recipe: str) -> list[int]:
        """Customers of each part of a recipe's sample, rising."""
        most = min(len(self.samples[recipe]), PARTS[-1])
        return [*(each for each in PARTS if each < most), most]

    def row(self, proposal: Proposal, customers: int) -> CandidateResult:
        """A proposal's figures on so many customers."""
        points = self.samples[proposal.recipe][:customers]
        (fitted,) = fit_on_embeddings(
            MemoryPoints(points), [proposal.candidate], self.embeddings[proposal.recipe], self._fit
        )
        if fitted.clusters is None:
            return CandidateResult(fitted, None, None, None, None)
        found = fitted.candidate
        null = self._structureless(proposal.recipe, found.segment_count)
        (row,) = results(
            [fitted],
            evidence={found: evidence(points, fitted.clusters.assign(points))},
            sampled={},
            structureless={} if null is None else {found: null},
        )
        return row

    def _fit(self, points: MemoryPoints, own: Sequence[Candidate]) -> list[FittedCandidate]:
        return BatchedEngine().fit(points, own, self.settings.sweep, progress=lambda _: None)

    def _structureless(self, recipe: str, count: int) -> StructurelessSilhouette | None:
        if (recipe, count) not in self.held_to:
            selection, sweep = self.settings.selection, self.settings.sweep
            drawn = cluster_structureless(
                self.samples[recipe][: selection.structureless_customers],
                rivals_of([count], sweep),
                sweep,
                draws=selection.structureless_draws,
            )
            best = best_of_all_algorithms(structureless_silhouettes(drawn))
            self.held_to[recipe, count] = next(iter(best.values()), None)
        return self.held_to[recipe, count]


def _embeddings(points: Floats, settings: TrainingSettings, *, lead: str) -> Embeddings:
    """Fit all embeddings of the sweep to one recipe's points; a refusal begins with the lead."""
    try:
        return fit_embeddings(MemoryPoints(points), settings.sweep, settings.sweep.embeddings)
    except ClusteringError as error:
        raise ClusteringError(f"{lead}{error}") from error
