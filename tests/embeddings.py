"""Embeddings that tests are about, made by hand or by scikit-learn."""

import numpy as np
from sklearn.decomposition import PCA

from segspark.model.embedding import Embedding, Layer
from segspark.model.scores import Floats, Indices


def principal(points: Floats, components: int) -> Embedding:
    """Principal components as scikit-learn has them."""
    theirs = PCA(components).fit(points)
    weights = theirs.components_
    share = float(theirs.explained_variance_ratio_.sum())
    return Embedding((Layer(weights, -(weights @ theirs.mean_)),), explained_ratio=share)


def any_encoder(width: int = 2) -> Embedding:
    """Two layers of tanh with numbers that no rounding hides."""
    generator = np.random.default_rng(5)
    layers = (
        Layer(generator.normal(size=(5, width)), generator.normal(size=5), "tanh"),
        Layer(generator.normal(size=(2, 5)), generator.normal(size=2), "tanh"),
    )
    return Embedding(layers, explained_ratio=1 / 3)


def hidden_groups(rows: int = 600, *, seed: int = 1) -> tuple[Floats, Indices]:
    """Three groups that four columns tell apart together, among twenty columns of heads or tails.

    Returns:
        Standardised points, (rows, 24), and the group of each.
    """
    generator = np.random.default_rng(seed)
    groups = np.repeat(np.arange(3), rows // 3).astype(np.int32)
    told = groups[:, None] + generator.normal(scale=0.48, size=(rows, 4))
    points = np.hstack([told, generator.choice([-1.0, 1.0], size=(rows, 20))])
    return (points - points.mean(axis=0)) / points.std(axis=0), groups
