"""Online Retail as CSV, ZIP, Parquet and Excel: the same lines, books, kinds and quirks."""

import json
import os
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from segspark.pipeline.holdings import current_batches
from segspark.pipeline.ingest import ingest
from segspark.pipeline.progress import Progress
from segspark.pipeline.stage import Workspace
from segspark.settings.formats import CsvFormat, ExcelFormat, FileFormat, ParquetFormat
from segspark.settings.loading import load_settings
from segspark.tables.ingested import INGEST_BATCHES
from segspark.tables.lake import Lake
from segspark.tables.purchases import TRANSACTIONS

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("SEGSPARK_DATA", ROOT / ".." / "shared" / "data")).resolve()
FOLDER = DATA / "online_retail"
KNOWN = json.loads((ROOT / "tests" / "known_answers" / "rfm.json").read_text(encoding="utf-8"))
FORMS = ("csv", "zip", "parquet", "excel")
OF_ONE_FORM = {"batch_id", "source", "line_id"}
"""Where a line came from, and the hash of the texts that it came in."""
BOOKS = [
    column.name
    for column in INGEST_BATCHES.columns
    if column.name.endswith(("_row_count", "_amount")) or column.name in {"first_date", "last_date"}
]

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"no Online Retail in {DATA}: name its parent in SEGSPARK_DATA"
)


