import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segspark.errors import ClusteringError
from segspark.model.vector import FeatureVector, VectorColumn

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


def vector_of(*columns: tuple[float, float, float, float]) -> FeatureVector:
    return FeatureVector(
        tuple(VectorColumn(f"feature_{order}", *column) for order, column in enumerate(columns))
    )


def test_a_value_is_logged_then_cut_then_standardised() -> None:
    vector = vector_of((0.5, 2.0, 1.0, 0.5))

    points = vector.transform(np.array([[0.0], [np.e - 1], [1e6]]))

    assert points.ravel().tolist() == pytest.approx([(0.5 - 1) / 0.5, 0.0, (2.0 - 1) / 0.5])


def test_without_bounds_nothing_is_cut() -> None:
    vector = vector_of((-np.inf, np.inf, 0.0, 1.0))

    assert vector.transform(np.array([[1e300]]))[0, 0] == np.log1p(1e300)


@pytest.mark.parametrize("value", [-0.01, np.nan, np.inf])
def test_a_value_without_a_finite_logarithm_is_refused_by_column_and_row(value: float) -> None:
    vector = vector_of((0.0, 1.0, 0.0, 1.0), (0.0, 1.0, 0.0, 1.0))

    with pytest.raises(ClusteringError, match="feature_1 in row 2 is"):
        vector.transform(np.array([[1.0, 1.0], [1.0, 1.0], [1.0, value]]))


def test_points_with_another_number_of_columns_are_refused() -> None:
    with pytest.raises(ClusteringError, match="do not fit a model of 1 columns"):
        vector_of((0.0, 1.0, 0.0, 1.0)).transform(np.ones((3, 2)))


def test_no_customers_give_no_points() -> None:
    assert vector_of((0.0, 1.0, 0.0, 1.0)).transform(np.empty((0, 1))).shape == (0, 1)


@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS)
def test_every_float_survives_json(a: float, b: float, c: float, d: float) -> None:
    vector = vector_of((a, b, c, d), (-np.inf, np.inf, c, d))

    text = json.dumps(vector.to_dict(), allow_nan=False)

    assert FeatureVector.from_dict(json.loads(text)) == vector
