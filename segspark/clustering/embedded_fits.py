"""Candidates on embeddings: the embeddings themselves, and fits that answer for plain points."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from segspark.clustering.autoencoder import fit_autoencoder
from segspark.clustering.components import fit_components
from segspark.clustering.engine import Candidate, FittedCandidate
from segspark.clustering.one_thread import one_thread
from segspark.clustering.points import Points
from segspark.errors import ClusteringError
from segspark.model.clusters import ClusterModel
from segspark.model.embedding import EmbeddedModel, Embedding
from segspark.model.scores import Floats, Indices
from segspark.settings.training import EmbeddingMethod, SweepSettings

P = TypeVar("P", bound=Points)

Embeddings = Mapping[EmbeddingMethod, Embedding]
"""What candidates are fitted on beside the plain vector."""


def methods_of(candidates: Iterable[Candidate]) -> tuple[EmbeddingMethod, ...]:
    """What candidates are tried on, each once; the plain vector is among it."""
    return tuple(dict.fromkeys(each.embedding for each in candidates))


def too_many_components(
    settings: SweepSettings, methods: Collection[EmbeddingMethod], *, columns: int
) -> str | None:
    """Say which embedding asks for more components than a vector has columns; None: neither."""
    counts = {
        EmbeddingMethod.PCA: settings.pca.component_count,
        EmbeddingMethod.AUTOENCODER: settings.autoencoder.component_count,
    }
    for method in methods:
        count = counts.get(method)
        if count is not None and count > columns:
            return (
                f"training.sweep.{method.value}.component_count is {count} and the vector has "
                f"{columns} columns that tell customers apart: ask for at most as many components"
            )
    return None


def fit_embeddings(
    points: Points, settings: SweepSettings, methods: Collection[EmbeddingMethod]
) -> dict[EmbeddingMethod, Embedding]:
    """Fit each embedding that candidates are tried on.

    Args:
        points: Customers by the plain vector.
        settings: Components, units and seed.
        methods: Which ones; the plain vector needs none.

    Returns:
        One for each method but the plain vector.

    Raises:
        ClusteringError: The points have fewer columns than components are asked, or there are too
            few of them.
    """
    refusal = too_many_components(settings, methods, columns=points.sample(1).shape[1])
    if refusal is not None:
        raise ClusteringError(refusal)
    found: dict[EmbeddingMethod, Embedding] = {}
    with one_thread():
        if EmbeddingMethod.PCA in methods:
            found[EmbeddingMethod.PCA] = fit_components(points, settings.pca)
        if EmbeddingMethod.AUTOENCODER in methods:
            found[EmbeddingMethod.AUTOENCODER] = fit_autoencoder(
                points, settings.autoencoder, seed=settings.seed
            )
    return found


def fit_on_embeddings(
    points: P,
    candidates: Sequence[Candidate],
    embeddings: Embeddings,
    fit: Callable[[P, Sequence[Candidate]], list[FittedCandidate]],
) -> list[FittedCandidate]:
    """Fit candidates to what their points become, those of one embedding together.

    Args:
        points: All customers by the plain vector.
        candidates: What to fit; a consensus agrees with candidates of its own embedding alone.
        embeddings: Those that candidates name.
        fit: Fits candidates to points, one result each, in order.

    Returns:
        One result per candidate, in order; its model, if any, takes points of the plain vector.
    """
    found: dict[Candidate, FittedCandidate] = {}
    for method in methods_of(candidates):
        own = [each for each in candidates if each.embedding is method]
        if method is EmbeddingMethod.NONE:
            fitted = fit(points, own)
        else:
            embedding = embeddings[method]
            with points.embedded(embedding) as embedded:
                fitted = _of_plain_points(points, embedding, fit(embedded, own))
        found |= dict(zip(own, fitted, strict=True))
    return [found[each] for each in candidates]


def embeddings_of(models: Mapping[Candidate, ClusterModel]) -> dict[EmbeddingMethod, Embedding]:
    """The embeddings that fitted candidates stand on."""
    return {
        candidate.embedding: model.embedding
        for candidate, model in models.items()
        if isinstance(model, EmbeddedModel)
    }


def _of_plain_points(
    points: Points, embedding: Embedding, fitted: Sequence[FittedCandidate]
) -> list[FittedCandidate]:
    """Let models of embedded points take plain ones, by one pass for the means of all of them."""
    models = [each.clusters for each in fitted if each.clusters is not None]
    if not models:
        return list(fitted)

    def members_of(block: Floats) -> Floats:
        return _member_sums(block, embedding=embedding, models=models)

    with one_thread():
        (sums,) = points.add_up([members_of])
    means = sums[:, :-1] / np.maximum(sums[:, -1:], 1.0)
    ends = np.cumsum([model.k for model in models])
    centres = iter(np.split(means, ends[:-1]))
    return [
        each
        if each.clusters is None
        else replace(each, clusters=EmbeddedModel(embedding, each.clusters, next(centres)))
        for each in fitted
    ]


def _member_sums(points: Floats, *, embedding: Embedding, models: Sequence[ClusterModel]) -> Floats:
    """Sums of (n, d) plain points and their number by cluster, model after model: (.., d + 1)."""
    embedded = embedding.embed(points)
    columns = np.vstack([points.T, np.ones(len(points))])

    def sums_by(labels: Indices, clusters: int) -> Floats:
        return np.stack([np.bincount(labels, column, clusters) for column in columns], axis=1)

    return np.vstack([sums_by(model.assign(embedded), model.k) for model in models])
