"""A stamp is a real instant of a plausible day, or is refused with the reason."""

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
