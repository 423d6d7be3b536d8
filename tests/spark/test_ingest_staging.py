"""Staged rows are the parsed ones, although some of their columns are not written."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import orc
from pyspark.sql import DataFrame, SparkSession

from segspark.errors import IngestError
from segspark.ingest.books.batches import Batch
from segspark.ingest.books.lines import STAGED_ROW
from segspark.ingest.files.contents import Content
from segspark.ingest.parsing.exchange import read_rates
from segspark.ingest.parsing.implied import implied_columns
from segspark.ingest.parsing.rows import parse_rows
from segspark.ingest.reading import row_files
from segspark.pipeline.ingest import ingest
from segspark.pipeline.intake import Intake
from segspark.pipeline.staging import implied_by, stage_rows
from segspark.settings.sources import Source
from segspark.tables.purchases import REJECTED_TRANSACTIONS, TRANSACTIONS
from tests.builders import table
from tests.purchases import (
    DELIVERED_AT,
    PRICED,
    checked,
    csv_file,
    parsed,
    source,
    values,
    workspace,
)
from tests.readables import file_source, only_frame

RAW = "who string, at string, order string, what string, units string, price string, more string"
ROWS = (
    ("7", "2026-01-05", "A1", "mug", "2", "1.50", "USD"),
    ("8", "2026-01-05", None, None, "-1", "99999999999999", "EUR"),
    (None, "yesterday", "A2", "cup", "many", "99999999999999999999", None),
)
ALWAYS = {"source", "currency"}
OWN_MONEY = {"source_currency", "exchange_rate", "source_unit_price_amount"}
ENTITIES: dict[str, dict[str, Any]] = {
    "customers": {"entity": "customers", "columns": {"customer_id": "who"}},
    "products": {"entity": "products", "columns": {"product_id": "what"}},
    "events": {
        "entity": "events",
        "event_type": "visit",
        "columns": {"customer_id": "who", "event_at": "at"},
    },
}


def check(
    raw: DataFrame,
    folder: Path,
    settings: Source,
    expected: set[str],
    rates: DataFrame | None = None,
) -> None:
    """Rows come back from staging as they went, without these columns on the disk."""
    rows = parsed(raw, settings, rates=rates)
    implied = implied_columns(settings, name="shop", currency="EUR")
    assert set(implied) == expected

    place = folder / "staged"
    staged = stage_rows(rows, str(place), implied=implied)

    written = raw.sparkSession.read.parquet(str(place)).columns
    assert set(written) == {*rows.columns, STAGED_ROW} - expected
    assert [(f.name, f.dataType) for f in staged.drop(STAGED_ROW).schema] == [
        (f.name, f.dataType) for f in rows.schema
    ]
    assert values(staged, *rows.columns) == values(rows, *rows.columns)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (
            {},
            {*ALWAYS, *OWN_MONEY, "discount_amount", "description", "country", "store_id"},
        ),
        (
            {"columns": {**PRICED, "discounts": ["more"]}},
            {*ALWAYS, *OWN_MONEY, "description", "country", "store_id"},
        ),
        (
            {"columns": {**PRICED, "currency": "more", "country": "what"}},
            {*ALWAYS, "description", "store_id"},
        ),
        (
            {"columns": {"customer_id": "who", "transaction_at": "at", "line_amount": "price"}},
            {
                *ALWAYS,
                *OWN_MONEY,
                "discount_amount",
                "product_id",
                "description",
                "country",
                "store_id",
            },
        ),
        (
            {"columns": {**PRICED, "discounts": ["more"]}, "discounts_deducted": False},
            {*ALWAYS, *OWN_MONEY, "description", "country", "store_id"},
        ),
    ],
    ids=[
        "in the lake's currency",
        "with discounts",
        "each line in its currency",
        "barely mapped",
        "discounts to deduct",
    ],
)
def test_a_source_of_purchases_is_staged_without_what_its_settings_tell(
    spark: SparkSession, tmp_path: Path, changed: dict[str, Any], expected: set[str]
) -> None:
    check(table(spark, RAW, *ROWS), tmp_path, source(**changed), expected)


@pytest.mark.parametrize(
    ("currency", "own_money"),
    [("USD", {"source_currency"}), ("EUR", {*OWN_MONEY, "discount_amount"})],
)
def test_amounts_of_a_source_with_rates_are_staged_as_far_as_they_need_them(
    spark: SparkSession, tmp_path: Path, currency: str, own_money: set[str]
) -> None:
    file = tmp_path / "rates.csv"
    file.write_text("rate_date,currency,rate\n2026-01-05,USD,0.9\n")
    settings = source(currency=currency, exchange_rates=str(file))
    rates = read_rates(spark, str(file), most_age_days=3)
    expected = {*ALWAYS, *own_money, "description", "country", "store_id"}
    check(table(spark, RAW, *ROWS), tmp_path, settings, expected, rates=rates)


@pytest.mark.parametrize("entity", list(ENTITIES))
def test_other_entities_are_staged_without_the_name_of_their_source(
    spark: SparkSession, tmp_path: Path, entity: str
) -> None:
    settings = checked({"location": "x.csv", "format": {"kind": "csv"}, **ENTITIES[entity]})
    check(table(spark, RAW, *ROWS), tmp_path, settings, {"source"})


def large_file(path: Path, kind: str) -> dict[str, Any]:
    """Write 4,000 lines, of customers 10000 and on; returns the format that reads them."""
    customers = [str(10_000 + number) for number in range(4000)]
    lines = pa.table({"who": customers, "at": ["2026-01-05"] * 4000, "paid": ["1.50"] * 4000})
    if kind == "parquet":
        pq.write_table(lines, path, row_group_size=200)
    elif kind == "orc":
        orc.write_table(lines, path, batch_size=200, stripe_size=1024)
    elif kind == "json":
        path.write_text("".join(f"{json.dumps(row)}\n" for row in lines.to_pylist()))
    elif kind == "csv":
        csv_file(path, *(f"{who},2026-01-05,1.50" for who in customers), header="who,at,paid")
    else:
        path.write_text("".join(f"{who} 2026-01-05 1.50\n" for who in customers))
        return {"kind": kind, "fields": {"who": [1, 5], "at": [7, 16], "paid": [18, 21]}}
    return {"kind": kind}


@pytest.mark.usefixtures("small_splits")
@pytest.mark.parametrize("kind", ["csv", "json", "fixed_width", "parquet", "orc"])
def test_a_file_larger_than_a_split_is_staged_by_several_tasks_and_each_row_once(
    spark: SparkSession, tmp_path: Path, kind: str
) -> None:
    file = tmp_path / "large"
    settings = file_source(file, large_file(file, kind))
    raw = only_frame(spark, settings, tmp_path / "staging")
    rows = parse_rows(raw, name="shop", source=settings, currency="EUR")

    staged = stage_rows(rows, str(tmp_path / "staged"), implied={})

    counts = [pq.read_metadata(part).num_rows for part in (tmp_path / "staged").glob("*.parquet")]
    assert sum(count > 0 for count in counts) > 2
    assert sum(counts) == 4000
    assert values(staged, "customer_id") == [(str(10_000 + number),) for number in range(4000)]


@pytest.mark.usefixtures("spark")
@pytest.mark.parametrize(("names", "is_implied"), [(["may"], True), (["may", "june"], False)])
def test_only_rows_of_one_batch_are_staged_without_it(
    names: list[str], *, is_implied: bool
) -> None:
    batches = [Batch(name, name, name) for name in names]
    contents = {name: Content(name, name, DELIVERED_AT) for name in names}
    found = implied_by(Intake("shop", source(), batches, contents), currency="EUR")
    assert ("batch_id" in found) is is_implied


@pytest.mark.parametrize(
    ("files", "per", "batches"), [(1, "file", 1), (3, "file", 3), (3, "folder", 1)]
)
def test_rows_know_their_batch_and_file_however_many_came(
    spark: SparkSession, tmp_path: Path, files: int, per: str, batches: int
) -> None:
    names = [f"{n}.csv" for n in range(files)]
    for name in names:
        csv_file(tmp_path / "in" / name, f"7,2026-01-05,{name},mug,2,1.5",
                 *(f"{n},2026-01-05,A{n},mug,1,1" for n in range(30)),
                 f"8,2026-01-05,{name},mug,2,free")  # fmt: skip
    shop = {**SHOP, "location": str(tmp_path / "in"), "one_batch_per": per}
    lake = workspace(spark, tmp_path / "lake", {"shop": shop})
    ingest(lake)

    bought = lake.lake.read(TRANSACTIONS).filter("order_id LIKE '%.csv'")
    refused = lake.lake.read(REJECTED_TRANSACTIONS)
    assert values(refused, "file_name") == [(name,) for name in names]
    assert [name for name, _ in values(bought, "order_id", "batch_id")] == names
    assert len({batch for _, batch in values(bought, "order_id", "batch_id")}) == batches


def test_a_row_of_a_file_that_nobody_knows_stops_the_staging(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a store spells a path in another way for rows than for the list of files."""
    for name in ("a", "b"):
        csv_file(tmp_path / "in" / f"{name}.csv", f"7,2026-01-05,{name},mug,2,1.5")
    frame = type(spark.range(1))
    listed = frame.inputFiles
    monkeypatch.setattr(frame, "inputFiles", lambda df: [uri + "%20" for uri in listed(df)])
    monkeypatch.setattr(row_files, "place_of", lambda uri: ("", uri.strip().rpartition("/")[2]))
    shop = {**SHOP, "location": str(tmp_path / "in"), "one_batch_per": "folder"}
    with pytest.raises(IngestError, match=r"a row of an unknown file: file:.*csv"):
        ingest(workspace(spark, tmp_path / "lake", {"shop": shop}))


SHOP = {
    "format": {"kind": "csv"},
    "currency": "EUR",
    "columns": PRICED,
    "most_rejected_ratio": 0.2,
}
