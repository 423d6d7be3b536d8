"""The page of all customer features, from their definitions."""

from scripts.markdown import GENERATED, markdown_table, prose
from segspark.settings.behaviour import AttributeSettings, CategorySettings, EngagementSettings
from segspark.settings.features import FeatureSettings
from segspark.tables.feature import Feature, FeatureGroup
from segspark.tables.features import feature_groups

_INTRODUCTION = """# Customer features

Every column that tells about a customer, as it was known at the end of the as-of date: a line, a
return or an event of a later day changes nothing. The windows here are those of the defaults;
`features.windows_days` makes others, and `features.custom` adds features of your own to
`customer_features`. The observation window is `features.observation_days` long and ends on the
as-of date; without that setting it is everything up to then. A snapshot that does not have a column
of `customer_features`, because its windows or custom features are others, holds NULL there.
[behaviour.md](behaviour.md) says more about the other tables, and where their definitions are from.

What the features of each snapshot mean, whatever its configuration, is in the table
`feature_catalogue`, for each table that the snapshot has rows of:

    segspark sql "SELECT * FROM current_feature_catalogue ORDER BY position_number"

Formulas over `customer_days` are over its rows whose `effective_date` is up to the as-of date and
whose `purchase_date` is in the window, those over other tables likewise. In them, names of other
features stand for their values, and

| word | with `features.monetary: net` | with `gross` |
| --- | --- | --- |
| orders | order_count - undone_order_count | order_count |
| spend | gross_amount - returned_amount | gross_amount |
| purchase day | `purchase_date` whose orders add up to more than 0 | the same |

The time since the last purchase has no windows: `recency_days` is the same in each.
"""
_HEADS = ("feature", "definition", "unit", "window", "NULL", "from", "formula")
_EVERYTHING = FeatureSettings(
    categories=CategorySettings(), attributes=AttributeSettings(), engagement=EngagementSettings()
)


def feature_page() -> str:
    """The page, a section for each group."""
    sections = [_section(group) for group in feature_groups(_EVERYTHING)]
    return "\n".join([GENERATED, _INTRODUCTION, *sections])


def _section(group: FeatureGroup) -> str:
    asked = f" Only where `features.{group.asked_by}` asks for it." if group.asked_by else ""
    return "\n".join(
        [
            f"## {group.table}\n",
            f"{prose(group.meaning)} One value for each {group.owner}.{asked}\n",
            markdown_table(_HEADS, [_row(feature) for feature in group.features]),
        ]
    )


def _row(feature: Feature) -> tuple[str, ...]:
    return (
        f"`{feature.name}`",
        f"{feature.definition}.",
        feature.unit,
        feature.window,
        feature.null_rule,
        ", ".join(f"`{table}`" for table in feature.table.split(", ")),
        feature.formula,
    )
