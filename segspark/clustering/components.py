"""Principal components of points: sums in one pass over them, a small matrix on the driver."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from segspark.clustering.points import Points
from segspark.errors import ClusteringError
from segspark.model.embedding import Embedding, Layer
from segspark.model.scores import Floats
from segspark.settings.training import PcaSettings

_ROUNDING = 1e-9
_ORIGIN_ROWS = 1000


@dataclass(frozen=True, slots=True, eq=False)
class _Moments:
    """Sums of points about an origin.

    Attributes:
        count: Points.
        sums: Sums of point - origin, shape (d,).
        products: Sums of its coordinates' products, shape (d, d).
    """

    count: int
    sums: Floats
    products: Floats

    @classmethod
    def of(cls, points: Floats, *, origin: Floats) -> Self:
        offsets = points - origin
        return cls(len(points), offsets.sum(axis=0), offsets.T @ offsets)

    def __add__(self, other: Self) -> Self:
        return type(self)(
            self.count + other.count, self.sums + other.sums, self.products + other.products
        )


def mean_and_covariance(points: Points) -> tuple[Floats, Floats]:
    """Mean, (d,), and population covariance, (d, d), of all points, by one pass.

    Args:
        points: At least one.
    """
    # About a point among them no digit is lost.
    origin = points.sample(_ORIGIN_ROWS).mean(axis=0)

    def moments_of(block: Floats) -> _Moments:
        return _Moments.of(block, origin=origin)

    (total,) = points.add_up([moments_of])
    shift = total.sums / total.count
    return origin + shift, total.products / total.count - np.outer(shift, shift)


def fit_components(points: Points, settings: PcaSettings) -> Embedding:
    """Fit one linear layer, which takes the mean off and turns towards what varies most.

    Args:
        points: All customers, not all the same.
        settings: Number of components, at most d, or the least share that they explain together.
    """
    mean, covariance = mean_and_covariance(points)
    weights, ratios = principal_components(covariance, settings)
    return Embedding((Layer(weights, -(weights @ mean)),), explained_ratio=float(ratios.sum()))


def principal_components(covariance: Floats, settings: PcaSettings) -> tuple[Floats, Floats]:
    """Take the components that explain most, as many as are asked for.

    An eigenvector's sign is free, and another machine's may differ: the first of a component's
    largest weights is above zero.

    Args:
        covariance: Shape (d, d).
        settings: Their number, at most d, or the least share that they explain together.

    Returns:
        For each component, the one that explains most first, the weight of each column, shape
        (components, d), and its share of the variance, (components,).
    """
    values, vectors = np.linalg.eigh(covariance)
    values, vectors = np.maximum(values[::-1], 0.0), vectors[:, ::-1]
    if not values.any():
        raise ClusteringError(
            "all customers stand at one point of the vector, which has no components: leave pca "
            "out of training.sweep.embeddings, or name other columns in training.vector"
        )
    ratios = values / values.sum()
    count = settings.component_count
    if count is None:
        count = 1 + int(np.sum(np.cumsum(ratios)[:-1] < _least(settings)))
    return np.stack([_signed(vector) for vector in vectors.T[:count]]), ratios[:count]


def _least(settings: PcaSettings) -> float:
    return (settings.least_explained_ratio or 0.0) - _ROUNDING


def _signed(vector: Floats) -> Floats:
    sizes = np.abs(vector)
    # Weights of one size differ by rounding: the first of them decides, not the largest digit.
    leading = int(np.argmax(sizes >= sizes.max() - _ROUNDING))
    signed: Floats = -vector if vector[leading] < 0 else vector
    return signed
