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
_LONGEST_NUMBER = 100
_SHORT_EXPONENT = r"[eE][+-]?[0-9]{1,2}$"
# Shares of a binary fraction: what a few sums of such fractions add to it as noise.
_NOISE_RATIO: dict[type[T.DataType], float] = {T.DoubleType: 2.0**-50, T.FloatType: 2.0**-21}
_NOISE = 5e-11


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
            column, dtype = quoted(name), schema[name].dataType
            found.append(column.alias(f"raw_{field}"))
            found.append(_text(column, dtype, style).alias(f"text_{field}"))
    return found


def quickly_read(text: Column) -> Column:
    """A text that can become a number in no time; NULL where it holds too many digits for that.

    A few signs such as 1E-50000000 stand for so many zeros that reading them would never end.
    """
    is_short = F.octet_length(text) <= _LONGEST_NUMBER
    has_exponent = text.contains("e") | text.contains("E")
    return F.when(is_short & (~has_exponent | text.rlike(_SHORT_EXPONENT)), text)


def number_values(mapping: Mapping[str, str | None]) -> dict[str, Column]:
    """`number_…`: the value, rounded to four decimals; NULL where missing or not readable."""
    return {
        f"number_{field}": F.col(f"text_{field}").try_cast(DECIMAL)
        for field, name in mapping.items()
        if name is not None
    }


def number_problems(mapping: Mapping[str, str | None], schema: T.StructType) -> dict[str, Column]:
    """`problem_…`: missing, not a number, out of range, more than 4 decimals; or NULL.

    More than four decimals are refused, since rounding would lose money unseen; the noise that a
    binary fraction carries far behind the comma is none.
    """
    return {
        f"problem_{field}": _problem(field, schema[name].dataType)
        for field, name in mapping.items()
        if name is not None
    }


def _problem(field: str, dtype: T.DataType) -> Column:
    given, value, number = (F.col(f"{part}_{field}") for part in ("raw", "text", "number"))
    is_text = isinstance(dtype, T.StringType)
    many = "more than 4 decimals"
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
        return problem.when(is_long, many)
    if isinstance(dtype, T.DecimalType) and dtype.scale > _MOST_DECIMALS:
        return problem.when(value != F.round(value, _MOST_DECIMALS), many)
    if type(dtype) in _NOISE_RATIO:
        noise = F.abs(value) * _NOISE_RATIO[type(dtype)] + _NOISE
        return problem.when(F.abs(value - number.cast("double")) > noise, many)
    return problem


def _no_number(given: Column) -> Column:
    """What keeps a text from being a number, as far as a setting would mend it."""
    column = F.substring(given, 1, _LONGEST_NUMBER)
    return (
        F.when(column.rlike(r"\d[\d.,]{37,}"), "out of range")
        .when(column.rlike(_HAS_DECIMAL_COMMA), "has a decimal comma: set numbers of the source")
        .when(column.rlike(_HAS_DIGITS), "is in another style: set numbers of the source")
        .otherwise("not a number")
    )


def _text(column: Column, dtype: T.DataType, style: NumberStyle) -> Column:
    """What Spark reads as a number: a text in Spark's style, or a number with its own digits."""
    if isinstance(dtype, T.StringType):
        return _plain(F.trim(column), style)
    # As a double, 0.1 in 32 bits would be 0.10000000149011612.
    return column.cast("string").cast("double") if isinstance(dtype, T.FloatType) else column


def _plain(text: Column, style: NumberStyle) -> Column:
    """A text without its currency signs and groups, with a decimal point; NULL where it is odd."""
    if style == NumberStyle():
        return quickly_read(text)
    text = F.when(F.octet_length(text) <= _LONGEST_NUMBER, text)
    if style.currency_signs:
        signs = "|".join(re.escape(sign) for sign in style.currency_signs)
        sign = f"[{_SPACES}]*(?:{signs})[{_SPACES}]*"
        # At either end, but within an outer minus or brackets: 12€50 is not 1250.
        text = F.regexp_replace(text, rf"^([-+(]?){sign}|{sign}([-)]?)$", "$1$2")
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
    is_number = text.rlike(rf"^[+-]?{whole}(?:{decimal}\d*)?(?:[eE][+-]?\d{{1,2}})?$")
    found = F.when(is_number, text)
    found = F.regexp_replace(found, group, "") if group else found
    return F.replace(found, F.lit(style.decimal_separator), F.lit("."))
