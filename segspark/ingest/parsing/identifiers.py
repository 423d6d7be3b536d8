"""Ids and texts as sources write them → normalised ones, or the reason why not."""

from collections.abc import Callable

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql import types as T

from segspark.ingest.reading.raw import as_text, quoted
from segspark.settings.sources import SourceSettings

_LOST_DIGITS = r"^\s*-?\d([.,]\d+)?[eE]\+\d{2,}\s*$"


def customer_id(source: SourceSettings, schema: T.StructType, name: str) -> Column:
    """The normalised id; NULL for a guest."""
    rules = source.customer_ids
    column = quoted(name)
    text = column.cast("string")
    if isinstance(schema[name].dataType, T.FractionalType):
        # A double writes 12345678 as 1.2345678E7, and some exports a missing id as NaN.
        text = F.nullif(text, F.lit("NaN"))
        text = F.coalesce(column.try_cast("decimal(38,4)").cast("string"), text)
    if rules.strip_spaces:
        text = F.trim(text)
    if rules.drop_zero_decimals:
        # Few texts hold zero decimals, and looking for them is cheap.
        whole = F.regexp_replace(text, r"^(-?\d+)\.0+$", "$1")
        text = F.when(text.contains(".0"), whole).otherwise(text)
    cases: dict[str, Callable[[str], str]] = {"keep": str, "upper": str.upper, "lower": str.lower}
    if rules.letter_case != "keep":
        text = F.upper(text) if rules.letter_case == "upper" else F.lower(text)
    guests = [cases[rules.letter_case](guest_id) for guest_id in rules.guest_ids]
    return F.when(text.isin("", *guests), None).otherwise(text)


def id_problem(schema: T.StructType, name: str | None) -> Column:
    """Whether a spreadsheet has rounded the id away: 1.2346E+11 is no id any more; else NULL."""
    if name is None or not isinstance(schema[name].dataType, T.StringType):
        return F.lit(None).cast("string")
    # Few ids hold a plus sign, and looking for one is cheap.
    is_lost = quoted(name).contains("+") & quoted(name).rlike(_LOST_DIGITS)
    return F.when(is_lost, "in scientific notation, its digits are lost: export it as text")


def text_column(name: str | None) -> Column:
    """A mapped text without outer spaces; NULL where empty or not mapped."""
    return as_text(quoted(name)) if name else F.lit(None).cast("string")


def attributes(names: tuple[str, ...]) -> Column:
    """Further columns by their own names; an empty one is absent."""
    if not names:
        return F.create_map().cast("map<string,string>")
    pairs = F.map_from_arrays(
        F.array(*(F.lit(name) for name in names)), F.array(*(text_column(name) for name in names))
    )
    return F.map_filter(pairs, lambda _, value: value.isNotNull())
