import json
import subprocess
import sys

import numpy as np
import pytest

from segspark.errors import ClusteringError, StorageError
from segspark.model.clusters import Centres
from segspark.model.mixture import Mixture
from segspark.model.segment_model import SegmentModel
from segspark.model.vector import FeatureVector, ValueRule, VectorColumn
from segspark.model.vector_arrays import points_of_values

VECTOR = FeatureVector(
    (
        VectorColumn(ValueRule("recency_days"), 0.0, 6.0, 3.0, 1.5),
        VectorColumn(ValueRule("monetary_amount"), -np.inf, np.inf, 1 / 3, 0.1),
    )
)
MODEL = SegmentModel(
    model_id="m1",
    training_id="t1",
    algorithm="kmeans",
    vector=VECTOR,
    clusters=Centres(np.array([[0.1, 0.2], [1 / 3, -7.0]])),
    outlier_distance=2.5,
)


def test_a_model_comes_back_from_json_as_it_was() -> None:
    again = SegmentModel.from_json(MODEL.to_json())

    assert again.to_json() == MODEL.to_json()
    assert again.vector == VECTOR
    values = np.array([[10.0, 250.0], [0.0, 1.0]])
    np.testing.assert_array_equal(
        again.score_values(values).centre_distance, MODEL.score_values(values).centre_distance
    )


def test_values_are_scored_as_their_points_are() -> None:
    values = np.array([[10.0, 250.0]])

    by_points = MODEL.score_points(points_of_values(VECTOR, values))

    assert MODEL.score_values(values).centre_distance == by_points.centre_distance


def test_an_impossible_value_is_refused() -> None:
    with pytest.raises(ClusteringError, match=r"monetary_amount in row 0 is -5\.0"):
        MODEL.score_values(np.array([[1.0, -5.0]]))


def test_a_customer_beyond_the_distance_is_an_outlier_and_one_on_it_is_not() -> None:
    scores = MODEL.score_points(np.array([[0.1, 0.2 + 2.5], [0.1, 0.2 + 2.6]]))

    assert MODEL.is_outlier(scores).tolist() == [False, True]


def test_a_customer_whom_no_component_explains_is_an_outlier_at_any_distance() -> None:
    mixture = Mixture(np.ones(1), np.zeros((1, 2)), np.eye(2)[None] * 1e-4)
    model = SegmentModel("m", "t", "gaussian_mixture", VECTOR, mixture, outlier_distance=100.0)

    scores = model.score_points(np.array([[5.0, 0.0], [0.0, 0.0]]))

    assert model.is_outlier(scores).tolist() == [True, False]


def test_a_later_format_is_refused_in_a_sentence() -> None:
    later = json.dumps(json.loads(MODEL.to_json()) | {"format_version": 99})

    with pytest.raises(StorageError, match=r"format 99.*train again"):
        SegmentModel.from_json(later)


def test_a_model_of_an_earlier_version_is_read_unless_its_vector_is_of_components() -> None:
    stored = json.loads(MODEL.to_json())
    plain, projected = (
        json.dumps(
            stored | {"format_version": 2, "vector": stored["vector"] | {"projection": each}}
        )
        for each in (None, {"weights": [[0.6, 0.8]], "explained_ratios": [0.9]})
    )

    assert SegmentModel.from_json(plain).to_json() == MODEL.to_json()
    with pytest.raises(StorageError, match=r"^the model's vector is of principal.*: train again"):
        SegmentModel.from_json(projected)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format_version": 2}', "null"])
def test_a_text_that_is_no_model_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(StorageError, match="is no model that segspark wrote"):
        SegmentModel.from_json(text)


def test_the_served_model_needs_neither_spark_nor_pandas_nor_mlflow() -> None:
    program = (
        "import sys, segspark.model.segment_model; "
        "sys.exit(str([m for m in ('pyspark', 'pandas', 'mlflow') if m in sys.modules] or ''))"
    )

    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert found.stderr.strip() == ""
