"""How good the candidates of one side are beside another's, all judged by the same code."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan
from typing import Any

import numpy as np

from segspark.clustering.evidence import evidence
from segspark.model.clusters import ClusterModel
from segspark.model.reading import cluster_model_from_dict
from segspark.model.scores import CHUNK_ROWS, Floats

Answers = Mapping[str, Mapping[str, Any]]
"""Candidate id → what a side says of it: `clusters` and `silhouette`, or figures of its own."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Figures of one clustering of the benchmark's customers; None where there is none.

    Attributes:
        within_cluster_sum: Sum of squared distances to the actual means.
        silhouette: Mean, by squared Euclidean distance.
        log_likelihood: Of a mixture, per customer.
    """

    within_cluster_sum: float | None = None
    silhouette: float | None = None
    log_likelihood: float | None = None


def judged(points: Floats, answers: Answers) -> dict[str, Judgement]:
    """Judge each candidate on the (n, d) points; figures that a side gives itself are taken."""
    return {
        name: judgement(points, cluster_model_from_dict(answer["clusters"]))
        if "clusters" in answer
        else Judgement(**answer)
        for name, answer in answers.items()
    }


def judgement(points: Floats, clusters: ClusterModel) -> Judgement:
    """Judge a clustering on (n, d) points, at least one."""
    chunks = [points[start : start + CHUNK_ROWS] for start in range(0, len(points), CHUNK_ROWS)]
    labels = np.concatenate([clusters.assign(chunk) for chunk in chunks])
    found = evidence(points, labels)
    likelihood = sum(float(clusters.score(chunk).log_density.sum()) for chunk in chunks)
    return Judgement(
        within_cluster_sum=found.within_cluster_sum,
        silhouette=found.silhouette,
        log_likelihood=None if isnan(likelihood) else likelihood / len(points),
    )


def compared(
    mine: Mapping[str, Judgement], peers: Mapping[str, Mapping[str, Judgement]]
) -> dict[str, dict[str, float]]:
    """Hold each of segspark's candidates against the same of every peer.

    Args:
        mine: Candidate id → judgement.
        peers: Peer → candidate id → judgement.

    Returns:
        Candidate id → `silhouette`, and for each peer, with its name at the end:
        `within_cluster_sum_ratio` (segspark's / the peer's; not of mixtures),
        `log_likelihood_difference` (segspark's - the peer's, per customer; of mixtures) and
        `silhouette_difference`. What one of the two lacks is left out.
    """
    return {
        name: _figures(
            own, {peer: theirs[name] for peer, theirs in peers.items() if name in theirs}
        )
        for name, own in mine.items()
    }


def _figures(own: Judgement, theirs: Mapping[str, Judgement]) -> dict[str, float]:
    figures: dict[str, float | None] = {"silhouette": own.silhouette}
    for peer, other in theirs.items():
        likelihood = _difference(own.log_likelihood, other.log_likelihood)
        figures[f"log_likelihood_difference_{peer}"] = likelihood
        if own.log_likelihood is None:
            ratio = _ratio(own.within_cluster_sum, other.within_cluster_sum)
            figures[f"within_cluster_sum_ratio_{peer}"] = ratio
        difference = _difference(own.silhouette, other.silhouette)
        figures[f"silhouette_difference_{peer}"] = difference
    return {name: round(value, 6) for name, value in figures.items() if value is not None}


def worst(quality: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Of each figure the value, over all candidates, that speaks most against segspark."""
    names = sorted({name for figures in quality.values() for name in figures} - {"silhouette"})
    return {
        name: (max if "_ratio_" in name else min)(
            figures[name] for figures in quality.values() if name in figures
        )
        for name in names
    }


def evaluator_difference(answers: Answers, judgements: Mapping[str, Judgement]) -> float:
    """Largest difference between the silhouettes a side gives and those judged here; 0: none."""
    pairs = [(answer.get("silhouette"), judgements[name]) for name, answer in answers.items()]
    found = [_difference(said, judgement.silhouette) for said, judgement in pairs]
    return max((abs(each) for each in found if each is not None), default=0.0)


def _difference(mine: float | None, theirs: float | None) -> float | None:
    return None if mine is None or theirs is None else mine - theirs


def _ratio(mine: float | None, theirs: float | None) -> float | None:
    return None if mine is None or not theirs else mine / theirs
