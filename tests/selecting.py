"""Candidates with figures, and the choice among them."""

from dataclasses import replace

import numpy as np

from segspark.clustering.engine import Candidate, FittedCandidate
from segspark.clustering.evidence import Evidence
from segspark.clustering.results import results
from segspark.clustering.sample_evidence import SampleEvidence
from segspark.clustering.selection import Selection, select
from segspark.clustering.stability import Stability
from segspark.clustering.structureless import StructurelessSilhouette
from segspark.model.clusters import Centres
from segspark.settings.training import Algorithm, EmbeddingMethod, SelectionSettings

KMEANS_3 = Candidate(Algorithm.KMEANS, 3)
KMEANS_4 = Candidate(Algorithm.KMEANS, 4)
MIXTURE_3 = Candidate(Algorithm.GAUSSIAN_MIXTURE, 3)
KMEANS_5 = Candidate(Algorithm.KMEANS, 5)
PCA_5 = Candidate(Algorithm.KMEANS, 5, embedding=EmbeddingMethod.PCA)
BISECTING_3 = Candidate(Algorithm.BISECTING_KMEANS, 3)
BISECTING_4 = Candidate(Algorithm.BISECTING_KMEANS, 4)
PCA_3 = Candidate(Algorithm.KMEANS, 3, embedding=EmbeddingMethod.PCA)
PCA_4 = Candidate(Algorithm.KMEANS, 4, embedding=EmbeddingMethod.PCA)
ENCODED_3 = Candidate(Algorithm.KMEANS, 3, embedding=EmbeddingMethod.AUTOENCODER)
MANY = 1000
HIGHEST = "Of all that were fitted to all customers it has the highest silhouette, too."


def figures(
    candidate: Candidate,
    silhouette: float,
    *,
    smallest: int = 100,
    within: float = 1.0,
    log_likelihood: float | None = None,
) -> Evidence:
    """Figures of a candidate on `MANY` customers."""
    others = candidate.segment_count - 1
    rest = MANY - smallest
    sizes = (smallest, *(rest // others for _ in range(others - 1)))
    return Evidence(
        silhouette=silhouette,
        davies_bouldin=1.0,
        calinski_harabasz=1.0,
        within_cluster_sum=within,
        cluster_sizes=(*sizes, MANY - sum(sizes)),
        log_likelihood=log_likelihood,
        parameter_count=None if log_likelihood is None else 10 * candidate.segment_count,
    )


def choose(
    evidence: dict[Candidate, Evidence],
    structureless: dict[Candidate, float],
    *,
    refused: tuple[FittedCandidate, ...] = (),
    margin: float = 0.05,
    stability: dict[Candidate, float] | None = None,
    single_mode: dict[Candidate, float] | None = None,
    separated: dict[Candidate, float] | None = None,
) -> Selection:
    """The choice among candidates with these figures and silhouettes without structure."""
    model = Centres(np.zeros((1, 1)))
    fitted = [FittedCandidate(candidate, clusters=model) for candidate in evidence]
    rows = results(
        [*fitted, *refused],
        evidence=evidence,
        sampled={
            candidate: SampleEvidence(None, None, separated_pair_ratio=ratio)
            for candidate, ratio in (separated or {}).items()
        },
        structureless=_even(structureless),
        single_mode=_even(single_mode or structureless),
    )
    told = {
        each: Stability((mean + 0.1, mean - 0.1), 0.5, 10)
        for each, mean in (stability or {}).items()
    }
    rows = [replace(row, stability=told.get(row.candidate)) for row in rows]
    return select(rows, SelectionSettings(natural_cluster_margin=margin))


def _even(means: dict[Candidate, float]) -> dict[Candidate, StructurelessSilhouette]:
    return {candidate: StructurelessSilhouette(mean, 0.0) for candidate, mean in means.items()}


def reason_of(selection: Selection, candidate: Candidate) -> str:
    """Why the candidate was chosen or not."""
    return next(row.reason for row in selection.rows if row.candidate == candidate)
