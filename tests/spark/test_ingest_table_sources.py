"""Delta tables are read at one version, whole or in slices by a column that grows."""

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from segspark.errors import IngestError
from segspark.ingest.reading.table_sources import (
    highest_watermark,
    open_table,
    rows_above,
    table_version,
)
from segspark.settings.formats import DeltaFormat
from segspark.settings.mapping import TransactionColumns
from segspark.settings.sources import TransactionSource
from tests.builders import table

COLUMNS = TransactionColumns(customer_id="customer", transaction_at="at", line_amount="amount")
STAMP = "2024-03-10 02:30:00.123456"


def _source(folder: Path) -> TransactionSource:
    known = DeltaFormat(kind="delta")
    return TransactionSource(location=str(folder), format=known, columns=COLUMNS, currency="EUR")


def _append(spark: SparkSession, folder: Path, *rows: tuple[object, ...]) -> None:
    table(spark, "id int, note string", *rows).coalesce(1).write.format("delta").mode(
        "append"
    ).save(str(folder))


def test_a_table_is_read_at_its_version_whatever_is_written_meanwhile(
    spark: SparkSession, tmp_path: Path
) -> None:
    source = _source(tmp_path / "orders")
    _append(spark, tmp_path / "orders", (1, "first"))
    version = table_version(spark, source, name="shop")
    rows = open_table(spark, source, name="shop", version=version)
    _append(spark, tmp_path / "orders", (2, "second"))
    assert version == 0
    assert rows.collect() == [(1, "first")]
    assert table_version(spark, source, name="shop") == 1
    assert open_table(spark, source, name="shop").count() == 2


def test_slices_cut_a_growing_delta_table_exactly(spark: SparkSession, tmp_path: Path) -> None:
    source = _source(tmp_path / "orders")
    low: str | None = None
    slices = []
    for rows in ([(1, "a"), (9, "b")], [(10, "c")], [(100, "d"), (11, "e")]):
        _append(spark, tmp_path / "orders", *rows)
        found = open_table(spark, source, name="shop")
        high = highest_watermark(found, "id", name="shop", low=low)
        part = rows_above(found, "id", name="shop", low=low, high=high)
        slices.append((high, sorted(row["note"] for row in part.collect())))
        low = high
    assert slices == [("9", ["a", "b"]), ("10", ["c"]), ("100", ["d", "e"])]


@pytest.mark.parametrize(
    ("dtype", "lower", "higher"),
    [
        ("bigint", "9", "10"),
        ("decimal(18,4)", "9.0000", "10.0001"),
        ("decimal(38,18)", "0.000000000000000000", "0.000000000000000001"),
        ("date", "1999-12-31", "2024-02-29"),
        ("timestamp", "2024-03-10 02:30:00", STAMP),
        ("timestamp_ntz", "2024-03-10 02:30:00", STAMP),
        ("string", " it's 10%", " it's 9%\\'"),
    ],
)
def test_a_watermark_of_each_type_is_read_back_exactly(
    spark: SparkSession, dtype: str, lower: str, higher: str
) -> None:
    texts = table(spark, "mark string", (lower,), (higher,))
    rows = texts.select(texts["mark"].cast(dtype).alias("mark"))
    high = highest_watermark(rows, "mark", name="shop")
    low_rows = rows_above(rows, "mark", name="shop", low=None, high=lower)
    high_rows = rows_above(rows, "mark", name="shop", low=lower, high=high)
    kept = [part.select(part["mark"].cast("string")).collect() for part in (low_rows, high_rows)]
    assert kept == [[(lower,)], [(higher,)]]
    assert rows_above(rows, "mark", name="shop", low=high, high=None).isEmpty()


def test_a_table_without_rows_has_no_watermark(spark: SparkSession) -> None:
    assert highest_watermark(table(spark, "id int"), "id", name="shop") is None


def test_rows_without_a_watermark_are_counted_and_refused(spark: SparkSession) -> None:
    rows = table(spark, "id int", (1,), (None,), (None,))
    with pytest.raises(IngestError, match=r"^source shop: 2 row\(s\) have no value in .* id and"):
        highest_watermark(rows, "id", name="shop", low="5")


@pytest.mark.parametrize(
    ("column", "sentence"),
    [
        ("Id", "there is no column Id; there are id, share: correct sources.shop.format."),
        ("share", "the watermark column share is double: name one of whole numbers"),
    ],
)
def test_a_column_that_cannot_be_a_watermark_is_refused(
    spark: SparkSession, column: str, sentence: str
) -> None:
    rows = table(spark, "id int, share double", (1, 0.5))
    for ask in (
        lambda: highest_watermark(rows, column, name="shop"),
        lambda: rows_above(rows, column, name="shop", low=None, high="1"),
    ):
        with pytest.raises(IngestError) as refused:
            ask()
        assert sentence in str(refused.value)


def test_a_folder_without_a_delta_table_is_one_sentence(
    spark: SparkSession, tmp_path: Path
) -> None:
    source = _source(tmp_path / "none")
    for ask in (table_version, open_table):
        with pytest.raises(IngestError) as refused:
            ask(spark, source, name="shop")
        sentence = str(refused.value)
        assert sentence.startswith(f"source shop: table {tmp_path}/none: ")
        assert sentence.endswith(": check sources.shop.location")
        assert "\n" not in sentence
