import json
import math
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segspark.errors import ClusteringError, StorageError
from segspark.model.vector import FeatureVector, ValueRule, VectorColumn
from segspark.model.vector_arrays import points_of_values
from tests.vectors import Case, cases, everyday_cases

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


def vector_of(*columns: tuple[float, float, float, float]) -> FeatureVector:
    return FeatureVector(
        tuple(
            VectorColumn(ValueRule(f"feature_{order}"), *column)
            for order, column in enumerate(columns)
        )
    )


def as_it_is(*, missing: float | None = None, least: float | None = None) -> FeatureVector:
    rule = ValueRule("trend", transformation="none", missing=missing, least=least)
    return FeatureVector((VectorColumn(rule, -math.inf, math.inf, 1.0, 2.0),))


def test_a_value_is_logged_then_cut_then_scaled() -> None:
    vector = vector_of((0.5, 2.0, 1.0, 0.5))

    points = points_of_values(vector, np.array([[0.0], [np.e - 1], [1e6]]))

    assert points.ravel().tolist() == pytest.approx([(0.5 - 1) / 0.5, 0.0, (2.0 - 1) / 0.5])


def test_without_bounds_nothing_is_cut() -> None:
    vector = vector_of((-np.inf, np.inf, 0.0, 1.0))

    assert points_of_values(vector, np.array([[1e300]]))[0, 0] == np.log1p(1e300)


def test_without_a_logarithm_a_value_below_zero_is_taken_as_it_is() -> None:
    assert as_it_is().point({"trend": -3}) == (-2.0,)


def test_a_missing_value_counts_as_what_the_rule_says() -> None:
    vector = as_it_is(missing=5.0)

    assert vector.point({}) == vector.point({"trend": None}) == vector.point({"trend": 5}) == (2.0,)
    assert points_of_values(vector, np.array([[np.nan]])).tolist() == [[2.0]]


def test_a_value_below_the_least_is_raised_to_it_before_its_logarithm() -> None:
    rule = ValueRule("spend_30_days_amount", least=0.0)
    vector = FeatureVector((VectorColumn(rule, -math.inf, math.inf, 0.0, 1.0),))

    assert vector.point({"spend_30_days_amount": -40}) == (0.0,)
    assert points_of_values(vector, np.array([[-40.0]])).tolist() == [[0.0]]


@given(st.one_of(cases(), everyday_cases()))
def test_one_customer_arrays_and_frames_agree(case: Case) -> None:
    frame = pd.DataFrame(case.customers)[list(case.vector.names)]

    points = points_of_values(case.vector, frame.to_numpy(dtype=np.float64, na_value=np.nan))

    for row, customer in zip(points, case.customers, strict=True):
        away = np.abs(row - case.vector.point(customer))
        assert (away <= case.tolerances(customer)).all()


@pytest.mark.parametrize("value", [-0.01, np.nan, np.inf, -np.inf])
def test_a_value_that_cannot_be_taken_is_refused_by_column_and_row(value: float) -> None:
    vector = vector_of((0.0, 1.0, 0.0, 1.0), (0.0, 1.0, 0.0, 1.0))

    with pytest.raises(ClusteringError, match="feature_1 in row 2 is"):
        points_of_values(vector, np.array([[1.0, 1.0], [1.0, 1.0], [1.0, value]]))
    with pytest.raises(ClusteringError, match=r"^feature_1 is"):
        vector.point({"feature_0": 1.0, "feature_1": value})


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_a_rule_for_missing_and_low_values_takes_no_infinite_one(value: float) -> None:
    vector = as_it_is(missing=0.0, least=0.0)

    with pytest.raises(ClusteringError, match="must be a finite number"):
        vector.point({"trend": value})
    with pytest.raises(ClusteringError, match="must be a finite number"):
        points_of_values(vector, np.array([[value]]))


def test_one_customer_without_a_feature_is_refused_by_its_name() -> None:
    with pytest.raises(ClusteringError, match=r"^feature_0 is nan: the vector has no rule"):
        vector_of((0.0, 1.0, 0.0, 1.0)).point({})


@pytest.mark.parametrize("value", ["many", object(), 10**400])
def test_what_is_no_number_is_refused_in_a_sentence(value: object) -> None:
    with pytest.raises(ClusteringError, match=r"^trend is no number"):
        as_it_is().point({"trend": value})  # type: ignore[dict-item]


def test_points_with_another_number_of_columns_are_refused() -> None:
    with pytest.raises(ClusteringError, match="do not fit a model of 1 columns"):
        points_of_values(vector_of((0.0, 1.0, 0.0, 1.0)), np.ones((3, 2)))


def test_no_customers_give_no_points() -> None:
    assert points_of_values(vector_of((0.0, 1.0, 0.0, 1.0)), np.empty((0, 1))).shape == (0, 1)


@given(cases(), st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS))
def test_every_parameter_survives_json(case: Case, numbers: tuple[float, ...]) -> None:
    extreme = VectorColumn(ValueRule("extreme", missing=numbers[0]), -math.inf, *numbers[1:])
    vector = FeatureVector((*case.vector.columns, extreme))

    text = json.dumps(vector.to_dict(), allow_nan=False)

    again = FeatureVector.from_dict(json.loads(text))
    assert again == vector
    assert again.to_dict() == vector.to_dict()


def test_an_unknown_transformation_is_not_guessed() -> None:
    stored = as_it_is().to_dict()
    stored["columns"][0]["transformation"] = "sqrt"

    with pytest.raises(ValueError, match="no transformation 'sqrt'"):
        FeatureVector.from_dict(stored)


def test_a_vector_of_an_earlier_version_is_read_unless_it_is_of_components() -> None:
    stored = as_it_is().to_dict()

    assert FeatureVector.from_dict(stored | {"projection": None}) == as_it_is()
    with pytest.raises(StorageError, match=r"of principal components.*: train again"):
        FeatureVector.from_dict(stored | {"projection": {"weights": [[1.0]]}})


def test_one_customer_needs_nothing_but_python() -> None:
    code = "import sys, segspark.model.vector; assert 'numpy' not in sys.modules"

    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
