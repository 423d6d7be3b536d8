"""The table of customer features, as the settings widen it, and the catalogue of all groups."""

import re

from pyspark.sql import types as T

from segspark.errors import ConfigError
from segspark.settings.features import CustomFeature, FeatureSettings
from segspark.tables.behaviour import ATTRIBUTES, CATEGORIES, PREFERENCES, SEASONS
from segspark.tables.contract import Column, TableContract
from segspark.tables.engagement import ENGAGEMENT, EVENT_TYPES
from segspark.tables.feature import CUSTOMER_ID, SNAPSHOT_ID, Feature, FeatureGroup
from segspark.tables.purchase_features import (
    HABIT_FEATURES,
    LIFETIME_FEATURES,
    MONEY_FEATURES,
    RFM_FEATURES,
    SCORE_FEATURES,
)
from segspark.tables.window_features import window_features

_IDS = (
    SNAPSHOT_ID,
    Column("as_of_date", T.DateType(), "Last day counted, inclusive."),
    CUSTOMER_ID,
    Column(
        "exclusion_reason",
        T.StringType(),
        "Why the customer gets no segment; NULL: it gets one.",
        nullable=True,
    ),
)
_GROUPS = (SEASONS, CATEGORIES, PREFERENCES, ATTRIBUTES, EVENT_TYPES, ENGAGEMENT)
_OF_A_WINDOW = re.compile(r"\d+_days_")


def built_in_features(settings: FeatureSettings) -> tuple[Feature, ...]:
    """Every feature that segspark defines, with those of the windows asked for."""
    return (
        *RFM_FEATURES,
        *SCORE_FEATURES,
        *MONEY_FEATURES,
        *HABIT_FEATURES,
        *(feature for days in settings.windows_days for feature in window_features(days)),
        *LIFETIME_FEATURES,
    )


def all_features(settings: FeatureSettings) -> tuple[Feature, ...]:
    """The features of the core table: the built-in ones, then those of the configuration.

    Raises:
        ConfigError: A custom feature has the name of another column.
    """
    built_in = built_in_features(settings)
    taken = {column.name for column in (*_IDS, *(feature.column for feature in built_in))}
    for custom in settings.custom:
        if custom.name in taken or _OF_A_WINDOW.search(custom.name):
            raise ConfigError(
                f"features.custom: {custom.name} is a name of segspark's own columns: "
                "choose another"
            )
    return (*built_in, *map(_custom_feature, settings.custom))


def _custom_feature(custom: CustomFeature) -> Feature:
    return Feature(
        custom.name,
        T.DoubleType(),
        custom.description.rstrip("."),
        custom.unit,
        custom.expression or f"function {custom.function}",
        "that of the columns it is made of",
        table="customer_features",
        missing="the formula is NULL or no finite number",
        is_optional=True,
    )


def feature_groups(settings: FeatureSettings) -> tuple[FeatureGroup, ...]:
    """The groups that a snapshot of these settings has, the core table first.

    Raises:
        ConfigError: As `all_features`.
    """
    return (
        _core_group(settings),
        *(
            group
            for group in _GROUPS
            if not group.asked_by or getattr(settings, group.asked_by) is not None
        ),
    )


def customer_features(settings: FeatureSettings) -> TableContract:
    """The contract of a snapshot of these settings; snapshots of others share the table."""
    return _core_group(settings).contract


def _core_group(settings: FeatureSettings) -> FeatureGroup:
    return FeatureGroup(
        table="customer_features",
        meaning="One customer in one snapshot: everything known up to and including the as-of "
        "date. Customers without a surviving purchase are there with a reason and no values.",
        keys=_IDS,
        grain=("snapshot_id", "customer_id"),
        features=all_features(settings),
    )


CUSTOMER_FEATURES = customer_features(FeatureSettings())
"""With the windows of the defaults, which are NULL in a snapshot of others."""

FEATURE_CATALOGUE = TableContract(
    name="feature_catalogue",
    meaning="One feature of one snapshot: what the column means, in each table that the snapshot "
    "has rows of.",
    grain=("snapshot_id", "feature_table", "feature_name"),
    columns=(
        Column("snapshot_id", T.StringType(), "Snapshot that has it."),
        Column(
            "feature_table",
            T.StringType(),
            "Table that holds it; NULL, as earlier versions left it: `customer_features`.",
            nullable=True,
        ),
        Column("feature_name", T.StringType(), "Column of that table."),
        Column("definition", T.StringType(), "What it means."),
        Column("unit", T.StringType(), "What it is measured in; money is in the lake's currency."),
        Column("data_type", T.StringType(), "Spark's type of the column."),
        Column("grain", T.StringType(), "What one value is of."),
        Column("window", T.StringType(), "Which days count."),
        Column("null_rule", T.StringType(), "When it is NULL."),
        Column("source_table", T.StringType(), "What it is worked out from."),
        Column("formula", T.StringType(), "How, over the columns of that table."),
        Column("position_number", T.IntegerType(), "Its place among the features, from 1."),
    ),
)


def catalogue_rows(settings: FeatureSettings, *, snapshot_id: str) -> list[tuple[object, ...]]:
    """Rows of `FEATURE_CATALOGUE` for a snapshot of these settings."""
    told = [(group, each) for group in feature_groups(settings) for each in group.features]
    return [
        (
            snapshot_id,
            group.table,
            each.name,
            each.definition,
            each.unit,
            each.dtype.simpleString(),
            group.owner,
            each.window,
            each.null_rule,
            each.table,
            each.formula,
            number,
        )
        for number, (group, each) in enumerate(told, start=1)
    ]
