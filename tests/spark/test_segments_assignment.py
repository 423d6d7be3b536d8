"""Segments that Spark's own columns assign are those of the served model."""

import contextlib
import io
from decimal import Decimal
from itertools import product

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession

from segspark.clustering.vectorise import with_coordinates
from segspark.errors import ClusteringError
from segspark.features.eligibility import scorable
from segspark.model.clusters import Centres, ClusterModel
from segspark.model.mixture import Mixture
from segspark.model.scores import Floats
from segspark.model.segment_model import SegmentModel
from segspark.model.vector import FeatureVector, ValueRule, VectorColumn
from segspark.segments.assignment import score_customers
from segspark.segments.nearest import are_few, nearest_centres

VECTOR = FeatureVector(
    (
        VectorColumn(ValueRule("recency_days", missing=3.0), 0.2, 6.0, 2.0, 0.7),
        VectorColumn(ValueRule("tenure_days", "none", least=-4.0), -5.0, 5.0, 0.0, 1.0),
        VectorColumn(ValueRule("item_units", "none"), -9.0, 9.0, 0.0, 1.0),
    )
)
RANDOM = np.random.default_rng(5)
SCATTERED = RANDOM.normal(scale=3.0, size=(7, 3))
MANY = RANDOM.normal(scale=3.0, size=(72, 3))
EVEN = np.array([[0.0, x, y] for x in (-2.0, 2.0) for y in (2.0, -2.0, 2.0)])
"""Some of them twice, and with customers between them who are as near to two or to all."""


def customers() -> Floats:
    """Many that are drawn, and some on a grid; of a few one value is missing, NULL or NaN."""
    drawn = np.abs(RANDOM.normal(scale=4.0, size=(300, 3)))
    grid = np.array([[np.e**2 - 1, x, y] for x in range(-6, 7) for y in range(-3, 4)])
    drawn[::17, 0] = np.nan
    return np.concatenate([drawn, grid])


@pytest.mark.parametrize("centres", [SCATTERED, EVEN, MANY, SCATTERED[:2], SCATTERED[:1]])
def test_nearest_centres_by_spark_are_those_of_the_served_model(
    spark: SparkSession, centres: Floats
) -> None:
    model = SegmentModel("m", "t", "kmeans", VECTOR, Centres(centres), outlier_distance=5.0)
    values = customers()
    rows = [
        (f"{n:04d}", *(None if np.isnan(x) and n % 2 else float(x) for x in row))
        for n, row in enumerate(values)
    ]
    features = spark.createDataFrame(rows, ["customer_id", *VECTOR.names])

    found = score_customers(with_coordinates(features, VECTOR), model=model)

    told = found.orderBy("customer_id").toPandas()
    expected = model.score_values(values)
    assert told["cluster_index"].tolist() == expected.cluster_index.tolist()
    assert told["runner_up_index"].tolist() == expected.runner_up_index.tolist()
    for name, own in (
        ("centre_distance", expected.centre_distance),
        ("confidence_ratio", expected.confidence),
    ):
        np.testing.assert_allclose(told[name], own, rtol=1e-12, atol=1e-12)
    assert told["is_outlier"].tolist() == model.is_outlier(expected).tolist()
    assert told["is_far_from_centre"].tolist() == told["is_outlier"].tolist()
    assert "MapInArrow" not in plan_of(found)
    assert told[["probability_ratio", "isolation_score", "is_isolated"]].isna().all(axis=None)


