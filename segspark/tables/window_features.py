"""Features of a customer's purchases in each window of recent days."""

from pyspark.sql import types as T

from segspark.tables.contract import MONEY
from segspark.tables.feature import Feature

_FEATURES = (
    (
        "order_{}_days_count",
        T.LongType(),
        "Orders of the last {} days",
        "orders",
        "sum of orders",
        "",
    ),
    ("spend_{}_days_amount", MONEY, "Spend of the last {} days", "money", "sum of spend", ""),
    (
        "purchase_{}_days_count",
        T.LongType(),
        "Purchase days among the last {} days",
        "days",
        "number of purchase days",
        "",
    ),
    (
        "average_order_{}_days_amount",
        T.DoubleType(),
        "Spend per order of the last {} days",
        "money per order",
        "sum of spend / sum of orders",
        "there is no order in them",
    ),
    (
        "spend_{}_days_trend_ratio",
        T.DoubleType(),
        "Spend per day of the last {0} days over that of the {0} days before them",
        "ratio",
        "sum of spend / sum of spend of the equally long window before",
        "the spend of the days before is not above 0",
    ),
)


def window_features(days: int) -> tuple[Feature, ...]:
    """What is known of the last so many days, the as-of date included.

    There is no time since the last purchase within a window: `recency_days` is that already.
    """
    return tuple(
        Feature(
            name.format(days),
            dtype,
            definition.format(days),
            unit,
            formula,
            f"the last {days} days, the as-of date included",
            missing=missing,
            is_everybodys=True,
            is_optional=True,
        )
        for name, dtype, definition, unit, formula, missing in _FEATURES
    )
