"""A row becomes a typed line, or says everything that is wrong with it."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from segspark.settings.sources import Source
from segspark.tables.purchases import TRANSACTIONS
from tests.builders import table
from tests.purchases import COLUMNS, PRICED, parsed, source, values

TEXTS = "who string, at string, order string, what string, units string, price string"
GOOD = ("7", "2011-03-01 10:00:00", "A1", "mug", "2", "1.50")


def reasons(spark: SparkSession, *rows: tuple[Any, ...], **changed: object) -> list[list[str]]:
    """Reasons of each row, in the order of the rows."""
    numbered = [(*row, str(n)) for n, row in enumerate(rows)]
    raw = table(spark, f"{TEXTS}, n string", *numbered)
    settings = source(columns={**PRICED, "country": "n"}, **changed)
    found = values(parsed(raw, settings), "country", "reasons")
    return [why for _, why in sorted(found, key=lambda row: int(row[0]))]


def test_a_good_row_has_no_reason_and_every_value(spark: SparkSession) -> None:
    row = parsed(table(spark, TEXTS, GOOD), source()).collect()[0]

    assert row["reasons"] == []
    assert {
        "customer_id": "7",
        "order_id": "A1",
        "product_id": "mug",
        "transaction_at": datetime(2011, 3, 1, 10, tzinfo=UTC).replace(tzinfo=None),
        "transaction_date": date(2011, 3, 1),
        "local_hour": 10,
        "quantity_units": Decimal(2),
        "unit_price_amount": Decimal("1.5"),
        "line_amount": Decimal(3),
        "discount_amount": Decimal(0),
        "line_kind": "sale",
        "country": None,
    }.items() <= row.asDict().items()
    columns = {column.name for column in TRANSACTIONS.columns} - {"copies_count"}
    assert columns <= set(row.asDict())


def test_a_bad_row_gives_every_reason_at_once(spark: SparkSession) -> None:
    found = reasons(spark, ("7", "yesterday", "A1", "mug", " ", "free"))
    assert found == [
        ["transaction_at: not a date or time", "quantity: missing", "unit_price: not a number"]
    ]


@pytest.mark.usefixtures("spark")
def test_each_way_to_be_wrong_has_its_reason(spark: SparkSession) -> None:
    stamp = GOOD[1]
    rows = {
        ("7", None, "A", "m", "1", "1"): ["transaction_at: missing"],
        ("7", " ", "A", "m", "1", "1"): ["transaction_at: missing"],
        ("7", "2011-02-30", "A", "m", "1", "1"): ["transaction_at: not a date or time"],
        ("7", stamp, "A", "m", "1e99", "1"): ["quantity: not a number"],
        ("7", stamp, "A", "m", "1", "12345678901234567"): ["unit_price: out of range"],
        ("7", stamp, "A", "m", "1", "1.00001"): ["unit_price: more than 4 decimals"],
        ("7", stamp, "A", "m", "99999999", "99999999"): ["line_amount: out of range"],
        ("7", stamp, "A", "m", "NaN", "1,5"): [
            "quantity: not a number",
            "unit_price: has a decimal comma: set numbers of the source",
        ],
        (None, stamp, None, None, "-1", "0"): [],
    }
    assert reasons(spark, *rows) == list(rows.values())


def test_a_stamp_without_a_full_date_is_refused_rather_than_completed(spark: SparkSession) -> None:
    stamps = ["08:26:00", "T08:26", "2011", "2011-03", "40513", "2011-3-1", "2011-03-01T08:26:00"]
    found = reasons(spark, *(("7", stamp, "A", "m", "1", "1") for stamp in stamps))
    assert [bool(why) for why in found] == [True, True, True, True, True, False, False]


def test_a_discount_that_is_no_number_is_refused_and_a_missing_one_is_none(
    spark: SparkSession,
) -> None:
    columns = {**PRICED, "discounts": ["what"], "country": "order"}
    rows = [("7", GOOD[1], str(n), cut, "1", "1") for n, cut in enumerate([None, " ", "ten", "1"])]
    found = values(
        parsed(table(spark, TEXTS, *rows), source(columns=columns)), "country", "reasons"
    )
    assert [why for _, why in found] == [[], [], ["discount: not a number"], []]


def test_a_textual_stamp_is_read_by_its_pattern_only(spark: SparkSession) -> None:
    rows = [("7", stamp, "A", "m", "1", "1") for stamp in (" 3/12/2010 8:26 ", GOOD[1])]
    raw = table(spark, TEXTS, *rows)
    settings = source(timestamp_format="d/M/yyyy H:mm")
    found = values(parsed(raw, settings), "transaction_at", "reasons")
    assert found == [
        (None, ["transaction_at: not a date or time"]),
        (datetime(2010, 12, 3, 8, 26, tzinfo=UTC).replace(tzinfo=None), []),
    ]


def test_a_utc_stamp_falls_on_the_business_zones_day(spark: SparkSession) -> None:
    rows = [(GOOD[0], at, *GOOD[2:]) for at in ("2017-01-01 03:30:00", "2017-07-01 04:00:00")]
    settings = source(stamp_zone="UTC", business_zone="America/New_York")
    found = parsed(table(spark, TEXTS, *rows), settings)
    assert values(found, "transaction_date", "local_hour", "transaction_at") == [
        (date(2016, 12, 31), 22, datetime(2017, 1, 1, 3, 30)),
        (date(2017, 7, 1), 0, datetime(2017, 7, 1, 4)),
    ]


def test_a_local_stamp_keeps_its_day_and_becomes_a_utc_instant(spark: SparkSession) -> None:
    settings = source(stamp_zone="Europe/London", business_zone="Europe/London")
    raw = table(spark, TEXTS, (GOOD[0], "2011-06-30 00:30:00", *GOOD[2:]))
    found = parsed(raw, settings)
    assert values(found, "transaction_date", "local_hour", "transaction_at") == [
        (date(2011, 6, 30), 0, datetime(2011, 6, 29, 23, 30))
    ]


@pytest.mark.parametrize("kind", ["timestamp", "timestamp_ntz"])
def test_a_typed_stamp_is_read_like_its_text(spark: SparkSession, kind: str) -> None:
    raw = table(spark, TEXTS, (GOOD[0], "2017-01-01 03:30:00", *GOOD[2:]))
    typed = raw.withColumn("at", raw["at"].cast(kind))
    settings = source(business_zone="America/New_York")
    assert values(parsed(typed, settings), "transaction_date", "local_hour") == [
        (date(2016, 12, 31), 22)
    ]


@pytest.mark.parametrize(("deducted", "money"), [(True, "10.00"), (False, "7.25")])
def test_discounts_are_deducted_once(spark: SparkSession, *, deducted: bool, money: str) -> None:
    raw = table(
        spark,
        "who string, at string, units double, sum double, card double, coupon double",
        ("7", "2011-03-01", 4.0, 10.0, 2.5, 0.25),
        ("8", "2011-03-01", 4.0, 10.0, None, None),
    )
    columns = {
        "customer_id": "who",
        "transaction_at": "at",
        "quantity": "units",
        "line_amount": "sum",
        "discounts": ["card", "coupon"],
    }
    settings = source(columns=columns, discounts_deducted=deducted)
    assert values(parsed(raw, settings), "customer_id", "line_amount", "discount_amount") == [
        ("7", Decimal(money), Decimal("2.75")),
        ("8", Decimal(10), Decimal(0)),
    ]


def test_price_times_quantity_is_exact_money(spark: SparkSession) -> None:
    rows = [
        ("7", GOOD[1], "A", "m", units, price) for units, price in (("-3", "0.1"), ("7", "0.29"))
    ]
    found = values(parsed(table(spark, TEXTS, *rows), source()), "line_amount", "unit_price_amount")
    assert found == [
        (Decimal("-0.3000"), Decimal("0.1000")),
        (Decimal("2.0300"), Decimal("0.2900")),
    ]


def test_noise_of_binary_fractions_is_no_reason_to_refuse(spark: SparkSession) -> None:
    schema = TEXTS.replace("price string", "price double")
    raw = table(spark, schema, (*GOOD[:5], 0.1 + 0.2))
    assert values(parsed(raw, source()), "line_amount", "reasons") == [(Decimal("0.6"), [])]


def _summed(**more: object) -> Source:
    columns = {"customer_id": "who", "transaction_at": "at", "line_amount": "price", **more}
    return source(columns=columns)


def test_without_a_quantity_a_line_is_one_unit(spark: SparkSession) -> None:
    found = parsed(table(spark, TEXTS, GOOD), _summed())
    assert values(found, "quantity_units", "unit_price_amount", "line_amount") == [
        (Decimal(1), Decimal("1.5"), Decimal("1.5"))
    ]


def test_the_price_of_no_units_is_not_known(spark: SparkSession) -> None:
    raw = table(spark, TEXTS, (*GOOD[:4], "0", "5"))
    assert values(parsed(raw, _summed(quantity="units")), "unit_price_amount", "reasons") == [
        (None, [])
    ]


def test_without_receipts_a_customers_day_is_one_order_and_a_guests_line_its_own(
    spark: SparkSession,
) -> None:
    morning, evening = "2011-03-01 08:00:00", "2011-03-01 20:00:00"
    rows = [(who, at, None, "m", "1", "1") for who in ("7", None) for at in (morning, evening)]
    found = values(parsed(table(spark, TEXTS, *rows), _summed()), "customer_id", "order_id")
    assert [order for who, order in found if who] == ["7 2011-03-01"] * 2
    assert len({order for who, order in found if not who}) == 2


def test_rows_equal_in_every_column_share_their_line_id_and_no_others_do(
    spark: SparkSession,
) -> None:
    rows = [
        ("1", "12", None), ("1", "12", None), ("11", "2", None), ("1", "12", ""), ("1", None, "12"),
    ]  # fmt: skip
    raw = table(spark, TEXTS, *((GOOD[0], GOOD[1], *row, "1") for row in rows))
    found = values(parsed(raw, source(columns={**COLUMNS, "line_amount": "price"})), "line_id")
    assert len(set(found)) == 4


def test_a_stamp_that_states_its_own_offset_is_not_shifted_again(spark: SparkSession) -> None:
    stamps = ("2026-10-03T22:30:00Z", "2026-10-04 00:30:00+02:00", "2026-10-04 00:30:00")
    settings = source(stamp_zone="Europe/Berlin", business_zone="Europe/Berlin")
    raw = table(spark, TEXTS, *((GOOD[0], stamp, *GOOD[2:]) for stamp in stamps))
    found = values(parsed(raw, settings), "transaction_date", "local_hour", "transaction_at")
    assert found == [(date(2026, 10, 4), 0, datetime(2026, 10, 3, 22, 30))] * 3


def test_a_pattern_with_an_offset_gives_instants(spark: SparkSession) -> None:
    settings = source(timestamp_format="yyyy-MM-dd HH:mm:ssXXX", stamp_zone="Europe/Berlin")
    raw = table(spark, TEXTS, (GOOD[0], "2026-10-04 00:30:00+02:00", *GOOD[2:]))
    assert values(parsed(raw, settings), "transaction_at") == [(datetime(2026, 10, 3, 22, 30),)]


def test_a_number_is_no_stamp(spark: SparkSession) -> None:
    raw = table(spark, TEXTS, GOOD).withColumn("at", F.lit(40513))
    assert values(parsed(raw, source()), "reasons") == [(["transaction_at: not a date or time"],)]
