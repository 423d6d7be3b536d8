"""What the sources on the page docs/ingest.md read, and the rows that must come of it."""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from segspark.tables.contract import TableContract
from segspark.tables.entities import CUSTOMER_EVENTS, CUSTOMERS, PRODUCTS
from segspark.tables.purchases import TRANSACTIONS
from tests.jobs.ingest_page_files import pack, write_old_workbook, write_orc, write_workbook
from tests.jobs.ingest_page_growing import NOON, append_kiosk, append_sales, write_history

_at = datetime.fromisoformat
DAY = date(2024, 3, 1)
OTHER_BUYERS = 10_500
"""Lines of `store.csv` about nobody in particular: few enough of the others are refused then."""

BUSY_DAY_LINES = 501
"""Lines of one day in `store.csv`: of one customer they are a bot's, of guests they are none."""


@dataclass(frozen=True, slots=True)
class Example:
    """One source of the page.

    Attributes:
        write: Makes what it reads, in the working directory.
        columns: Columns of the table to look at.
        rows: All rows of these columns that must be in the table.
        table: Where its rows end.
        rejected: How many rows are refused.
    """

    write: Callable[[SparkSession], None]
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    table: TableContract = TRANSACTIONS
    rejected: int = 0


def _text(name: str, *lines: str, encoding: str = "utf-8") -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text("\n".join([*lines, ""]), encoding=encoding)


def _shop(_: SparkSession) -> None:
    header = "Kundennummer;Belegnummer;Datum;Artikel;Menge;Betrag"
    january = "7;A1;31.01.2024 00:30;Müsli;2;1.234,50 €"
    _text("exports/2024/january.csv", header, january, encoding="windows-1252")
    _text("exports/july.csv", header, ";A2;01.07.2024 00:30;Öl;-1;-4,95", encoding="windows-1252")


def _cdnow(_: SparkSession) -> None:
    lines = " 00004 0001 19970101  2   29.33\r\n 00021 0002 19980630 10    0.00\r\n"
    Path("CDNOW_sample.txt").write_bytes(lines.encode())


def _web(_: SparkSession) -> None:
    line = {"order": "A1", "sku": "mug", "units": 3, "price": 2.55}
    first = {**line, "at": "2024-03-01T12:00:00Z", "customer": {"id": 7}}
    second = {**line, "at": "2024-03-01T13:00:00+01:00", "customer": {"id": "x8"}, "units": "1"}
    _text("web.jsonl", json.dumps(first), json.dumps(second))


def _history(spark: SparkSession) -> None:
    write_history(spark, (7, "A1", 2.55), (None, "A2", -1.0))


def _archive(_: SparkSession) -> None:
    write_orc((7, "A1", 2.55), (None, "A2", -1.0))


def _fair(_: SparkSession) -> None:
    sheets: dict[str, list[tuple[Any, ...]]] = {
        "Saturday": [(7, NOON, 2, 2.55)],
        "Sunday": [(8, "2024-03-01", 1, 4)],
    }
    write_workbook(sheets, other=("Notes", "by Ann"))


def _market(_: SparkSession) -> None:
    write_old_workbook((7, NOON, 2, 2.55), (8, "2024-03-01", 1, 4))


def _received(_: SparkSession) -> None:
    days = [f"who,order,at,amount\n7,A{day},2024-04-0{day},2.55\n" for day in (1, 2, 3, 4)]
    pack(*(text.encode() for text in days))


def _branches(_: SparkSession) -> None:
    fitting = ("berlin/sales-01", "rome/sales-02")
    for name in (*fitting, "rome/sales-3", "rome/old/sales-04", "sales-05"):
        _text(f"branches/{name}.csv", "who,order,at,amount", f"7,{name},2024-03-01,2.55")


def _till(_: SparkSession) -> None:
    connection = sqlite3.connect("till.db")
    connection.execute('CREATE TABLE "receipt lines" (card, receipt, at, amount)')
    lines = [(7, "A1", "2024-03-01 12:00:00", 2.55), (None, "A2", "2024-03-01", "4")]
    connection.executemany('INSERT INTO "receipt lines" VALUES (?, ?, ?, ?)', lines)
    connection.commit()
    connection.close()


def _kiosk(_: SparkSession) -> None:
    append_kiosk("A1")


def _warehouse(spark: SparkSession) -> None:
    append_sales(spark, ("A1", "2024-03-02T06:00:00"))


def _people(_: SparkSession) -> None:
    header = "id,since,country,born,newsletter,may_call,loyalty_level,household_size"
    _text("customers.csv", header, "7,2024-03-01,DE,1980-02-29,yes,0,gold,2", "8,,,,no,,,")


