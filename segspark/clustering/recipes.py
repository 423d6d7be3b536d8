"""Which features a vector takes, and how each is read."""

import difflib
import re
from collections.abc import Sequence

from pyspark.sql import types as T

from segspark.errors import ConfigError
from segspark.model.vector import ValueRule
from segspark.settings.vector import VectorSettings
from segspark.tables.contract import TableContract

LIFETIME_VALUE = "lifetime_value_amount"
"""The one column that comes from `customer_lifetime_values`."""
_RFM = ("recency_days", "frequency_count", "average_order_amount")
_BASKET = (
    "average_order_amount",
    "average_basket_units",
    "average_basket_lines",
    "discount_ratio",
    "return_ratio",
    "tenure_days",
)
_MOST_WINDOWS = 2
"""Of more, what the short ones count is within the long ones again."""
_MISSING = {LIFETIME_VALUE: 0.0, "discount_ratio": 0.0, "return_ratio": 0.0}
"""What a missing value counts as if settings say nothing: who was not valued is worth nothing, and
of what was not bought nothing was cheaper or came back."""
_TOTAL_OR_AVERAGE = re.compile("(monetary|gross|net|average_order|btyd_.*)_amount")
"""Amounts without which there is no customer; the others may well be 0, and below 0 by returns."""


def recipe_columns(recipe: str, *, windows: Sequence[int]) -> tuple[str, ...]:
    """Columns that a recipe takes, each as log(1 + value).

    Args:
        recipe: One with columns of its own, not `custom`.
        windows: Lengths of the windows of recent days that the features have, rising; `behaviour`
            takes the orders of the two longest and the spend of the longest.
    """
    match recipe:
        case "rfm_log":
            return _RFM
        case "rfm_clv":
            return (*_RFM, LIFETIME_VALUE)
        case _:
            taken = windows[-_MOST_WINDOWS:]
            orders = [f"order_{days}_days_count" for days in taken]
            spend = [f"spend_{days}_days_amount" for days in taken[-1:]]
            return (*orders, *spend, *_BASKET)


def value_rules(settings: VectorSettings, *, windows: Sequence[int]) -> tuple[ValueRule, ...]:
    """The columns of a vector in order, each with its transformation and its rules.

    An amount that may well be 0 counts as 0 below that where its logarithm is taken. What a
    recipe has and a customer with a purchase may lack is in `_MISSING`.

    Args:
        settings: What the vector takes.
        windows: Lengths of the windows of recent days that the features have, rising.
    """
    names = settings.columns or recipe_columns(settings.recipe, windows=windows)
    return tuple(_rule(name, settings) for name in names)


def check_vector(settings: VectorSettings, *, windows: Sequence[int], table: TableContract) -> None:
    """Refuse a vector that no snapshot has the columns for, before anything is worked out.

    Args:
        settings: What the vector takes.
        windows: Lengths of the windows of recent days that the features have, rising.
        table: Contract of the customer features.

    Raises:
        ConfigError: A column is unknown or no number.
    """
    names = [rule.name for rule in value_rules(settings, windows=windows)]
    numbers = [c.name for c in table.columns if isinstance(c.dtype, T.NumericType)]
    for name in names:
        if name not in (*numbers, LIFETIME_VALUE):
            raise ConfigError(
                f"training.vector.columns: {name!r} is no column of numbers in {table.name}"
                f"{_nearest(name, numbers)}: name one that is, or {LIFETIME_VALUE}"
            )


def _rule(name: str, settings: VectorSettings) -> ValueRule:
    transformation = settings.transformation_by_column.get(name, settings.transformation)
    may_be_zero = name.endswith("_amount") and not _TOTAL_OR_AVERAGE.fullmatch(name)
    return ValueRule(
        name=name,
        transformation=transformation,
        missing=settings.missing_values.get(name, _MISSING.get(name)),
        least=0.0 if may_be_zero and transformation == "log1p" else None,
    )


def _nearest(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f" (the nearest is {close[0]!r})" if close else ""
