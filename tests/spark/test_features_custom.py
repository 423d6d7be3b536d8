"""Features of the user's own, and the sentences that refuse one."""

from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from segspark.errors import ConfigError
from segspark.features.custom import check_custom, custom_columns, function_sources
from segspark.settings.features import FeatureSettings
from segspark.tables.features import customer_features
from tests.builders import table

SCHEMA = (
    "customer_id string, exclusion_reason string, monetary_amount decimal(28,4), "
    "tenure_days int, recency_days int"
)


def custom(**given: object) -> FeatureSettings:
    document = {"name": "own_ratio", "unit": "ratio", "description": "Mine.", **given}
    return FeatureSettings.model_validate({"custom": [document]})


def added(customers: DataFrame, **given: object) -> list[Any]:
    made = customers.withColumns(custom_columns(customers, custom(**given).custom))
    return [row["own_ratio"] for row in made.orderBy("customer_id").collect()]


@pytest.fixture
def customers(spark: SparkSession) -> DataFrame:
    ints = table(
        spark,
        SCHEMA.replace("decimal(28,4)", "int"),
        ("a", None, 90, 60, 0),
        ("b", None, 10, 0, 4),
        ("c", "every purchase was undone", 5, None, None),
    )
    return ints.withColumn("monetary_amount", ints["monetary_amount"].cast("decimal(28,4)"))


def test_an_expression_becomes_a_number_of_each_customer_with_purchases(
    customers: DataFrame,
) -> None:
    assert added(customers, expression="monetary_amount * 2") == [180.0, 20.0, None]
    assert added(customers, expression="recency_days = 0") == [1.0, 0.0, None]


def test_what_is_no_finite_number_is_missing(customers: DataFrame) -> None:
    assert added(customers, expression="sqrt(-1D + recency_days)") == [None, 3**0.5, None]
    assert added(customers, expression="exp(800D - 200 * recency_days)") == [None, 1.0, None]


def test_a_function_gets_the_columns_by_name(customers: DataFrame) -> None:
    made = added(customers, function="tests.custom_features:spend_per_month")

    assert made == [30.0, 10.0, None]


def test_a_snapshot_knows_the_text_of_its_functions() -> None:
    (text,) = function_sources(custom(function="tests.custom_features:spend_per_month").custom)

    assert 'columns["tenure_days"]' in text
    assert function_sources(custom(expression="recency_days").custom) == []


@pytest.mark.parametrize(
    "expression",
    [
        "spend_30_days_amount / nullif(monetary_amount, 0)",
        "CASE WHEN rfm_segment = 'champions' THEN 1 ELSE 0 END",
        "datediff(as_of_date, last_purchase_date) > 30",
    ],
)
def test_plain_formulas_are_taken(spark: SparkSession, expression: str) -> None:
    check_custom(spark, custom(expression=expression))


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"expression": "monetary_amount +"}, "PARSE_SYNTAX_ERROR"),
        ({"expression": "monetary_amuont"}, "UNRESOLVED_COLUMN"),
        ({"expression": "own_ratio + 1"}, "UNRESOLVED_COLUMN"),
        ({"expression": "concat(rfm_score, '!')"}, "makes string, and a feature is a number"),
        ({"expression": "spend_30_days_amount / monetary_amount"}, "DIVIDE_BY_ZERO"),
        ({"expression": "datediff(date'today', last_purchase_date)"}, "must be a value of one"),
        ({"expression": "sum(monetary_amount)"}, "must be a value of one customer"),
        ({"expression": "rank() OVER (ORDER BY recency_days)"}, "must be a value of one customer"),
        ({"expression": "explode(array(1, 2))"}, "must be a value of one customer"),
        ({"expression": "(SELECT 1)"}, "must be a value of one customer"),
        ({"expression": "recency_days IN (SELECT 1)"}, "must be a value of one customer"),
        ({"expression": "rand() * recency_days"}, "must be a value of one customer"),
        ({"expression": "datediff(current_date(), as_of_date)"}, "must be a value of one customer"),
        ({"expression": "unix_timestamp()"}, "must be a value of one customer"),
        ({"expression": "1; DROP TABLE x"}, "PARSE_SYNTAX_ERROR"),
        ({"function": "tests.no_such_module:f"}, "cannot be found"),
        ({"function": "tests.custom_features:no_such"}, "cannot be found"),
        ({"function": "tests.custom_features:NO_FUNCTION"}, "is no function"),
        ({"function": "tests.custom_features:a_number"}, "returns int, not a Column"),
        ({"function": "tests.custom_features:of_nothing"}, "fails with KeyError"),
        ({"function": "tests.custom_features:summed"}, "must be a value of one customer"),
    ],
)
def test_anything_else_is_refused_in_one_sentence(
    spark: SparkSession, given: dict[str, str], reason: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        check_custom(spark, custom(**given))

    assert reason in str(refused.value)
    assert str(refused.value).startswith("features.custom own_ratio: ")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["recency_days", "customer_id", "order_14_days_count"])
def test_the_name_of_another_column_is_refused(spark: SparkSession, name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name} is a name of segspark's own columns"):
        check_custom(spark, custom(name=name, expression="recency_days"))


def test_a_custom_feature_is_the_last_column_and_may_be_missing() -> None:
    last = customer_features(custom(expression="recency_days")).columns[-1]

    assert (last.name, last.nullable) == ("own_ratio", True)
