"""Data without clusters but otherwise like the customers: the silhouette that chance reaches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, pstdev

import numpy as np
from scipy.special import ndtr
from scipy.stats import rankdata

from segspark.clustering.batched import fit_in_memory
from segspark.clustering.engine import Candidate
from segspark.clustering.evidence import Evidence, evidence
from segspark.clustering.one_thread import one_thread
from segspark.model.scores import Floats
from segspark.settings.training import Algorithm, EmbeddingMethod, SweepSettings

_CALIBRATION_ROWS = 20_000
_CALIBRATION_STEPS = 6


@dataclass(frozen=True, slots=True)
class StructurelessSilhouette:
    """Silhouettes of one algorithm and number of segments on data without clusters.

    Attributes:
        mean: Mean over the draws.
        deviation: Population deviation over the draws.
    """

    mean: float
    deviation: float


def cluster_structureless(
    sample: Floats,
    candidates: Sequence[Candidate],
    settings: SweepSettings,
    *,
    draws: int,
    margins: Floats | None = None,
) -> dict[Candidate, list[Evidence]]:
    """Cluster structureless data with the counterpart of each candidate.

    Args:
        sample: Customers' points, shape (n, d); each draw has n points too.
        candidates: What to cluster each draw with.
        settings: How they are fitted, and the seed of fits and draws; the same settings give the
            same result.
        draws: Data sets to draw.
        margins: As for `draw_structureless`.

    Returns:
        Figures of the draws; none of those with fewer distinct points than segments asked.
    """
    if not candidates:
        return {}
    generators = np.random.default_rng(settings.seed).spawn(draws)
    drawn = draw_structureless(sample, generators, margins=margins)
    return cluster_draws(drawn, candidates, settings)


def cluster_draws(
    drawn: Sequence[Floats], candidates: Sequence[Candidate], settings: SweepSettings
) -> dict[Candidate, list[Evidence]]:
    """Cluster each of some (n, d) data sets with the counterpart of each candidate.

    Returns:
        Figures by data set; none of those with fewer distinct points than segments asked.
    """
    found = [counterparts(points, candidates, settings) for points in drawn]
    return {each: [figures[each] for figures in found if each in figures] for each in candidates}


def counterparts(
    points: Floats, candidates: Sequence[Candidate], settings: SweepSettings
) -> dict[Candidate, Evidence]:
    """Cluster (n, d) points with the counterpart of each candidate.

    Most candidates are their own: fitted by the same steps, so that nothing but structure is
    between what they reach here and there.

    Returns:
        Figures of each; candidates with more segments than there are distinct points are left out.
    """
    held_to = {each: _counterpart(each) for each in candidates}
    models = fit_in_memory(points, list(dict.fromkeys(held_to.values())), settings)
    with one_thread():
        found = {each: evidence(points, model.assign(points)) for each, model in models.items()}
    return {each: found[other] for each, other in held_to.items() if other in found}


def structureless_silhouettes(
    drawn: Mapping[Candidate, Sequence[Evidence]],
) -> dict[Candidate, StructurelessSilhouette]:
    """Silhouettes that the candidates reach on data without clusters.

    Comparing a clustering to the same algorithm on a null reference follows the gap statistic
    (Tibshirani, Walther and Hastie, 2001), with the silhouette in place of the within sum.

    Args:
        drawn: What `cluster_structureless` found.

    Returns:
        One per candidate; one whose every draw fell into one cluster, or had too few distinct
        points, is left out.
    """
    found = {
        candidate: [each.silhouette for each in figures if each.silhouette is not None]
        for candidate, figures in drawn.items()
    }
    return {
        candidate: StructurelessSilhouette(fmean(silhouettes), pstdev(silhouettes))
        for candidate, silhouettes in found.items()
        if silhouettes
    }


def _counterpart(candidate: Candidate) -> Candidate:
    """Hold what is on micro-clusters to KMeans, and what is on an embedding to the plain vector.

    Without structure a tree peels off single points, whose silhouette surpasses all that could be
    chosen, and density finds one segment or none.
    """
    if candidate.algorithm.is_on_micro_clusters:
        return Candidate(Algorithm.KMEANS, candidate.segment_count)
    return replace(candidate, embedding=EmbeddingMethod.NONE)


def best_of_all_algorithms(
    found: Mapping[Candidate, StructurelessSilhouette],
) -> dict[Candidate, StructurelessSilhouette]:
    """Give every candidate the silhouette that the best algorithm reaches with as many segments.

    An algorithm that separates structureless data badly, as a mixture does, would otherwise gain
    most from being compared with itself, and be chosen for a silhouette that others surpass on
    data without any structure.
    """
    best: dict[int, StructurelessSilhouette] = {}
    for candidate, silhouette in found.items():
        before = best.get(candidate.segment_count)
        if before is None or silhouette.mean > before.mean:
            best[candidate.segment_count] = silhouette
    return {candidate: best[candidate.segment_count] for candidate in found}


def draw_structureless(
    sample: Floats, generators: Sequence[np.random.Generator], *, margins: Floats | None = None
) -> list[Floats]:
    """Draw data with the sample's marginals and rank correlations, and nothing else of it.

    A Gaussian copula: normal points of the right correlation, each coordinate replaced by the
    sample's quantile of the same rank. Quantiles are values of the sample, so its ties return.

    Args:
        sample: Shape (n, d).
        generators: One per draw.
        margins: Values to draw in place of the sample's, each column ascending, shape (n, d).

    Returns:
        One array of shape (n, d) per generator.
    """
    rows, width = sample.shape
    ordered = np.sort(sample, axis=0) if margins is None else margins
    factor = _normal_factor(sample, ordered)
    return [
        _quantiles(ordered, generator.standard_normal((rows, width)) @ factor.T)
        for generator in generators
    ]


def _quantiles(ordered: Floats, normal: Floats) -> Floats:
    rows = len(ordered)
    positions = np.minimum((ndtr(normal) * rows).astype(np.intp), rows - 1)
    return np.take_along_axis(ordered, positions, axis=0)


def _normal_factor(sample: Floats, ordered: Floats) -> Floats:
    """A factor F such that normal points times its transpose lead to the sample's ranks.

    Ties weaken rank correlation on the way from normal points to quantiles, so the textbook
    2 sin(pi r / 6) is only the start, corrected on a fixed set of normal points.
    """
    target = _rank_correlation(sample)
    normal = np.random.default_rng(0).standard_normal((_CALIBRATION_ROWS, sample.shape[1]))
    latent = 2.0 * np.sin(np.pi * target / 6.0)
    for _ in range(_CALIBRATION_STEPS):
        reached = _rank_correlation(_quantiles(ordered, normal @ _root(latent).T))
        latent = np.clip(latent + (target - reached), -1.0, 1.0)
    return _root(latent)


def _rank_correlation(points: Floats) -> Floats:
    """Spearman's correlation, shape (d, d); a constant column correlates with none."""
    ranks = rankdata(points, axis=0)
    ranks = ranks - ranks.mean(axis=0)
    lengths = np.sqrt(np.einsum("ij,ij->j", ranks, ranks))
    scaled = ranks / np.where(lengths > 0, lengths, 1.0)
    correlation: Floats = scaled.T @ scaled
    np.fill_diagonal(correlation, 1.0)
    return correlation


def _root(correlation: Floats) -> Floats:
    """A square root of the nearest matrix that is a correlation, rows of length 1."""
    values, vectors = np.linalg.eigh(correlation)
    root: Floats = vectors * np.sqrt(np.maximum(values, 0.0))
    lengths = np.sqrt(np.einsum("ij,ij->i", root, root))
    scaled: Floats = root / lengths[:, None]
    return scaled
