"""Amounts are put into the lake's currency by the rate of their day, or refused."""

from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from segspark.errors import IngestError
from segspark.features.lines import ledger_lines
from segspark.features.returns import return_matches
from segspark.ingest.parsing.exchange import read_rates, with_rates
from segspark.settings.features import LedgerSettings
from segspark.settings.sources import TransactionSource
from tests.builders import table
from tests.purchases import parsed, source, values

SCHEMA = "who string, at string, units string, price string, code string"
COLUMNS = {"customer_id": "who", "transaction_at": "at", "quantity": "units",
           "unit_price": "price", "currency": "code"}  # fmt: skip
RATES = ("2026-01-05,USD,0.9", "2026-01-07,USD,0.8", "2026-01-05,JPY,0.00625")


CONVERTED = "unit_price_amount", "discount_amount", "line_amount"
LARGEST = Decimal("99999999999999.9999")


def rates_file(folder: Path, *lines: str, header: str = "rate_date,currency,rate") -> str:
    path = folder / "rates.csv"
    path.write_text("\n".join([header, *lines, ""]))
    return str(path)


def lines(
    spark: SparkSession, folder: Path, *rows: tuple[str, str | None], age: int = 3
) -> list[tuple[Any, ...]]:
    """Rate, money and reasons of two units at 10.00 on each day in each currency."""
    file = rates_file(folder, *RATES)
    raw = table(spark, SCHEMA, *((str(n), day, "2", "10", code)
                for n, (day, code) in enumerate(rows)))  # fmt: skip
    settings = source(columns=COLUMNS, exchange_rates=file, most_rate_age_days=age)
    rates = read_rates(spark, file, most_age_days=age)
    found = values(
        parsed(raw, settings, rates=rates),
        "customer_id", "source_currency", "exchange_rate", "line_amount", "reasons",
    )  # fmt: skip
    return [row[1:] for row in sorted(found, key=lambda row: int(row[0]))]


def test_a_line_takes_the_newest_rate_not_later_than_its_day(
    spark: SparkSession, tmp_path: Path
) -> None:
    found = lines(
        spark, tmp_path, ("2026-01-06", "USD"), ("2026-01-07", "usd"), ("2026-01-05", "JPY")
    )
    assert found == [
        ("USD", Decimal("0.9"), Decimal(18), []),
        ("USD", Decimal("0.8"), Decimal(16), []),
        ("JPY", Decimal("0.00625"), Decimal("0.125"), []),
    ]


def test_the_lakes_own_currency_needs_no_rate_and_is_assumed_where_none_is_said(
    spark: SparkSession, tmp_path: Path
) -> None:
    found = lines(spark, tmp_path, ("1999-01-01", "EUR"), ("1999-01-01", None))
    assert found == [("EUR", Decimal(1), Decimal(20), [])] * 2


def test_a_line_without_a_rate_that_is_young_enough_is_refused(
    spark: SparkSession, tmp_path: Path
) -> None:
    rows = [
        ("2026-01-04", "USD"),
        ("2026-01-10", "USD"),
        ("2026-01-11", "USD"),
        ("2026-01-06", "XXX"),
    ]
    found = lines(spark, tmp_path, *rows)
    reason = ["currency: has no rate within 3 days before the line"]
    assert [why for *_, why in found] == [reason, [], reason, reason]


def test_without_rates_lines_of_another_currency_are_refused(spark: SparkSession) -> None:
    raw = table(
        spark, SCHEMA, ("7", "2026-01-01", "1", "1", "USD"), ("8", "2026-01-01", "1", "1", "EUR")
    )
    found = values(parsed(raw, source(columns=COLUMNS)), "customer_id", "reasons")
    assert found == [
        ("7", ["currency: is not the lake's, and the source has no exchange_rates"]), ("8", [])
    ]  # fmt: skip


