import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession

from segspark.clustering.vectorise import fit_vector, vector_column
from segspark.errors import ClusteringError
from segspark.model.scores import Floats
from segspark.model.vector import FeatureVector, VectorColumn
from segspark.settings.training import VectorSettings
from tests.builders import table

TWO = VectorSettings(columns=("recency_days", "monetary_amount"), winsorise_tail_ratio=0.02)
SCHEMA = "customer_id string, recency_days int, monetary_amount double"


def frame(spark: SparkSession, values: Floats) -> DataFrame:
    rows = [(f"c{n}", int(recency), float(money)) for n, (recency, money) in enumerate(values)]
    return table(spark, SCHEMA, *rows)


def skewed(rows: int = 500) -> Floats:
    generator = np.random.default_rng(4)
    money = generator.lognormal(3, 2, rows)
    return np.column_stack([generator.integers(0, 400, rows), money]).astype(np.float64)


def test_cut_mean_and_deviation_are_those_of_numpy(spark: SparkSession) -> None:
    values = skewed()
    logs = np.log1p(values)
    lower, upper = np.quantile(logs, [0.02, 0.98], axis=0)
    cut = np.clip(logs, lower, upper)

    vector = fit_vector(frame(spark, values), TWO)

    assert vector.names == TWO.columns
    expected = np.column_stack([lower, upper, cut.mean(axis=0), cut.std(axis=0)])
    found = [(c.lower, c.upper, c.mean, c.deviation) for c in vector.columns]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_the_column_equals_the_numpy_transform(spark: SparkSession) -> None:
    values = skewed()
    vector = fit_vector(frame(spark, values), TWO)

    rows = frame(spark, values).select(vector_column(vector).alias("vector")).collect()

    found = np.array([row["vector"] for row in rows])
    np.testing.assert_allclose(found, vector.transform(values), rtol=0, atol=1e-12)


def test_without_winsorising_there_are_no_bounds(spark: SparkSession) -> None:
    values = skewed()
    settings = VectorSettings(columns=("monetary_amount",), winsorise_tail_ratio=0.0)

    (column,) = fit_vector(frame(spark, values), settings).columns

    assert (column.lower, column.upper) == (-np.inf, np.inf)
    assert column.mean == pytest.approx(np.log1p(values[:, 1]).mean(), rel=1e-12)


def test_a_missing_value_stays_missing_instead_of_taking_a_bound(spark: SparkSession) -> None:
    vector = FeatureVector((VectorColumn("monetary_amount", 1.0, 2.0, 0.0, 1.0),))
    features = table(spark, "monetary_amount double", (None,), (0.0,), (1e9,))

    rows = features.select(vector_column(vector).alias("vector")).collect()

    assert [row["vector"] for row in rows] == [[None], [1.0], [2.0]]


def test_money_as_decimal_is_a_feature_too(spark: SparkSession) -> None:
    features = frame(spark, skewed()).selectExpr(
        "recency_days", "cast(monetary_amount as decimal(28, 4)) as monetary_amount"
    )

    assert fit_vector(features, TWO).columns[1].deviation > 0


@pytest.mark.parametrize("constant", [5.0, 0.0])
def test_a_column_that_is_the_same_for_all_is_refused(spark: SparkSession, constant: float) -> None:
    values = np.column_stack([np.arange(50.0), np.full(50, constant)])

    with pytest.raises(ClusteringError, match=r"^monetary_amount is the same.*take it out of"):
        fit_vector(frame(spark, values), TWO)


def test_a_column_that_only_the_tails_vary_is_refused(spark: SparkSession) -> None:
    values = np.column_stack([np.arange(200.0), np.full(200, 7.0)])
    values[0, 1] = 1e6

    with pytest.raises(ClusteringError, match="once its tails are cut off"):
        fit_vector(frame(spark, values), TWO)


@pytest.mark.parametrize("rows", [0, 1])
def test_fewer_than_two_customers_are_refused(spark: SparkSession, rows: int) -> None:
    with pytest.raises(ClusteringError, match=f"there are {rows}"):
        fit_vector(frame(spark, skewed()[:rows]), TWO)


@pytest.mark.parametrize("wrong", [-1.0, -0.5, float("nan"), float("inf"), None])
def test_values_without_a_logarithm_are_refused_and_counted(
    spark: SparkSession, wrong: float | None
) -> None:
    features = table(spark, SCHEMA, ("a", 1, 1.0), ("b", 2, wrong), ("c", 3, 3.0))

    with pytest.raises(ClusteringError, match=r"monetary_amount is missing.* for 1 of 3"):
        fit_vector(features, TWO)
