"""The feature vector on arrays: `FeatureVector.point` for many customers at once."""

import numpy as np

from segspark.model.scores import Floats, checked_points
from segspark.model.vector import FeatureVector, ValueRule, VectorColumn


def points_of_values(vector: FeatureVector, values: Floats) -> Floats:
    """Turn feature values into points: read, cut, scaled.

    Args:
        vector: Its parameters.
        values: Shape (n, d), natural units, columns in the order of `vector.names`; NaN: missing.

    Returns:
        Shape (n, d).

    Raises:
        ClusteringError: A value is missing without a rule, infinite or without a logarithm, or the
            shape is another.
    """
    checked = checked_points(values, width=len(vector.columns))
    scaled = np.empty_like(checked)
    for order, column in enumerate(vector.columns):
        scaled[:, order] = _coordinates(column, checked[:, order])
    return scaled


def _coordinates(column: VectorColumn, values: Floats) -> Floats:
    read = _read(column.rule, values)
    cut: Floats = np.minimum(np.maximum(read, column.lower), column.upper)
    scaled: Floats = (cut - column.centre) / column.scale
    return scaled


def _read(rule: ValueRule, values: Floats) -> Floats:
    known = values if rule.missing is None else np.where(np.isnan(values), rule.missing, values)
    raised = known if rule.least is None else np.maximum(known, rule.least)
    wrong = ~np.isfinite(known) | (rule.is_logarithm & (raised < 0))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise rule.refusal(float(known[row]), place=f"in row {row}")
    read: Floats = np.log1p(raised) if rule.is_logarithm else raised
    return read
