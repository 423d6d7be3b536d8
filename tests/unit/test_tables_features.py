"""What is told of a feature is told once, and all of it."""

from dataclasses import fields, replace

import pytest
from pyspark.sql import types as T

from segspark.settings.behaviour import AttributeSettings, CategorySettings, EngagementSettings
from segspark.settings.features import FeatureSettings
from segspark.tables.catalogue import ALL_TABLES
from segspark.tables.contract import Column
from segspark.tables.feature import CUSTOMER_ID, SNAPSHOT_ID, Feature, FeatureGroup
from segspark.tables.features import FEATURE_CATALOGUE, catalogue_rows, feature_groups

EVERYTHING = FeatureSettings(
    categories=CategorySettings(), attributes=AttributeSettings(), engagement=EngagementSettings()
)
GROUPS = feature_groups(EVERYTHING)
VISITS = Feature(
    "visit_counts",
    T.MapType(T.StringType(), T.LongType()),
    "Visits by shop",
    "visits",
    "number of visits",
    missing="there is no door",
    personal=True,
)


def tables_of(settings: FeatureSettings) -> list[str]:
    return [group.table for group in feature_groups(settings)]


def told(settings: FeatureSettings) -> list[dict[str, object]]:
    """The rows of the catalogue, by column."""
    names = [column.name for column in FEATURE_CATALOGUE.columns]
    rows = catalogue_rows(settings, snapshot_id="s1")
    return [dict(zip(names, row, strict=True)) for row in rows]


def test_a_feature_tells_its_column_all_that_a_contract_says() -> None:
    assert VISITS.column == Column(
        "visit_counts",
        VISITS.dtype,
        "Visits by shop. NULL where there is no door.",
        nullable=True,
        personal=True,
    )


def test_a_feature_is_null_without_a_purchase_unless_everybody_has_it() -> None:
    everybodys = replace(VISITS, is_everybodys=True)

    assert VISITS.null_rule == "no purchase counts, or there is no door"
    assert everybodys.null_rule == "there is no door"
    assert replace(everybodys, missing="").null_rule == "never"
    assert not replace(everybodys, missing="").column.nullable


def test_a_group_is_its_table_and_says_whose_a_value_is() -> None:
    shop = Column("shop_name", T.StringType(), "Which.")
    group = FeatureGroup(
        "visits",
        "One shop.",
        keys=(SNAPSHOT_ID, CUSTOMER_ID, shop),
        grain=("snapshot_id", "customer_id", "shop_name"),
        features=(VISITS,),
    )

    assert group.contract.columns == (SNAPSHOT_ID, CUSTOMER_ID, shop, VISITS.column)
    assert group.contract.grain == group.grain
    assert group.owner == "snapshot, customer and shop name"
    assert replace(group, grain=group.grain[:2]).owner == "snapshot and customer"


def test_a_snapshot_has_the_groups_that_its_settings_ask_for() -> None:
    always = ["customer_features", "customer_seasons"]

    assert tables_of(FeatureSettings()) == always
    assert tables_of(FeatureSettings(categories=CategorySettings())) == [
        *always,
        "customer_categories",
        "customer_preferences",
    ]
    assert tables_of(FeatureSettings(attributes=AttributeSettings())) == [
        *always,
        "customer_attributes",
    ]
    assert tables_of(FeatureSettings(engagement=EngagementSettings())) == [
        *always,
        "customer_event_types",
        "customer_engagement",
    ]


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.table)
def test_the_tables_of_the_lake_are_those_of_the_groups(group: FeatureGroup) -> None:
    (stored,) = [table for table in ALL_TABLES if table.name == group.table]

    assert stored == group.contract
    assert all(key.name not in {f.name for f in group.features} for key in group.keys)


def test_every_table_of_a_snapshot_s_customers_is_a_group() -> None:
    by_customer = {t.name for t in ALL_TABLES if {"snapshot_id", "customer_id"} <= set(t.grain)}

    assert by_customer == {group.table for group in GROUPS}


def test_the_catalogue_lists_each_column_of_each_table_once_and_in_order() -> None:
    rows = told(EVERYTHING)

    assert [(row["feature_table"], row["feature_name"], row["data_type"]) for row in rows] == [
        (group.table, column.name, column.dtype.simpleString())
        for group in GROUPS
        for column in group.contract.columns
        if column not in group.keys
    ]
    assert [row["position_number"] for row in rows] == list(range(1, len(rows) + 1))
    keys = [tuple(row[name] for name in FEATURE_CATALOGUE.grain) for row in rows]
    assert len(set(keys)) == len(keys)


def test_nothing_of_a_feature_is_left_unsaid() -> None:
    said = [each.name for each in fields(Feature) if each.type is str and each.name != "missing"]
    assert len(said) == 6
    for group in GROUPS:
        for feature in group.features:
            texts = [getattr(feature, name) for name in said]
            assert all(text and text.strip(" .") == text for text in texts), feature.name


def test_each_table_that_a_feature_is_of_is_in_the_lake() -> None:
    known = {table.name for table in ALL_TABLES}

    for row in told(EVERYTHING):
        assert set(str(row["source_table"]).split(", ")) <= known


def test_values_of_a_catalogue_are_of_what_a_row_of_their_table_is() -> None:
    owners = {row["feature_table"]: row["grain"] for row in told(EVERYTHING)}

    assert owners["customer_features"] == "snapshot and customer"
    assert owners["customer_categories"] == "snapshot, customer and category"
    assert owners["customer_event_types"] == "snapshot, customer and event type"