@pytest.fixture(scope="module")
def taken_in(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """One lake of four sources, which differ in nothing but the place and the kind of file."""
    folder = tmp_path_factory.mktemp("forms")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEGSPARK_LAKE", str(folder / "lake"))
        settings = load_settings(ROOT / "conf" / "online_retail.yml")
        configured = settings.sources["online_retail"]
        forms = {
            name: configured.model_copy(update={"location": str(path), "format": file_format})
            for name, (path, file_format) in _forms(folder).items()
        }
        work = Workspace(
            settings.model_copy(update={"sources": forms}),
            Lake.open(spark, settings.lake),
            Progress(),
        )
        ingest(work)
        yield work


def _forms(folder: Path) -> dict[str, tuple[Path, FileFormat]]:
    packed = FOLDER / "online_retail.zip"
    with zipfile.ZipFile(packed) as archive:
        plain = Path(archive.extract("online_retail.csv", folder))
    return {
        "csv": (plain, CsvFormat(kind="csv")),
        "zip": (packed, CsvFormat(kind="csv")),
        "parquet": (FOLDER / "online_retail.parquet", ParquetFormat(kind="parquet")),
        "excel": (_workbook(folder / "online_retail.xlsx"), ExcelFormat(kind="excel")),
    }


def _workbook(path: Path) -> Path:
    """All rows in one sheet, as the UCI publishes them: dates and digits are no texts there."""
    lines = pq.read_table(FOLDER / "online_retail.parquet")
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Online Retail")
    sheet.append(lines.column_names)
    columns = [map(_cell, column.to_pylist()) for column in lines.columns]
    for row in zip(*columns, strict=True):
        sheet.append(row)
    book.save(path)
    return path


def _cell(value: Any) -> Any:  # noqa: ANN401 - whatever a cell may hold
    return int(value) if isinstance(value, str) and value.isdecimal() else value


@pytest.fixture(scope="module")
def lines(taken_in: Workspace) -> DataFrame:
    return taken_in.lake.read(TRANSACTIONS)


@pytest.fixture(scope="module")
def books(taken_in: Workspace) -> dict[str, Row]:
    """Source → its only batch."""
    return {row["source"]: row for row in current_batches(taken_in)}


def _rows_that_differ(lines: DataFrame) -> DataFrame:
    """Lines that not all forms have equally often: EXCEPT ALL of each pair, in one go."""
    columns = [name for name in lines.columns if name not in OF_ONE_FORM]
    counts = [F.count_if(F.col("source") == form).alias(f"in_{form}") for form in FORMS]
    are_equal = [F.col(f"in_{form}") == F.col(f"in_{FORMS[0]}") for form in FORMS]
    return lines.groupBy(*columns).agg(*counts).filter(~F.forall(F.array(*are_equal), lambda x: x))


def test_all_forms_give_the_same_lines(lines: DataFrame) -> None:
    assert _rows_that_differ(lines).limit(5).collect() == []

    kept = KNOWN["raw"]["rows"] - KNOWN["raw"]["exact_dup_rows_extra"]
    counted = {row["source"]: row["count"] for row in lines.groupBy("source").count().collect()}
    assert counted == dict.fromkeys(FORMS, kept)


@pytest.mark.parametrize("form", FORMS)
def test_the_books_of_each_form_are_the_published_totals(books: dict[str, Row], form: str) -> None:
    raw = KNOWN["raw"]
    mine = books[form]
    assert (mine["in_row_count"], mine["rejected_row_count"]) == (raw["rows"], 0)
    assert mine["duplicate_row_count"] == raw["exact_dup_rows_extra"]
    assert mine["in_amount"] == Decimal(raw["sum_qty_x_price_all_rows_exact"])
    assert [mine[name] for name in BOOKS] == [books["csv"][name] for name in BOOKS]


@pytest.fixture(scope="module")
def zipped(lines: DataFrame) -> DataFrame:
    """The lines of one form; the others have the same."""
    return lines.filter(F.col("source") == "zip")


def test_every_kind_of_line_is_as_often_there_as_the_published_rows_say(
    zipped: DataFrame,
) -> None:
    raw = KNOWN["raw"]
    kinds = zipped.groupBy("line_kind").agg(F.sum("copies_count"), F.count("customer_id"))
    found = {row[0]: (row[1], row[2]) for row in kinds.collect()}
    assert {kind: found[kind][0] for kind in ("cancellation", "adjustment")} == {
        "cancellation": raw["C_rows"],
        "adjustment": raw["A_rows"],
    }
    # Negative without a C: damaged or lost, of no customer, at no price.
    assert found["write_off"] == (raw["qty_neg_not_C"], 0)
    assert found["sample"][0] == raw["price_zero"] - raw["qty_neg_not_C"]
    assert "return" not in found
    assert sum(rows for rows, _ in found.values()) == raw["rows"]


def test_the_adjustments_carry_their_money_and_write_offs_none(zipped: DataFrame) -> None:
    money = zipped.groupBy("line_kind").agg(F.sum("line_amount"))
    found = {row[0]: row[1] for row in money.collect()}
    # One of +11,062.06 and two of -11,062.06.
    assert found["adjustment"] == Decimal(str(KNOWN["raw"]["price_min"])) == Decimal("-11062.06")
    assert found["write_off"] == found["sample"] == 0


def test_codes_that_are_no_products_are_there_and_are_fees_postage_and_vouchers(
    zipped: DataFrame,
) -> None:
    published = KNOWN["raw"]["nonproduct_stock_codes_rows"]
    rows = zipped.filter(F.col("product_id").isin(list(published))).groupBy("product_id")
    counted = rows.agg(F.sum("copies_count"), F.collect_set("line_kind")).collect()
    assert {row[0]: row[1] for row in counted} == published
    # Cancelled, adjusted and free lines are of those kinds whatever their code.
    others = {"cancellation", "adjustment", "write_off", "sample"}
    found = {row[0]: set(row[2]) - others for row in counted}
    fees = dict.fromkeys(["M", "m", "C2", "S", "AMAZONFEE", "BANK CHARGES"], "fee")
    vouchers = {code: "voucher" for code in published if code.startswith("gift_")}
    expected = {**fees, **vouchers, "POST": "postage", "DOT": "postage"}
    not_sold = {code: kinds for code, kinds in found.items() if kinds - {"sale"}}
    assert not_sold == {code: {kind} for code, kind in expected.items()}
    # Of discounts, adjustments and the charity's card nothing but their own kind is left.
    assert {code for code in ("D", "B", "CRUK") if found[code]} == set()


def test_invoices_of_several_minutes_and_customers_of_several_countries_stay_one(
    zipped: DataFrame,
) -> None:
    raw = KNOWN["raw"]
    buyers = zipped.filter("customer_id IS NOT NULL")
    for key, value, lines, published in (
        ("order_id", "transaction_at", zipped, raw["invoices_with_gt1_timestamp"]),
        ("order_id", "customer_id", zipped, raw["invoices_with_gt1_customer"]),
        ("customer_id", "country", buyers, raw["customers_with_gt1_country"]),
    ):
        values = lines.groupBy(key).agg(F.count_distinct(value).alias("values"))
        assert values.filter("values > 1").count() == published


def test_codes_that_differ_by_case_and_tenths_of_pennies_are_kept_and_outer_spaces_are_not(
    zipped: DataFrame,
) -> None:
    raw = KNOWN["raw"]
    price, copies = F.col("unit_price_amount"), F.col("copies_count")
    row = zipped.agg(
        F.sum(F.when(F.col("product_id").rlike("[a-z]"), copies)),
        F.count_distinct("product_id"),
        F.count_distinct(F.upper("product_id")),
        F.sum(F.when(price != F.round(price, 2), copies)),
        F.count_if(F.col("description") != F.trim("description")),
    ).collect()[0]
    assert (row[0], row[1]) == (raw["lowercase_stock_letter_rows"], raw["stock_codes"])
    # 112 codes such as 85123A are also there as 85123a.
    assert row[2] == raw["stock_codes"] - 112
    assert (row[3], row[4]) == (raw["price_with_3plus_decimals"], 0)


def test_the_largest_order_is_a_sale_and_its_cancellation_twelve_minutes_later(
    zipped: DataFrame,
) -> None:
    largest = zipped.filter(F.abs("quantity_units") == KNOWN["raw"]["qty_max"])
    bought, cancelled = largest.orderBy("transaction_at").collect()
    assert [row["line_kind"] for row in (bought, cancelled)] == ["sale", "cancellation"]
    assert (bought["quantity_units"], cancelled["quantity_units"]) == (80995, -80995)
    assert cancelled["transaction_at"] - bought["transaction_at"] == timedelta(minutes=12)