def test_of_any_values_those_are_scored_whom_the_served_model_takes(spark: SparkSession) -> None:
    vector = FeatureVector(
        (
            VectorColumn(ValueRule("order_count"), 0.2, 6.0, 2.0, 0.7),
            VectorColumn(ValueRule("item_units", "none"), -9.0, 9.0, 0.0, 1.0),
            VectorColumn(ValueRule("gap_days", missing=3.0), 0.2, 6.0, 2.0, 0.7),
            VectorColumn(ValueRule("return_ratio", "none"), -9.0, 9.0, 0.0, 1.0),
        )
    )
    centres = RANDOM.normal(size=(3, 4))
    model = SegmentModel("m", "t", "kmeans", vector, Centres(centres), outlier_distance=5.0)
    numbers = (None, np.nan, np.inf, -np.inf, -1.0, -0.0, 1e308, -1e308, 2.5)
    drawn = product((None, -1, 0, 7), numbers, numbers, (None, Decimal("-0.50"), Decimal("1.25")))
    rows = [(str(number), None, *values) for number, values in enumerate(drawn)]
    schema = "order_count int, item_units double, gap_days double, return_ratio decimal(9, 2)"
    features = spark.createDataFrame(rows, f"customer_id string, exclusion_reason string, {schema}")

    points = with_coordinates(scorable(features, rules=vector.rules), vector)
    found = {row["customer_id"]: row for row in score_customers(points, model=model).collect()}

    expected = {}
    for customer_id, _, *values in rows:
        with contextlib.suppress(ClusteringError):
            told = model.score_customer(dict(zip(vector.names, values, strict=True)))
            expected[customer_id] = told
    assert found.keys() == expected.keys()
    assert len(expected) == 2 * 5 * 5 * 2
    for customer_id, told in expected.items():
        assert found[customer_id]["cluster_index"] == told.cluster_index
        assert found[customer_id]["centre_distance"] == pytest.approx(told.centre_distance)


@pytest.mark.parametrize(
    "clusters",
    [
        Mixture(np.array([0.5, 0.5]), SCATTERED[:2], np.array([np.eye(3), np.eye(3)])),
        Centres(RANDOM.normal(scale=3.0, size=(101, 3))),
    ],
    ids=["mixture", "many centres"],
)
def test_segments_of_other_models_go_by_the_code_of_the_served_model(
    spark: SparkSession, clusters: ClusterModel
) -> None:
    model = SegmentModel("m", "t", "any", VECTOR, clusters, outlier_distance=5.0)
    features = spark.createDataFrame([("1", 1.0, 2.0, 3.0)], ["customer_id", *VECTOR.names])

    found = score_customers(with_coordinates(features, VECTOR), model=model)

    assert "MapInArrow" in plan_of(found)
    expected = model.score_values(np.array([[1.0, 2.0, 3.0]]))
    (row,) = found.collect()
    assert row["cluster_index"] == expected.cluster_index[0]
    assert row["centre_distance"] == pytest.approx(expected.centre_distance[0], rel=1e-12)


def test_a_customer_too_far_away_for_any_distance_is_scored_as_the_served_model_does(
    spark: SparkSession,
) -> None:
    column = VectorColumn(ValueRule("item_units", "none"), -np.inf, np.inf, 0.0, 1.0)
    model = SegmentModel(
        "m", "t", "kmeans", FeatureVector((column,)), Centres(np.array([[3.0], [1.0]])), 5.0
    )
    features = spark.createDataFrame([("1", 1e200)], ["customer_id", "item_units"])

    found = score_customers(with_coordinates(features, model.vector), model=model)

    with np.errstate(invalid="ignore"):
        expected = model.score_values(np.array([[1e200]]))
    (row,) = found.collect()
    assert row["cluster_index"] == expected.cluster_index[0]
    assert row["runner_up_index"] == expected.runner_up_index[0]
    assert row["centre_distance"] == expected.centre_distance[0] == np.inf
    assert np.isnan([row["confidence_ratio"], expected.confidence[0]]).all()


@pytest.mark.parametrize(("count", "width"), [(72, 3), (7, 42), (2, 48)])
def test_every_step_among_few_centres_is_compiled(
    spark: SparkSession, count: int, width: int
) -> None:
    columns = (VectorColumn(ValueRule(f"f{n}", "none"), -9.0, 9.0, 0.0, 1.0) for n in range(width))
    values = (f"double(id) AS f{n}" for n in range(width))
    features = spark.range(1).selectExpr("string(id) AS customer_id", *values)
    centres = RANDOM.normal(size=(count, width))

    found = nearest_centres(with_coordinates(features, FeatureVector(tuple(columns))), centres)

    assert are_few(centres)
    steps = plan_of(found).partition("== Physical Plan ==")[2].splitlines()
    projections = [step for step in steps if "Project [" in step]
    assert projections
    assert all("*(1) Project" in step for step in projections)


def test_centres_that_no_step_or_too_many_steps_would_hold_are_not_few() -> None:
    assert not are_few(np.zeros((2, 49)))
    assert not are_few(np.zeros((73, 3)))
    assert not are_few(np.zeros((10, 31)))


def plan_of(df: DataFrame) -> str:
    """How Spark would work it out, before optimisation."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        df.explain(extended=True)
    return printed.getvalue()
