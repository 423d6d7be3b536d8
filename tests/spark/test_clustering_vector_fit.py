import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession

from segspark.clustering.recipes import recipe_columns
from segspark.errors import ClusteringError
from segspark.model.scores import Floats
from segspark.settings.vector import VectorSettings
from tests.builders import table
from tests.clustering_data import fit_vector_of

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

    vector = fit_vector_of(frame(spark, values), TWO).vector

    assert vector.names == TWO.columns
    expected = np.column_stack([lower, upper, cut.mean(axis=0), cut.std(axis=0)])
    found = [(c.lower, c.upper, c.centre, c.scale) for c in vector.columns]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_without_winsorising_there_are_no_bounds(spark: SparkSession) -> None:
    values = skewed()
    settings = VectorSettings(columns=("monetary_amount",), winsorise_tail_ratio=0.0)

    (column,) = fit_vector_of(frame(spark, values), settings).vector.columns

    assert (column.lower, column.upper) == (-np.inf, np.inf)
    assert column.centre == pytest.approx(np.log1p(values[:, 1]).mean(), rel=1e-12)


def test_money_as_decimal_is_a_feature_too(spark: SparkSession) -> None:
    features = frame(spark, skewed()).selectExpr(
        "recency_days", "cast(monetary_amount as decimal(28, 4)) as monetary_amount"
    )

    assert fit_vector_of(features, TWO).vector.columns[1].scale > 0


@pytest.mark.parametrize("constant", [5.0, 0.0])
def test_a_column_that_is_the_same_for_all_is_refused(spark: SparkSession, constant: float) -> None:
    values = np.column_stack([np.arange(50.0), np.full(50, constant)])

    with pytest.raises(ClusteringError, match=r"^monetary_amount is the same.*name other"):
        fit_vector_of(frame(spark, values), TWO)


def test_a_column_that_only_the_tails_vary_is_refused(spark: SparkSession) -> None:
    values = np.column_stack([np.arange(200.0), np.full(200, 7.0)])
    values[0, 1] = 1e6

    with pytest.raises(ClusteringError, match="once its tails are cut off"):
        fit_vector_of(frame(spark, values), TWO)


@pytest.mark.parametrize("rows", [0, 1])
def test_fewer_than_two_customers_are_refused(spark: SparkSession, rows: int) -> None:
    with pytest.raises(ClusteringError, match=f"there are {rows}"):
        fit_vector_of(frame(spark, skewed()[:rows]), TWO)


@pytest.mark.parametrize("wrong", [-1.0, -0.5, float("nan"), float("inf"), None])
def test_values_without_a_logarithm_are_refused_and_counted(
    spark: SparkSession, wrong: float | None
) -> None:
    features = table(spark, SCHEMA, ("a", 1, 1.0), ("b", 2, wrong), ("c", 3, 3.0))

    with pytest.raises(ClusteringError, match=r"^monetary_amount is missing.* for 1 of 3"):
        fit_vector_of(features, TWO)


def test_robust_scaling_takes_median_and_quartiles_of_what_is_cut(spark: SparkSession) -> None:
    values = skewed()
    logs = np.log1p(values)
    cut = np.clip(logs, *np.quantile(logs, [0.02, 0.98], axis=0))
    lower, median, upper = np.quantile(cut, [0.25, 0.5, 0.75], axis=0)

    fit = fit_vector_of(frame(spark, values), TWO.model_copy(update={"scaling": "robust"}))

    found = [(c.centre, c.scale) for c in fit.vector.columns]
    np.testing.assert_allclose(
        found, np.column_stack([median, (upper - lower) / 1.349]), rtol=1e-12
    )
    assert fit.warnings == ()


def test_robust_parameters_are_the_same_however_customers_are_spread(spark: SparkSession) -> None:
    settings = TWO.model_copy(update={"scaling": "robust"})
    features = frame(spark, skewed())

    fits = {fit_vector_of(features.repartition(n, "customer_id"), settings) for n in (1, 7)}

    assert len(fits) == 1


def test_quartiles_that_coincide_give_way_to_the_deviation_with_a_warning(
    spark: SparkSession,
) -> None:
    values = np.column_stack([np.arange(100.0), np.where(np.arange(100) < 80, 3.0, 50.0)])

    fit = fit_vector_of(frame(spark, values), TWO.model_copy(update={"scaling": "robust"}))

    assert fit.vector.columns[1].centre == pytest.approx(np.log1p(3.0))
    assert fit.vector.columns[1].scale == pytest.approx(np.log1p(values[:, 1]).std())
    assert len(fit.warnings) == 1
    assert "the same monetary_amount" in fit.warnings[0]


def test_a_column_that_is_taken_as_it_is_may_be_below_zero(spark: SparkSession) -> None:
    settings = VectorSettings(
        columns=("monetary_amount",), transformation="none", winsorise_tail_ratio=0.0
    )
    values = np.column_stack([np.zeros(4), [-3.0, -1.0, 1.0, 3.0]])

    (column,) = fit_vector_of(frame(spark, values), settings).vector.columns

    assert (column.centre, column.scale) == pytest.approx((0.0, np.sqrt(5.0)))


def test_a_missing_value_that_counts_as_something_is_fitted_as_that(spark: SparkSession) -> None:
    settings = VectorSettings(
        columns=("monetary_amount",),
        transformation="none",
        missing_values={"monetary_amount": 6.0},
        winsorise_tail_ratio=0.0,
    )
    features = table(spark, "monetary_amount double", (2.0,), (None,), (float("nan"),), (4.0,))

    (column,) = fit_vector_of(features, settings).vector.columns

    assert column.centre == 4.5
    assert column.rule.missing == 6.0


BEHAVIOUR = recipe_columns("behaviour", windows=(30, 90))


def shops(spark: SparkSession, *varying: int) -> DataFrame:
    """Customers whose behaviour differs in the columns at these places alone."""
    width = len(BEHAVIOUR)
    schema = ", ".join(f"{name} double" for name in BEHAVIOUR)
    rows = [tuple(n if i in varying else 1.0 for i in range(width)) for n in (1.0, 2.0, 5.0)]
    return table(spark, schema, *rows)


def test_behaviour_does_without_what_is_the_same_for_everybody(spark: SparkSession) -> None:
    fit = fit_vector_of(shops(spark, 0, 3), VectorSettings(recipe="behaviour"))

    assert fit.vector.names == ("order_30_days_count", "average_order_amount")
    assert len(fit.warnings) == len(BEHAVIOUR) - 2
    assert fit.warnings[0].startswith("order_90_days_count is the same for every customer")


def test_behaviour_that_is_the_same_in_everything_is_refused(spark: SparkSession) -> None:
    with pytest.raises(ClusteringError, match=r"^order_30_days_count is the same"):
        fit_vector_of(shops(spark), VectorSettings(recipe="behaviour"))