def _catalogue(_: SparkSession) -> None:
    header = "sku,name,brand,department,category,subcategory"
    _text("products.csv", header, "mug,Blue mug,Acme,Kitchen,,Mugs")


def _newsletter(_: SparkSession) -> None:
    event = {"customer": "7", "at": "2024-03-01 12:00:00", "action": "email_open"}
    _text("newsletter.jsonl", json.dumps({**event, "campaign": "spring"}), json.dumps(event))


def _redemptions(_: SparkSession) -> None:
    _text("redemptions.csv", "customer,at,campaign,coupon", "7,2024-03-01,spring,9")


STORE = (
    "c7,A1,2024-03-01 12:00:00,mug,Blue mug,2,1.50,DE,shop",
    "C7,A2,2024-03-01 12:00:00,mug,Blue mug,201,1,AT,web",
    "0,A3,2024-03-01 12:00:00,mug,Blue mug,1001,1,,shop",
    "guest,A4,2024-03-01 12:00:00,mug,Blue mug,1,1,CH,shop",
    "guest,A4,2024-03-01 12:00:00,mug,Blue mug,1,2,CH,shop",
    "c8,,2024-03-01 12:00:00,mug,Blue mug,1,4,DE,shop",
    "c8,C5,2024-03-01 12:00:00,mug,Blue mug,-1,4,DE,shop",
    "c8,A5,2024-03-01 12:00:00,POST,Parcel,1,5,DE,shop",
    "c8,A5,2024-03-01 12:00:00,v1,GIFT CARD 20,1,20,DE,shop",
    "c8,A6,2024-03-01 12:00:00,mug,Blue mug,1,4,FR,shop",
    "test1,A7,2024-03-01 12:00:00,mug,Blue mug,1,4,DE,shop",
)


def _store(_: SparkSession) -> None:
    day = "2024-03-02 12:00:00,mug,Blue mug,1,4,DE,shop"
    bot = [f"bot,B{number},{day}" for number in range(BUSY_DAY_LINES)]
    guests = [f"guest,G{number},{day}" for number in range(BUSY_DAY_LINES)]
    others = [f"n{number},N{number},{day}" for number in range(OTHER_BUYERS)]
    header = "who,receipt,at,sku,name,units,price,land,channel"
    _text("store.csv", header, *STORE, *bot, *guests, *others)


def _abroad(_: SparkSession) -> None:
    header = "who,at,amount,currency"
    _text("abroad.csv", header, "7,2024-03-01,10,", "8,2024-03-01,10,GBP", "9,2024-03-01,10,EUR")
    rates = ("2024-02-28,USD,0.9", "2024-03-02,USD,0.5", "2024-03-01,GBP,1.25")
    _text("rates.csv", "rate_date,currency,rate", *rates)


def _days(_: SparkSession) -> None:
    for day in (1, 2):
        line = f"7,A{day},2024-03-0{day},mug,2.55"
        _text(f"days/{day} March.csv", "who,receipt,at,sku,amount", line)


