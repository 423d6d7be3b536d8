"""Numbers as sources write them → decimal(18,4), or the reason why not."""

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql import types as T

DECIMAL = "decimal(18,4)"
_WIDE = "decimal(38,10)"
_AT_MOST_4_DECIMALS = r"^[^eE.]*(\.[^eE]{0,4})?$"


def read_number(column: Column, dtype: T.DataType) -> Column:
    """The value, rounded to four decimals; NULL where missing, no number or out of range."""
    return _text(column, dtype).try_cast(DECIMAL)


def number_problem(column: Column, dtype: T.DataType) -> Column:
    """Why a field is refused: missing, not a number, out of range, more than 4 decimals; or NULL.

    A binary fraction carries noise far behind the comma and is rounded; a text or a decimal with
    more than four decimals is refused, since rounding would lose money unseen.
    """
    value = _text(column, dtype)
    number = value.try_cast(DECIMAL)
    missing = F.nullif(value, F.lit("")) if isinstance(dtype, T.StringType) else column
    # The wide cast is dear and seldom needed: a branch, so that good rows do not pay for it.
    wide = value.try_cast(_WIDE)
    unreadable = F.when(wide.isNull(), "not a number").otherwise("out of range")
    problem = F.when(missing.isNull(), "missing").when(number.isNull(), unreadable)
    if isinstance(dtype, T.StringType):
        is_short = value.rlike(_AT_MOST_4_DECIMALS)
        return problem.when(~is_short & (wide != F.round(wide, 4)), "more than 4 decimals")
    if isinstance(dtype, T.DecimalType) and dtype.scale > 4:  # noqa: PLR2004
        return problem.when(value != F.round(value, 4), "more than 4 decimals")
    return problem


def _text(column: Column, dtype: T.DataType) -> Column:
    return F.trim(column) if isinstance(dtype, T.StringType) else column
