from typing import Any

import pytest
from pydantic import ValidationError

from segspark.clustering.recipes import LIFETIME_VALUE, check_vector, recipe_columns, value_rules
from segspark.errors import ConfigError
from segspark.model.vector import ValueRule
from segspark.settings.features import FeatureSettings
from segspark.settings.vector import VectorSettings
from segspark.tables.features import CUSTOMER_FEATURES, customer_features

WINDOWS = FeatureSettings().windows_days


def custom(*columns: str, **others: Any) -> VectorSettings:  # noqa: ANN401 - of any key
    return VectorSettings(columns=columns, **others)


@pytest.mark.parametrize("recipe", ["rfm_log", "rfm_clv", "behaviour"])
def test_every_column_of_a_recipe_is_a_number_that_there_is(recipe: str) -> None:
    settings = VectorSettings.model_validate({"recipe": recipe})

    check_vector(settings, windows=WINDOWS, table=CUSTOMER_FEATURES)

    rules = value_rules(settings, windows=WINDOWS)
    assert tuple(rule.name for rule in rules) == recipe_columns(recipe, windows=WINDOWS)
    assert all(rule.is_logarithm for rule in rules)


@pytest.mark.parametrize(
    ("windows", "columns"),
    [
        ((), []),
        ((14,), ["order_14_days_count", "spend_14_days_amount"]),
        ((7, 28, 56), ["order_28_days_count", "order_56_days_count", "spend_56_days_amount"]),
    ],
)
def test_behaviour_takes_the_two_longest_windows_that_there_are(
    windows: tuple[int, ...], columns: list[str]
) -> None:
    settings = VectorSettings(recipe="behaviour")
    table = customer_features(FeatureSettings(windows_days=windows))

    check_vector(settings, windows=windows, table=table)

    names = [rule.name for rule in value_rules(settings, windows=windows)]
    assert names[: len(columns)] == columns
    assert names[len(columns)] == "average_order_amount"


def test_without_a_word_the_vector_is_recency_frequency_and_order_value() -> None:
    assert value_rules(VectorSettings(), windows=WINDOWS) == (
        ValueRule("recency_days"),
        ValueRule("frequency_count"),
        ValueRule("average_order_amount"),
    )


def test_who_has_no_lifetime_value_counts_as_worth_nothing() -> None:
    rule = value_rules(VectorSettings(recipe="rfm_clv"), windows=WINDOWS)[-1]

    assert rule == ValueRule(LIFETIME_VALUE, missing=0.0, least=0.0)


def test_named_columns_alone_make_the_recipe_custom() -> None:
    settings = custom("tenure_days", "monetary_amount")

    assert settings.recipe == "custom"
    assert value_rules(settings, windows=WINDOWS) == (
        ValueRule("tenure_days"),
        ValueRule("monetary_amount"),
    )
    assert VectorSettings.model_validate(settings.model_dump(mode="json")) == settings


def test_a_transformation_holds_for_all_columns_but_those_that_have_their_own() -> None:
    rules = value_rules(
        custom(
            "tenure_days",
            "recency_days",
            transformation="none",
            transformation_by_column={"recency_days": "log1p"},
        ),
        windows=WINDOWS,
    )

    assert [rule.transformation for rule in rules] == ["none", "log1p"]


def test_only_amounts_that_may_well_be_nothing_count_as_nothing_below_zero() -> None:
    names = ("spend_30_days_amount", "discount_amount", "net_amount", "btyd_day_mean_amount")

    logged = value_rules(custom(*names), windows=WINDOWS)
    as_they_are = value_rules(custom(*names, transformation="none"), windows=WINDOWS)

    assert [rule.least for rule in logged] == [0.0, 0.0, None, None]
    assert {rule.least for rule in as_they_are} == {None}


def test_a_missing_value_counts_as_what_the_settings_say() -> None:
    (rule,) = value_rules(
        custom("btyd_repeat_mean_amount", missing_values={"btyd_repeat_mean_amount": 2.5}),
        windows=WINDOWS,
    )

    assert rule.missing == 2.5


@pytest.mark.parametrize("name", ["customer_id", "first_purchase_date", "shoe_size"])
def test_a_column_that_is_no_number_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=f"'{name}' is no column of numbers"):
        check_vector(custom(name), windows=WINDOWS, table=CUSTOMER_FEATURES)


def test_a_misspelt_column_is_answered_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="the nearest is 'frequency_count'"):
        check_vector(custom("frequency_counts"), windows=WINDOWS, table=CUSTOMER_FEATURES)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"recipe": "custom"}, "needs columns"),
        ({"recipe": "rfm"}, "'rfm_log', 'rfm_clv', 'behaviour' or 'custom'"),
        ({"columns": ["tenure_days", "tenure_days"]}, "only once"),
        ({"recipe": "rfm_clv", "columns": ["tenure_days"]}, "take the recipe custom, or leave out"),
        ({"transformation": "none"}, "the recipe rfm_log has columns and transformations of its"),
        ({"missing_values": {"tenure_days": 1.0}}, "take the recipe custom"),
        (
            {"columns": ["tenure_days"], "transformation_by_column": {"recency_days": "none"}},
            "transformation_by_column names recency_days, which columns does not",
        ),
        ({"columns": ["tenure_days"], "transformation": "sqrt"}, "'log1p' or 'none'"),
        (
            {"columns": ["tenure_days"], "missing_values": {"tenure_days": float("nan")}},
            "finite number",
        ),
        ({"pca": {"component_count": 2}}, "pca has moved: name it beside none in training.sweep"),
    ],
)
def test_settings_that_say_two_things_or_none_are_refused(
    document: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ValidationError, match=reason):
        VectorSettings.model_validate(document)