EXAMPLES = {
    "shop": Example(
        _shop,
        ("customer_id", "order_id", "transaction_at", "transaction_date", "product_id",
         "quantity_units", "line_amount"),
        [("7", "A1", _at("2024-01-30 23:30"), date(2024, 1, 31), "Müsli", 2,
          Decimal("1234.5")),
         (None, "A2", _at("2024-06-30 22:30"), date(2024, 7, 1), "Öl", -1,
          Decimal("-4.95"))],
    ),
    "cdnow": Example(
        _cdnow,
        ("customer_id", "order_id", "transaction_date", "quantity_units", "line_amount"),
        [("00004", "00004 1997-01-01", date(1997, 1, 1), 2, Decimal("29.33")),
         ("00021", "00021 1998-06-30", date(1998, 6, 30), 10, Decimal(0))],
    ),
    "web": Example(
        _web,
        ("customer_id", "order_id", "transaction_at", "product_id", "line_amount"),
        [("7", "A1", NOON, "mug", Decimal("7.65")), ("x8", "A1", NOON, "mug", Decimal("2.55"))],
    ),
    "history": Example(
        _history,
        ("customer_id", "order_id", "transaction_at", "line_kind", "line_amount"),
        [("7", "A1", NOON, "sale", Decimal("2.55")), (None, "A2", NOON, "return", Decimal(-1))],
    ),
    "archive": Example(
        _archive,
        ("customer_id", "order_id", "transaction_at", "line_kind", "line_amount"),
        [("7", "A1", _at("2024-03-01 11:00"), "sale", Decimal("2.55")),
         (None, "A2", _at("2024-03-01 11:00"), "return", Decimal(-1))],
    ),
    "fair": Example(
        _fair,
        ("customer_id", "transaction_at", "quantity_units", "line_amount"),
        [("7", NOON, 2, Decimal("5.1")), ("8", _at("2024-03-01"), 1, Decimal(4))],
    ),
    "market": Example(
        _market,
        ("customer_id", "transaction_at", "quantity_units", "line_amount"),
        [("7", NOON, 2, Decimal("5.1")), ("8", _at("2024-03-01"), 1, Decimal(4))],
    ),
    "received": Example(
        _received,
        ("customer_id", "order_id", "transaction_date", "line_amount"),
        [("7", f"A{day}", date(2024, 4, day), Decimal("2.55")) for day in (1, 2, 3, 4)],
    ),
    "branches": Example(
        _branches,
        ("customer_id", "order_id", "transaction_date", "line_amount"),
        [("7", name, DAY, Decimal("2.55")) for name in ("berlin/sales-01", "rome/sales-02")],
    ),
    "till": Example(
        _till,
        ("customer_id", "order_id", "transaction_date", "line_amount"),
        [("7", "A1", DAY, Decimal("2.55")), (None, "A2", DAY, Decimal(4))],
    ),
    "kiosk": Example(
        _kiosk,
        ("customer_id", "order_id", "transaction_at", "line_amount"),
        [("7", "A1", NOON, Decimal("2.55"))],
    ),
    "warehouse": Example(
        _warehouse,
        ("customer_id", "order_id", "transaction_at", "line_amount"),
        [("7", "A1", NOON, Decimal("2.55"))],
    ),
    "people": Example(
        _people,
        ("customer_id", "valid_from_date", "country", "birth_date", "consents", "attributes"),
        [("7", DAY, "DE", date(1980, 2, 29), {"email": True, "phone": False},
          {"loyalty_level": "gold", "household_size": "2"}),
         ("8", None, None, None, {"email": False}, {})],
        CUSTOMERS,
    ),
    "catalogue": Example(
        _catalogue,
        ("product_id", "description", "brand", "category_levels"),
        [("mug", "Blue mug", "Acme", ["Kitchen", None, "Mugs"])],
        PRODUCTS,
    ),
    "newsletter": Example(
        _newsletter,
        ("customer_id", "event_type", "event_at", "campaign_id"),
        [("7", "email_open", NOON, "spring"), ("7", "email_open", NOON, None)],
        CUSTOMER_EVENTS,
    ),
    "redemptions": Example(
        _redemptions,
        ("customer_id", "event_type", "event_date", "campaign_id", "attributes"),
        [("7", "redemption", DAY, "spring", {"coupon": "9"})],
        CUSTOMER_EVENTS,
    ),
    "store": Example(
        _store,
        ("customer_id", "order_id", "line_kind", "line_amount", "flags"),
        [("C7", "A1", "sale", Decimal(3), []),
         ("C7", "A2", "sale", Decimal(201), ["reseller"]),
         (None, "A3", "sale", Decimal(1001), ["sane_quantity"]),
         (None, "A4", "sale", Decimal(1), ["one_line_per_article"]),
         (None, "A4", "sale", Decimal(2), ["one_line_per_article"]),
         ("C8", "C8 2024-03-01", "sale", Decimal(4), []),
         ("C8", "C5", "cancellation", Decimal(-4), []),
         ("C8", "A5", "postage", Decimal(5), []),
         ("C8", "A5", "voucher", Decimal(20), []),
         *((None, f"G{n}", "sale", Decimal(4), []) for n in range(BUSY_DAY_LINES)),
         *((f"N{n}", f"N{n}", "sale", Decimal(4), []) for n in range(OTHER_BUYERS))],
        rejected=503,
    ),
    "abroad": Example(
        _abroad,
        ("customer_id", "source_currency", "exchange_rate", "line_amount"),
        [("7", "USD", Decimal("0.9"), Decimal(9)), ("8", "GBP", Decimal("1.25"), Decimal("12.5")),
         ("9", "EUR", Decimal(1), Decimal(10))],
    ),
    "days": Example(
        _days,
        ("customer_id", "order_id", "transaction_date", "product_id", "line_amount"),
        [("7", "A1", DAY, "mug", Decimal("2.55")),
         ("7", "A2", date(2024, 3, 2), "mug", Decimal("2.55"))],
    ),
}  # fmt: skip
"""By the source's name; `erp` needs a server and has a test of its own."""
