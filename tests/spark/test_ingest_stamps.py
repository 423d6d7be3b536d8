"""A stamp is a real instant of a plausible day, or is refused with the reason."""

import json
from datetime import date, datetime
from typing import Any

import pytest
from pyspark.sql import SparkSession

from tests.builders import table
from tests.purchases import DELIVERED_AT, parsed, source, values

COLUMNS = {"customer_id": "who", "transaction_at": "at", "line_amount": "money"}
BERLIN = {"stamp_zone": "Europe/Berlin", "business_zone": "Europe/Berlin"}
SAO_PAULO = {"stamp_zone": "America/Sao_Paulo", "business_zone": "America/Sao_Paulo"}


def stamps(spark: SparkSession, *texts: str, **changed: object) -> list[tuple[Any, ...]]:
    """Instant, day and reasons of each stamp, in order."""
    raw = table(spark, "who string, at string, money string", *((str(n), text, "1")
                for n, text in enumerate(texts)))  # fmt: skip
    settings = source(columns=COLUMNS, **changed)
    names = ("customer_id", "transaction_at", "transaction_date", "reasons")
    found = sorted(values(parsed(raw, settings), *names), key=lambda row: int(row[0]))
    return [row[1:] for row in found]


def typed(spark: SparkSession, dtype: str, text: str) -> list[tuple[Any, ...]]:
    """Instant, day and reasons of a stamp that comes as this type, in Berlin."""
    raw = table(spark, "who string, at string, money string", ("7", text, "1"))
    rows = raw.withColumn("at", raw["at"].cast(dtype))
    found = parsed(rows, source(columns=COLUMNS, **BERLIN))
    return values(found, "transaction_at", "transaction_date", "reasons")


def refused_row(spark: SparkSession, dtype: str, text: str) -> dict[str, Any]:
    """The row as it is written out, where its stamp comes as this type and its money is none."""
    raw = table(spark, "who string, at string, money string", ("7", text, "free"))
    rows = raw.withColumn("at", raw["at"].cast(dtype))
    ((written,),) = values(parsed(rows, source(columns=COLUMNS, **BERLIN)), "raw_row")
    found: dict[str, Any] = json.loads(written)
    return found


def test_an_hour_that_the_clock_skipped_is_refused(spark: SparkSession) -> None:
    found = stamps(spark, "2026-03-29 02:30:00", "2026-03-29 03:00:00", **BERLIN)
    reason = "transaction_at: does not exist in Europe/Berlin, where clocks were set forward"
    assert [why for *_, why in found] == [[reason], []]


def test_an_hour_that_comes_twice_is_taken_for_the_first(spark: SparkSession) -> None:
    found = stamps(spark, "2025-10-26 02:30:00", **BERLIN)
    assert found == [(datetime(2025, 10, 26, 0, 30), date(2025, 10, 26), [])]


def test_a_day_that_began_at_one_keeps_its_date(spark: SparkSession) -> None:
    found = stamps(spark, "2018-11-04", **SAO_PAULO)
    assert [(day, why) for _, day, why in found] == [(date(2018, 11, 4), [])]


@pytest.mark.parametrize("text", ["2026-02-30", "2026-13-01", "2025-02-29 10:00:00", "2026-06-31"])
def test_a_date_of_no_calendar_is_refused(spark: SparkSession, text: str) -> None:
    expected = ["transaction_at: not a date or time"]
    assert [why for *_, why in stamps(spark, text)] == [expected]
    # The file's own pattern must not wrap it into the next month either.
    pattern = "yyyy-MM-dd" + (" HH:mm:ss" if ":" in text else "")
    assert [why for *_, why in stamps(spark, text, timestamp_format=pattern)] == [expected]


def test_days_before_the_floor_are_refused(spark: SparkSession) -> None:
    found = stamps(spark, "1899-12-30", "1970-01-01 00:00:00", "1980-01-01")
    reason = ["transaction_at: before 1980-01-01, see earliest_date"]
    assert [why for *_, why in found] == [reason, reason, []]
    assert stamps(spark, "1970-01-01", earliest_date=None)[0][2] == []


def test_days_after_the_file_was_written_are_refused(spark: SparkSession) -> None:
    assert DELIVERED_AT.date() == date(2026, 6, 30)
    found = stamps(spark, "2026-06-30 23:59:59", "2026-07-01", "2026-07-02", "2206-07-01")
    reason = ["transaction_at: after the file was written, see most_future_days"]
    assert [why for *_, why in found] == [[], [], reason, reason]
    assert stamps(spark, "2026-07-02", most_future_days=2)[0][2] == []
    assert stamps(spark, "2206-07-01", most_future_days=None)[0][2] == []


@pytest.mark.parametrize(
    ("dtype", "instant", "day"),
    [
        ("timestamp", datetime(2026, 3, 28, 23, 30), date(2026, 3, 29)),
        ("timestamp_ntz", datetime(2026, 3, 28, 22, 30), date(2026, 3, 28)),
    ],
)
def test_a_column_of_instants_is_not_moved_and_one_of_clock_times_is(
    spark: SparkSession, dtype: str, instant: datetime, day: date
) -> None:
    assert typed(spark, dtype, "2026-03-28 23:30:00") == [(instant, day, [])]


def test_an_instant_is_in_no_gap_of_the_clock(spark: SparkSession) -> None:
    at, reason = "2026-03-29 02:30:00", "does not exist in Europe/Berlin"
    assert typed(spark, "timestamp", at) == [(datetime(2026, 3, 29, 2, 30), date(2026, 3, 29), [])]
    assert reason in typed(spark, "timestamp_ntz", at)[0][2][0]


def test_a_typed_day_is_a_day_of_the_shop(spark: SparkSession) -> None:
    found = typed(spark, "date", "2026-06-01")
    assert found == [(datetime(2026, 5, 31, 22), date(2026, 6, 1), [])]


def test_a_refused_instant_is_written_out_as_one(spark: SparkSession) -> None:
    at = "2026-03-28T23:30:00.000000"
    found = [refused_row(spark, dtype, at)["at"] for dtype in ("timestamp", "timestamp_ntz")]
    assert found == [f"{at}Z", at]
    # So it comes back as the same instant.
    assert stamps(spark, f"{at}Z", **BERLIN)[0][0] == datetime(2026, 3, 28, 23, 30)
