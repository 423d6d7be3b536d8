"""The page of all customer features, from their definitions."""

from scripts.markdown import GENERATED, markdown_table
from segspark.settings.features import FeatureSettings
from segspark.tables.feature import GRAIN, Feature
from segspark.tables.features import all_features

_INTRODUCTION = """# Customer features

Every column of `customer_features` that tells about a customer, as it was known at the end of the
as-of date: a line or a return of a later day changes nothing. The windows here are those of the
defaults; `features.windows_days` makes others, and `features.custom` adds features of your own. The
observation window is `features.observation_days` long and ends on the as-of date; without that
setting it is everything up to then. A snapshot that does not have a column, because its windows or
custom features are others, holds NULL there.

What the features of each snapshot mean, whatever its configuration, is in the table
`feature_catalogue`:

    segspark sql "SELECT * FROM current_feature_catalogue ORDER BY position_number"

Formulas are over the rows of `customer_days` whose `effective_date` is up to the as-of date and
whose `purchase_date` is in the window. In them, names of other features stand for their values, and

| word | with `features.monetary: net` | with `gross` |
| --- | --- | --- |
| orders | order_count - undone_order_count | order_count |
| spend | gross_amount - returned_amount | gross_amount |
| purchase day | `purchase_date` whose orders add up to more than 0 | the same |

The ledger does not hold products, so how many different ones a customer buys is not among the
features; and the time since the last purchase has no windows: `recency_days` is the same in each.

"""
_HEADS = ("feature", "definition", "unit", "window", "NULL", "from", "formula")


def feature_page() -> str:
    """The page."""
    rows = [_row(feature) for feature in all_features(FeatureSettings())]
    grain = f"One value for each {GRAIN}.\n"
    return "\n".join([GENERATED, _INTRODUCTION + grain, markdown_table(_HEADS, rows)])


def _row(feature: Feature) -> tuple[str, ...]:
    return (
        f"`{feature.name}`",
        f"{feature.definition}.",
        feature.unit,
        feature.window,
        feature.null_rule,
        f"`{feature.table}`",
        feature.formula,
    )
