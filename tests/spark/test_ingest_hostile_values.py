"""Hostile values are kept exactly under the right settings, else refused in one sentence."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import functions as F

from segspark.pipeline.ingest import ingest
from segspark.pipeline.stage import Workspace
from segspark.tables.purchases import TRANSACTIONS
from tests.hostile import line, refusal, text, with_sources
from tests.purchases import HEADER, source_document, values

REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "a decimal comma": (
        line(price='"1,50"'),
        {},
        "unit_price: has a decimal comma: set numbers of the source",
    ),
    "thousands separators": (
        line(price='"1,234.50"'),
        {},
        "unit_price: is in another style: set numbers of the source",
    ),
    "a currency sign": (
        line(price="€5"),
        {},
        "unit_price: is in another style: set numbers of the source",
    ),
    "an id in scientific notation": (
        line(who="1.23E+11"),
        {},
        "customer_id: in scientific notation, its digits are lost: export it as text",
    ),
    "such an id of a European sheet": (
        line(who='"1,23457E+11"'),
        {},
        "customer_id: in scientific notation, its digits are lost: export it as text",
    ),
    "a date that exists in no calendar": (
        line(at="2026-02-30 10:00:00"),
        {},
        "transaction_at: not a date or time",
    ),
    "such a date under a pattern": (
        line(at="31.04.2026"),
        {"timestamp_format": "dd.MM.yyyy"},
        "transaction_at: not a date or time",
    ),
    "a time that clocks skip": (
        line(at="2026-03-29 02:30:00"),
        {"stamp_zone": "Europe/Berlin"},
        "transaction_at: does not exist in Europe/Berlin, where clocks were set forward",
    ),
    "an amount of 40 digits": (line(price="1" * 40), {}, "unit_price: out of range"),
    "a fraction of 40 digits": (
        line(price="0." + "1" * 40),
        {},
        "unit_price: more than 4 decimals",
    ),
}
IDS = (
    "😀👩‍👩‍👧",
    "שלום",
    "\u202eevil\u202c",
    "'; DROP TABLE transactions; --",
    '=cmd|" /C calc"!A0',
    "${HOME}",
    "{{7*7}}",
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "%s%n$1\\1`",
    "NULL",
    "NaN",
    "\\N",
    "#",
)
FILES = {
    "CRLF '; DROP TABLE transactions; --.csv": ("UTF-8", "\r\n"),
    "BOM 100% [1] {x} שלום 😀.csv": ("UTF-8-sig", "\n"),
    "END is missing.csv": ("UTF-8", "\n"),
}
STYLED = {
    "1.234.567,8901 €": "1234567.8901",
    "€1.234,5": "1234.5",
    "12,50-": "-12.5",
    "(12,50 EUR)": "-12.5",
    "-0,00": "0",
    "1,5E3": "1500",
    "99.999.999.999.999,9999": "99999999999999.9999",
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_value_in_another_style_names_its_setting_and_changes_no_table(
    one_good_batch: Workspace, tmp_path: Path, case: str
) -> None:
    row, changed, reason = REFUSED[case]
    (tmp_path / "in").write_bytes(text(row))
    assert refusal(one_good_batch, source_document(tmp_path / "in", **changed)) == (
        f"source new: in: 1 of 1 rows are refused, above the 5.0% allowed ({reason} (1)): correct "
        "the mapping of sources.new or the file"
    )


def _write_plain(folder: Path) -> None:
    """The nasty ids in every file, with signed zeros, each file's in orders of its own."""
    folder.mkdir()
    for name, (encoding, end) in FILES.items():
        rows = [
            line(who='"' + one.replace('"', '""') + '"', order=name[:3], units="-0", price="-0.00")
            for one in IDS
        ]
        content = end.join([HEADER, *rows]) + ("" if name.startswith("END") else end)
        (folder / name).write_bytes(content.encode(encoding))


def _write_styled(path: Path) -> None:
    rows = [
        line(order=f"A{number}", at="2025-10-26 02:30:00", units="1", price=f'"{price}"')
        for number, price in enumerate(STYLED)
    ]
    path.write_bytes(text(*rows))


@pytest.fixture(scope="module")
def taken_in(one_good_batch: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The lake after files of nasty but good values."""
    folder = tmp_path_factory.mktemp("nasty")
    _write_plain(folder / "plain")
    _write_styled(folder / "styled.csv")
    style = {
        "decimal_separator": ",",
        "thousands_separator": ".",
        "currency_signs": ["€", "EUR"],
        "accounting_negatives": True,
    }
    sources = {
        "plain": source_document(folder / "plain"),
        "styled": source_document(folder / "styled.csv", numbers=style, stamp_zone="Europe/Berlin"),
    }
    ingest(with_sources(one_good_batch, sources))
    return one_good_batch


def test_nasty_ids_in_nasty_files_are_kept_to_the_letter(taken_in: Workspace) -> None:
    found = taken_in.lake.read(TRANSACTIONS).filter("source = 'plain'")
    expected = [(name[:3], one) for name in FILES for one in IDS]
    assert values(found, "order_id", "customer_id") == sorted(expected, key=repr)


def test_a_negative_zero_is_zero(taken_in: Workspace) -> None:
    found = taken_in.lake.read(TRANSACTIONS).filter("source = 'plain'")
    numbers = ("quantity_units", "unit_price_amount", "line_amount")
    texts = [F.col(name).cast("string").alias(name) for name in numbers]
    assert values(found.select(*texts, "line_kind").distinct(), *numbers, "line_kind") == [
        ("0.0000", "0.0000", "0.0000", "sample")
    ]


def test_amounts_of_every_style_are_exact_under_the_right_settings(taken_in: Workspace) -> None:
    found = taken_in.lake.read(TRANSACTIONS).filter("source = 'styled'")
    expected = [(f"A{number}", Decimal(price)) for number, price in enumerate(STYLED.values())]
    assert values(found, "order_id", "line_amount") == expected


def test_a_time_that_comes_twice_is_taken_for_the_first(taken_in: Workspace) -> None:
    found = taken_in.lake.read(TRANSACTIONS).filter("source = 'styled'")
    stamp = F.date_format("transaction_at", "yyyy-MM-dd HH:mm:ss").alias("stamp")
    ((told,),) = values(found.select(stamp).distinct(), "stamp")
    assert datetime.fromisoformat(told) == datetime(2025, 10, 26, 0, 30)


def test_the_good_batch_is_still_there(taken_in: Workspace) -> None:
    found = taken_in.lake.read(TRANSACTIONS).filter("source = 'good'")
    assert values(found, "customer_id", "line_amount") == [("7", Decimal(3))]
