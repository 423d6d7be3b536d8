"""Figures that need every pair of customers, or a comparison that only a sample can pay for."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import pairwise_distances, silhouette_score

from segspark.clustering.engine import Candidate
from segspark.clustering.evidence import evidence
from segspark.clustering.gap_statistic import GapStatistic
from segspark.model.clusters import ClusterModel
from segspark.model.scores import Floats, Indices

SILHOUETTE_ROWS = 3000
"""Customers between all of whom distances are taken: 72 MB of them."""


@dataclass(frozen=True, slots=True)
class SampleEvidence:
    """Figures of one candidate on a sample; None where they do not apply.

    Attributes:
        euclidean_silhouette: Mean silhouette by Euclidean distance, -1 to 1.
        cosine_silhouette: The same by 1 - cosine, over customers that are not at the origin.
        gap: Within sum against uniform data.
        copula_gap: The same against data with the sample's margins and rank correlations.
        separated_pair_ratio: Share of the pairs of segments with few customers between them.
    """

    euclidean_silhouette: float | None
    cosine_silhouette: float | None
    gap: GapStatistic | None = None
    copula_gap: GapStatistic | None = None
    separated_pair_ratio: float | None = None


def sample_evidence(
    sample: Floats,
    models: Mapping[Candidate, ClusterModel],
    *,
    gaps: Mapping[Candidate, GapStatistic],
    copula_gaps: Mapping[Candidate, GapStatistic],
    separated: Mapping[Candidate, float],
) -> dict[Candidate, SampleEvidence]:
    """Judge every model on a sample.

    Args:
        sample: Shape (n, d), at least one point; silhouettes are of its first few thousand.
        models: What assigns the points.
        gaps: Passed on.
        copula_gaps: Passed on.
        separated: Passed on.
    """
    few = sample[:SILHOUETTE_ROWS]
    distances = pairwise_distances(few)
    found = {}
    for candidate, model in models.items():
        labels = model.assign(few)
        found[candidate] = SampleEvidence(
            _euclidean_silhouette(distances, labels),
            cosine_silhouette(few, labels),
            gaps.get(candidate),
            copula_gaps.get(candidate),
            separated.get(candidate),
        )
    return found


def cosine_silhouette(points: Floats, labels: Indices) -> float | None:
    """Mean silhouette by cosine distance, as Spark's CosineSilhouette.

    The squared distance of two unit vectors is twice their cosine distance, and a silhouette is a
    ratio of distances, so it is the squared Euclidean one of the directions. Spark refuses points
    at the origin, which have no direction; here they are left out.

    Args:
        points: Shape (n, d).
        labels: Cluster indices from 0 up, shape (n,).

    Returns:
        None with fewer than two clusters.
    """
    lengths = np.linalg.norm(points, axis=1)
    has_direction = lengths > 0
    if not has_direction.any():
        return None
    directions = points[has_direction] / lengths[has_direction, None]
    return evidence(directions, labels[has_direction]).silhouette


def _euclidean_silhouette(distances: Floats, labels: Indices) -> float | None:
    """None with fewer than two clusters or with every customer alone in one."""
    if not 1 < len(np.unique(labels)) < len(labels):
        return None
    return float(silhouette_score(distances, labels, metric="precomputed"))