def test_amounts_are_rounded_once_and_keep_every_digit(spark: SparkSession, tmp_path: Path) -> None:
    small, rounded_twice, large = "0.000048512345", "0.500000000001", "1234567.891234567891"
    file = rates_file(
        tmp_path, *(f"2026-01-05,{code},{rate}" for code, rate in
                    (("VND", small), ("USD", rounded_twice), ("KWD", large)))
    )  # fmt: skip
    pairs = [
        ("VND", small, Decimal("9999999999.9999")),
        ("VND", small, Decimal("-9999999999.9999")),
        ("VND", small, LARGEST),
        # With eleven decimals in between, the last digit would be another.
        ("USD", rounded_twice, LARGEST),
        ("KWD", large, Decimal("10000000.0001")),
    ]
    schema = (
        "source_currency string, transaction_date date, n int, unit_price_amount decimal(18,4), "
        "discount_amount decimal(18,4), line_amount decimal(18,4)"
    )
    rows = [(c, date(2026, 1, 5), n, a, a, a) for n, (c, _, a) in enumerate(pairs)]
    rows.append(("KWD", date(2026, 1, 5), len(pairs), LARGEST, LARGEST, LARGEST))
    settings = source(columns=COLUMNS, exchange_rates=file)
    assert isinstance(settings, TransactionSource)
    found = values(
        with_rates(
            table(spark, schema, *rows),
            source=settings,
            currency="EUR",
            rates=read_rates(spark, file, most_age_days=3),
        ),
        "n", "exchange_rate", *CONVERTED,
    )  # fmt: skip
    exact = Context(prec=60, rounding=ROUND_HALF_UP)
    expected = [
        exact.quantize(exact.multiply(amount, Decimal(rate)), Decimal("0.0001"))
        for _, rate, amount in pairs
    ]
    too_large = (len(pairs), Decimal(large), None, None, None)
    assert found == [
        *((n, Decimal(pairs[n][1]), *[money] * 3) for n, money in enumerate(expected)), too_large
    ]  # fmt: skip


def test_a_return_undoes_its_purchase_though_the_rate_has_moved(
    spark: SparkSession, tmp_path: Path
) -> None:
    file = rates_file(tmp_path, "2026-01-05,USD,1.10", "2026-01-07,USD,1.20")
    schema = f"{SCHEMA}, what string"
    raw = table(
        spark,
        schema,
        ("7", "2026-01-05", "3", "10", "USD", "mug"),
        ("7", "2026-01-07", "-1", "10", "USD", "mug"),
    )
    settings = source(columns={**COLUMNS, "product_id": "what"}, exchange_rates=file)
    rates = read_rates(spark, file, most_age_days=3)
    lines = parsed(raw, settings, rates=rates).withColumn("copies_count", F.lit(1).cast("long"))
    prices = ("unit_price_amount", "source_unit_price_amount", "source_currency", "line_amount")
    assert values(lines, *prices) == [
        (Decimal(11), Decimal(10), "USD", Decimal(33)),
        (Decimal(12), Decimal(10), "USD", Decimal(-12)),
    ]
    matches = return_matches(ledger_lines(lines, settings=LedgerSettings()), ledger_id="ledger-1")
    assert values(matches, "purchase_date", "return_date", "returned_units", "returned_amount") == [
        (date(2026, 1, 5), date(2026, 1, 7), Decimal(1), Decimal(12))
    ]


def test_rates_are_not_kept_in_memory(spark: SparkSession, tmp_path: Path) -> None:
    read_rates(spark, rates_file(tmp_path, *RATES), most_age_days=3)
    cached = spark._jsparkSession.sharedState().cacheManager()  # noqa: SLF001
    assert cached.isEmpty()


@pytest.mark.parametrize(
    ("header", "rows", "sentence"),
    [
        ("day,currency,rate", RATES, "no column rate_date"),
        ("rate_date,currency,rate", ["2026-01-05,USD,-1"], "1 rows have no date, currency or"),
        ("rate_date,currency,rate", ["2026-01-05,USD,1E-10000000"], "1 rows have no date"),
        ("rate_date,currency,rate", ["5.1.2026,USD,1"], "1 rows have no date, currency or"),
        ("rate_date,currency,rate", [RATES[0], RATES[0]], "USD has two rates on 2026-01-05"),
    ],
)
def test_a_table_of_rates_that_cannot_be_right_is_refused(
    spark: SparkSession, tmp_path: Path, header: str, rows: list[str], sentence: str
) -> None:
    with pytest.raises(IngestError, match=sentence):
        read_rates(spark, rates_file(tmp_path, *rows, header=header), most_age_days=3)


def test_a_missing_file_of_rates_is_one_sentence(spark: SparkSession, tmp_path: Path) -> None:
    with pytest.raises(IngestError, match=r"exchange rates .*absent\.csv: .*PATH_NOT_FOUND"):
        read_rates(spark, str(tmp_path / "absent.csv"), most_age_days=3)


def test_a_refusal_does_not_tell_the_password_of_the_address(spark: SparkSession) -> None:
    with pytest.raises(
        IngestError, match=r"exchange rates file://\*\*\*@host/rates\.csv: "
    ) as told:
        read_rates(spark, "file://KEY:SECRET@host/rates.csv", most_age_days=3)
    assert "SECRET" not in str(told.value)
