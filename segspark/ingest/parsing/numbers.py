"""Numbers as sources write them → decimal(18,4), or the reason why not."""

import re
from collections.abc import Mapping

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql import types as T

from segspark.ingest.reading.raw import quoted
from segspark.settings.rules import NumberStyle

DECIMAL = "decimal(18,4)"
_WIDE = "decimal(38,10)"
_HAS_DECIMAL_COMMA = r"^[^\d,]*\d[\d. ']*,\d{1,4}[^\d,]*$"
_HAS_DIGITS = r"^[^\d]*\d[\d.,' ]*[^\d]*$"
_SPACES = " \u00a0\u202f"
_MOST_DECIMALS = 4


def number_fields(
    mapping: Mapping[str, str | None], schema: T.StructType, style: NumberStyle
) -> list[Column]:
    """What one select on a raw frame gives for numbers: `raw_…`, the field, `text_…`, its text.

    Args:
        mapping: Name of the number → the source's column; None where there is none.
        schema: Of the raw frame.
        style: How texts are written.
    """
    found = []
    for field, name in mapping.items():
        if name is not None:
            column = quoted(name)
            is_text = isinstance(schema[name].dataType, T.StringType)
            found.append(column.alias(f"raw_{field}"))
            found.append((_plain(column, style) if is_text else column).alias(f"text_{field}"))
    return found


def number_values(mapping: Mapping[str, str | None]) -> dict[str, Column]:
    """`number_…`: the value, rounded to four decimals; NULL where missing or not readable."""
    return {
        f"number_{field}": F.col(f"text_{field}").try_cast(DECIMAL)
        for field, name in mapping.items()
        if name is not None
    }


def number_problems(mapping: Mapping[str, str | None], schema: T.StructType) -> dict[str, Column]:
    """`problem_…`: missing, not a number, out of range, more than 4 decimals; or NULL.

    A binary fraction carries noise far behind the comma and is rounded; a text or a decimal with
    more than four decimals is refused, since rounding would lose money unseen.
    """
    return {
        f"problem_{field}": _problem(field, schema[name].dataType)
        for field, name in mapping.items()
        if name is not None
    }


def _problem(field: str, dtype: T.DataType) -> Column:
    given, value, number = (F.col(f"{part}_{field}") for part in ("raw", "text", "number"))
    is_text = isinstance(dtype, T.StringType)
    # What good rows do not need stands in branches, so that they do not pay for it.
    wide = value.try_cast(_WIDE)
    missing = F.trim(given) == "" if is_text else given.isNull()
    unreadable = F.when(wide.isNull(), _no_number(given) if is_text else F.lit("not a number"))
    problem = F.when(
        number.isNull(),
        F.when(given.isNull() | missing, "missing").otherwise(unreadable.otherwise("out of range")),
    )
    if is_text:
        decimals = F.length(value) - F.instr(value, ".")
        has_many = (F.instr(value, ".") > 0) & (decimals > _MOST_DECIMALS)
        has_exponent = value.contains("e") | value.contains("E")
        is_long = (has_many | has_exponent) & (wide != F.round(wide, _MOST_DECIMALS))
        return problem.when(is_long, "more than 4 decimals")
    if isinstance(dtype, T.DecimalType) and dtype.scale > _MOST_DECIMALS:
        return problem.when(value != F.round(value, _MOST_DECIMALS), "more than 4 decimals")
    return problem


def _no_number(column: Column) -> Column:
    """What keeps a text from being a number, as far as a setting would mend it."""
    return (
        F.when(column.rlike(r"\d[\d.,]{37,}"), "out of range")
        .when(column.rlike(_HAS_DECIMAL_COMMA), "has a decimal comma: set numbers of the source")
        .when(column.rlike(_HAS_DIGITS), "is in another style: set numbers of the source")
        .otherwise("not a number")
    )


def _plain(column: Column, style: NumberStyle) -> Column:
    """A text without its currency signs and groups, with a decimal point; NULL where it is odd."""
    text = F.trim(column)
    if style == NumberStyle():
        return text
    if style.currency_signs:
        signs = "|".join(re.escape(sign) for sign in style.currency_signs)
        text = F.trim(F.regexp_replace(text, f"[{_SPACES}]*({signs})[{_SPACES}]*", ""))
    if style.accounting_negatives:
        text = F.regexp_replace(text, r"^\((.*)\)$", "-$1")
        text = F.regexp_replace(text, r"^([^-].*)-$", "-$1")
    group, whole = "", r"\d*"
    if style.thousands_separator:
        is_space = style.thousands_separator == " "
        group = f"[{_SPACES}]" if is_space else re.escape(style.thousands_separator)
        # Groups have three digits, in India two: `1,23` is no grouped number but another style.
        digits = "{2,3}" if style.thousands_separator == "," else "{3}"
        whole = rf"(?:\d{{1,3}}(?:{group}\d{digits})*{group}\d{{3}}|\d*)"
    decimal = re.escape(style.decimal_separator)
    is_number = text.rlike(rf"^[+-]?{whole}(?:{decimal}\d*)?(?:[eE][+-]?\d+)?$")
    found = F.when(is_number, text)
    found = F.regexp_replace(found, group, "") if group else found
    return F.replace(found, F.lit(style.decimal_separator), F.lit("."))
