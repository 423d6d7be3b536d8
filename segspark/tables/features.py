"""The table of customer features, as the settings widen it, and its catalogue."""

import re

from pyspark.sql import types as T

from segspark.errors import ConfigError
from segspark.settings.features import CustomFeature, FeatureSettings
from segspark.tables.contract import Column, TableContract
from segspark.tables.feature import GRAIN, Feature
from segspark.tables.purchase_features import (
    HABIT_FEATURES,
    LIFETIME_FEATURES,
    MONEY_FEATURES,
    RFM_FEATURES,
    SCORE_FEATURES,
)
from segspark.tables.window_features import window_features

_IDS = (
    Column("snapshot_id", T.StringType(), "Hash of as-of date, settings and batches."),
    Column("as_of_date", T.DateType(), "Last day counted, inclusive."),
    Column("customer_id", T.StringType(), "Normalised customer id.", personal=True),
    Column(
        "exclusion_reason",
        T.StringType(),
        "Why the customer gets no segment; NULL: it gets one.",
        nullable=True,
    ),
)
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
    """The built-in features and then those of the configuration.

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


def customer_features(settings: FeatureSettings) -> TableContract:
    """The contract of a snapshot of these settings; snapshots of others share the table."""
    return TableContract(
        name="customer_features",
        meaning="One customer in one snapshot: everything known up to and including the as-of "
        "date. Customers without a surviving purchase are there with a reason and no values.",
        grain=("snapshot_id", "customer_id"),
        columns=(*_IDS, *(feature.column for feature in all_features(settings))),
    )


CUSTOMER_FEATURES = customer_features(FeatureSettings())
"""With the windows of the defaults, which are NULL in a snapshot of others."""

FEATURE_CATALOGUE = TableContract(
    name="feature_catalogue",
    meaning="One feature of one snapshot of customer features: what its column means.",
    grain=("snapshot_id", "feature_name"),
    columns=(
        Column("snapshot_id", T.StringType(), "Snapshot that has it."),
        Column("feature_name", T.StringType(), "Column of `customer_features`."),
        Column("definition", T.StringType(), "What it means."),
        Column("unit", T.StringType(), "What it is measured in; money is in the lake's currency."),
        Column("data_type", T.StringType(), "Spark's type of the column."),
        Column("grain", T.StringType(), "What one value is of."),
        Column("window", T.StringType(), "Which purchase days count."),
        Column("null_rule", T.StringType(), "When it is NULL."),
        Column("source_table", T.StringType(), "What it is worked out from."),
        Column("formula", T.StringType(), "How, over the columns of that table."),
        Column("position_number", T.IntegerType(), "Its place among the features, from 1."),
    ),
)


def catalogue_rows(settings: FeatureSettings, *, snapshot_id: str) -> list[tuple[object, ...]]:
    """Rows of `FEATURE_CATALOGUE` for a snapshot of these settings."""
    return [
        (
            snapshot_id,
            each.name,
            each.definition,
            each.unit,
            each.dtype.simpleString(),
            GRAIN,
            each.window,
            each.null_rule,
            each.table,
            each.formula,
            number,
        )
        for number, each in enumerate(all_features(settings), start=1)
    ]
