"""Searches that several tests share, and the gain of one candidate by a naive way."""

from typing import Any

import numpy as np
from sklearn.datasets import make_blobs

from segspark.clustering.batched import fit_in_memory
from segspark.clustering.embedded_fits import fit_embeddings
from segspark.clustering.engine import Candidate, candidates_of
from segspark.clustering.evidence import evidence
from segspark.clustering.points import MemoryPoints
from segspark.clustering.search import grid_of, search_candidates
from segspark.clustering.search_fits import SampleFits
from segspark.clustering.search_study import Proposal
from segspark.clustering.search_trials import Search
from segspark.clustering.structureless import (
    best_of_all_algorithms,
    cluster_structureless,
    structureless_silhouettes,
)
from segspark.model.scores import Floats
from segspark.settings.search import SearchSettings
from segspark.settings.training import (
    Algorithm,
    Covariance,
    SelectionSettings,
    SweepSettings,
    TrainingSettings,
)

SELECTION = SelectionSettings(structureless_draws=2, structureless_customers=300)
SWEEP = SweepSettings(
    algorithms=(Algorithm.KMEANS, Algorithm.BISECTING_KMEANS, Algorithm.GAUSSIAN_MIXTURE),
    covariances=(Covariance.FULL, Covariance.SPHERICAL),
    fewest_segments=2,
    most_segments=6,
    kmeans_restarts=1,
    mixture_restarts=1,
)


def searched(
    samples: dict[str, Floats],
    asked: SearchSettings,
    sweep: SweepSettings = SWEEP,
    **more: Any,  # noqa: ANN401 - of the search
) -> Search:
    settings = TrainingSettings(sweep=sweep, search=asked, selection=SELECTION)
    return search_candidates(samples, asked, settings, **{"progress": lambda _: None, **more})


def blobs(rows: int = 700, *, seed: int = 4) -> Floats:
    points, _ = make_blobs(rows, 3, centers=4, cluster_std=1.6, random_state=seed)
    return np.asarray(points)


def noise(rows: int = 700, *, seed: int = 5) -> Floats:
    return np.random.default_rng(seed).normal(size=(rows, 3))


def grid(samples: dict[str, Floats], sweep: SweepSettings) -> list[Proposal]:
    return grid_of(SampleFits.of(samples, TrainingSettings(sweep=sweep, selection=SELECTION)))


def gain_by_hand(
    points: Floats, candidate: Candidate, sweep: SweepSettings, *, whole: Floats
) -> float:
    """Silhouette of a fit to the points, above the best of every algorithm without structure."""
    embeddings = fit_embeddings(MemoryPoints(whole), sweep, sweep.embeddings)
    (model,) = fit_in_memory(points, [candidate], sweep, embeddings=embeddings).values()
    rivals = [
        each for each in candidates_of(sweep) if each.segment_count == candidate.segment_count
    ]
    drawn = cluster_structureless(
        whole[: SELECTION.structureless_customers],
        rivals,
        sweep,
        draws=SELECTION.structureless_draws,
    )
    best = best_of_all_algorithms(structureless_silhouettes(drawn))[candidate].mean
    silhouette = evidence(points, model.assign(points)).silhouette
    assert silhouette is not None
    return silhouette - best
