"""Principal components of scaled columns: sums in Spark, a small matrix on the driver."""

from collections.abc import Sequence
from itertools import combinations_with_replacement

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.clustering.vectorise import coordinate
from segspark.model.scores import Floats
from segspark.model.vector import Projection, VectorColumn
from segspark.settings.training import PcaSettings

_ROUNDING = 1e-9


def scaled_covariance(features: DataFrame, columns: Sequence[VectorColumn]) -> Floats:
    """Population covariance of the scaled columns, (d, d), by one aggregation.

    Args:
        features: One row per customer with the columns in natural units, all of which can be taken.
        columns: Their parameters.
    """
    width = len(columns)
    scaled = features.select(
        *(coordinate(column).alias(f"c{i}") for i, column in enumerate(columns))
    )
    pairs = list(combinations_with_replacement(range(width), 2))
    row = scaled.agg(*(F.covar_pop(f"c{i}", f"c{j}") for i, j in pairs)).collect()[0]
    covariance = np.zeros((width, width))
    for (i, j), value in zip(pairs, row, strict=True):
        covariance[i, j] = covariance[j, i] = value
    return covariance


def principal_components(covariance: Floats, settings: PcaSettings) -> Projection:
    """Take the components that explain most, as many as are asked for.

    An eigenvector's sign is free, and another machine's may differ: the first of a component's
    largest weights is above zero.

    Args:
        covariance: Shape (d, d), not all zero.
        settings: Their number, at most d, or the least share that they explain together.
    """
    values, vectors = np.linalg.eigh(covariance)
    values, vectors = np.maximum(values[::-1], 0.0), vectors[:, ::-1]
    ratios = values / values.sum()
    count = settings.component_count
    if count is None:
        count = 1 + int(np.sum(np.cumsum(ratios)[:-1] < _least(settings)))
    return Projection(
        weights=tuple(tuple(_signed(vector).tolist()) for vector in vectors.T[:count]),
        explained_ratios=tuple(ratios[:count].tolist()),
    )


def _least(settings: PcaSettings) -> float:
    return (settings.least_explained_ratio or 0.0) - _ROUNDING


def _signed(vector: Floats) -> Floats:
    sizes = np.abs(vector)
    # Weights of one size differ by rounding: the first of them decides, not the largest digit.
    leading = int(np.argmax(sizes >= sizes.max() - _ROUNDING))
    signed: Floats = -vector if vector[leading] < 0 else vector
    return signed
