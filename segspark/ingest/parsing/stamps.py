"""Stamps and dates as sources write them → instants and local days, or the reason why not."""

import re

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql import types as T

from segspark.ingest.reading.raw import DELIVERED_AT, as_text, quoted
from segspark.settings.formats import ExcelFormat
from segspark.settings.sources import SourceSettings

_ENDS_WITH_AN_OFFSET = (
    r"\d{1,2}:\d{2}.*(Z|[+-]\d{1,2}(:?\d{2}){0,2}|UTC|GMT|UT|[A-Z][A-Za-z_]+/[A-Za-z_/+-]+)$"
)
_SHORTEST_DATE = len("2026-1-1")
_BEHIND_THE_DATE = len("2026-11-21") + 1
_OWN_TYPES = T.DateType | T.TimestampType | T.TimestampNTZType


def stamp_fields(source: SourceSettings, schema: T.StructType, name: str) -> list[Column]:
    """What one select on a raw frame gives for the row's stamp: the time as written.

    A column of the type `timestamp` holds instants, one of `timestamp_ntz` or of days clock times.

    Args:
        source: Pattern and limits.
        schema: Of the raw frame.
        name: The source's column.
    """
    column, dtype = quoted(name), schema[name].dataType
    return [
        _written(column, dtype, source).alias("stamp_written"),
        as_text(column).alias("stamp_text"),
        _has_offset(column, dtype, source).alias("stamp_has_offset"),
        F.col(DELIVERED_AT).alias("delivered_at"),
    ]


def stamp_steps(source: SourceSettings, *, to: str) -> list[dict[str, Column]]:
    """Columns to add one after another: `{to}_at`, `{to}_date`, `local_hour`, `stamp_problem`.

    A stamp that occurs twice, as clocks are set back, is taken for the first; midnight that does
    not exist, as clocks are set forward, for the day's first instant.
    """
    written, instant = F.col("stamp_written"), F.col(f"{to}_at")
    # A stamp that states its own offset, or is typed as an instant, must not be moved.
    utc = F.to_utc_timestamp(written, source.stamp_zone)
    local = F.from_utc_timestamp(instant, source.business_zone)
    return [
        {f"{to}_at": F.when(F.col("stamp_has_offset"), written).otherwise(utc)},
        {"stamp_local": local},
        {f"{to}_date": F.to_date("stamp_local"), "local_hour": F.hour("stamp_local")},
        {"stamp_problem": _problem(source, instant, F.col(f"{to}_date"))},
    ]


def date_column(source: SourceSettings, schema: T.StructType, name: str | None) -> Column:
    """A calendar day without a zone; NULL where missing or not readable."""
    if name is None:
        return F.lit(None).cast("date")
    return F.to_date(_written(quoted(name), schema[name].dataType, source))


def _written(column: Column, dtype: T.DataType, source: SourceSettings) -> Column:
    if isinstance(dtype, _OWN_TYPES):
        return column.cast("timestamp")
    if not isinstance(dtype, T.StringType):
        return F.lit(None).cast("timestamp")
    text = F.trim(column)
    # Spark would complete a time by today's date, and read 40513 as a year.
    is_full = (F.length(text) >= _SHORTEST_DATE) & (F.substring(text, 5, 1) == "-")
    iso = F.when(is_full, text).try_cast("timestamp")
    if source.timestamp_format is None:
        return iso
    patterned = F.try_to_timestamp(text, F.lit(source.timestamp_format))
    # Cells that are dates come in ISO, those that are texts in the pattern.
    return F.coalesce(patterned, iso) if isinstance(source.format, ExcelFormat) else patterned


def _has_offset(column: Column, dtype: T.DataType, source: SourceSettings) -> Column:
    if not isinstance(dtype, T.StringType):
        return F.lit(isinstance(dtype, T.TimestampType))
    if source.timestamp_format is not None:
        letters = re.sub("'[^']*'", "", source.timestamp_format)
        return F.lit(any(letter in letters for letter in "XxZzVO"))
    text = F.trim(column)
    time = F.substring(text, _BEHIND_THE_DATE, 40)
    # Few stamps have an offset, and looking for its signs is cheap.
    ends = F.substring(text, -1, 1).isin("Z", "C", "T")
    may_have = time.contains("+") | time.contains("-") | time.contains("/") | ends
    return F.coalesce(may_have & text.rlike(_ENDS_WITH_AN_OFFSET), F.lit(col=False))


def _problem(source: SourceSettings, instant: Column, day: Column) -> Column:
    unreadable = F.when(F.col("stamp_text").isNull(), "missing").otherwise("not a date or time")
    problem = F.when(instant.isNull(), unreadable)
    if source.stamp_zone != "UTC":
        problem = problem.when(
            ~F.col("stamp_has_offset") & _is_in_a_gap(source, instant),
            f"does not exist in {source.stamp_zone}, where clocks were set forward",
        )
    if source.earliest_date is not None:
        earliest = source.earliest_date
        problem = problem.when(day < F.lit(earliest), f"before {earliest}, see earliest_date")
    if source.most_future_days is not None:
        delivered = F.to_date(F.from_utc_timestamp("delivered_at", source.business_zone))
        problem = problem.when(
            day > F.date_add(delivered, source.most_future_days),
            "after the file was written, see most_future_days",
        )
    return problem


def _is_in_a_gap(source: SourceSettings, instant: Column) -> Column:
    written = F.col("stamp_written")
    if source.business_zone == source.stamp_zone:
        back = F.col("stamp_local")
    else:
        back = F.from_utc_timestamp(instant, source.stamp_zone)
    return (back != written) & (written != F.date_trunc("day", written))
