"""Figures of batches: what is counted, and in how many Spark jobs."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T

from segspark.ingest.parsing.rows import ENTITIES
from segspark.ingest.quality import profile
from segspark.ingest.quality.figures import Figure
from segspark.ingest.quality.profile import profile_batches
from segspark.tables.contract import TableContract
from segspark.tables.entities import CUSTOMER_EVENTS, CUSTOMERS, PRODUCTS
from segspark.tables.purchases import TRANSACTIONS

DEFAULTS: dict[type[T.DataType], Any] = {
    T.StringType: "x",
    T.DateType: date(2024, 1, 1),
    T.TimestampType: datetime(2024, 1, 1, 12, tzinfo=UTC),
    T.IntegerType: 12,
    T.DecimalType: Decimal(1),
    T.ArrayType: [],
    T.MapType: {},
}


def rows_of(spark: SparkSession, contract: TableContract, *rows: dict[str, Any]) -> DataFrame:
    """Staged rows: what a test does not say is NULL where it may be, else a default."""
    columns = [column for column in contract.columns if column.name != "copies_count"]
    schema = T.StructType([column.struct_field for column in columns])
    filled = [
        tuple(
            row.get(c.name, None if c.nullable else "a" if c.name == "batch_id"
                    else DEFAULTS[type(c.dtype)])
            for c in columns
        )
        for row in rows
    ]  # fmt: skip
    return spark.createDataFrame(filled, schema)


def figures_of(
    kept: DataFrame, contract: TableContract = TRANSACTIONS, batches: Sequence[str] = ("a",)
) -> dict[tuple[str, ...], Figure]:
    """Figures by batch, metric and column."""
    entity = next(entity for entity in ENTITIES.values() if entity.kept is contract)
    found = profile_batches(
        kept,
        entity,
        columns=dict.fromkeys(batches, ("who", "when")),
        refused=dict.fromkeys(batches, 0.25),
    )
    keys = [(figure.batch_id, figure.metric, figure.column_name) for figure in found]
    assert len(set(keys)) == len(keys), "the grain of ingest_quality"
    return dict(zip(keys, found, strict=True))


def test_numbers_completeness_and_ranges_are_counted_for_each_batch(spark: SparkSession) -> None:
    kept = rows_of(
        spark,
        TRANSACTIONS,
        {"customer_id": "ann", "line_amount": Decimal(10), "line_kind": "sale"},
        {"customer_id": "ben", "line_amount": Decimal(20), "line_kind": "sale"},
        {"line_amount": Decimal(-6), "line_kind": "return", "flags": ["odd"]},
        {"customer_id": "ann", "line_amount": Decimal(0), "line_kind": "sample"},
        {"batch_id": "b", "transaction_date": date(2024, 3, 1)},
    )

    found = figures_of(kept, batches=("b", "a"))

    expected = {
        ("a", "rows", ""): 4,
        ("b", "rows", ""): 1,
        ("a", "completeness", "customer_id"): 0.75,
        ("b", "completeness", "customer_id"): 0,
        ("a", "distinct", "customer_id"): 2,
        ("a", "mean", "line_amount"): 6,
        ("a", "least", "line_amount"): -6,
        ("a", "most", "line_amount"): 20,
        ("a", "share", "line_amount < 0"): 0.25,
        ("a", "share", "line_kind = sale"): 0.5,
        ("a", "share", "line_kind = fee"): 0,
        ("a", "share", "flags"): 0.25,
        ("a", "refused", ""): 0.25,
        ("a", "columns", ""): 2,
        ("b", "mean_error", "line_amount"): 0,
        ("b", "mean", "unit_price_amount"): None,
    }
    assert {key: found[key].value for key in expected} == expected
    assert found["a", "mean_error", "line_amount"].value == pytest.approx(
        (130.667 / 4) ** 0.5, 1e-3
    )
    assert found["b", "most", "transaction_date"].text_value == "2024-03-01"
    assert found["b", "most", "transaction_date"].value is None
    assert next(iter(found))[0] == "b"


def test_the_volume_is_the_median_of_each_weekday(spark: SparkSession) -> None:
    rows = [(1, 2), (8, 4), (15, 6), (2, 1), (16, 3)]
    kept = rows_of(
        spark,
        TRANSACTIONS,
        *({"transaction_date": date(2024, 1, day)} for day, count in rows for _ in range(count)),
    )

    found = figures_of(kept)

    assert found["a", "volume", "Monday"].value == 4
    assert found["a", "volume", "Tuesday"].value == 1
    assert found["a", "volume", "Sunday"].value == 0


def test_an_entity_without_days_has_one_volume(spark: SparkSession) -> None:
    kept = rows_of(
        spark,
        PRODUCTS,
        {"product_id": "a", "brand": "acme", "category_levels": [None, "toys"]},
        {"product_id": "b", "category_levels": [None]},
    )

    found = figures_of(kept, PRODUCTS)

    assert found["a", "volume", ""].value == 2
    assert found["a", "completeness", "category_levels"].value == 0.5
    assert found["a", "completeness", "attributes"].value == 0


def test_values_of_categories_and_flags_are_listed_with_their_rows(spark: SparkSession) -> None:
    kept = rows_of(
        spark,
        TRANSACTIONS,
        {"country": "FR", "flags": ["odd", "late"]},
        {"country": "GB", "flags": ["late"]},
        {"country": "GB"},
        {"batch_id": "b", "country": "DE"},
    )

    found = figures_of(kept, batches=("a", "b"))

    def known(batch: str, column: str) -> list[tuple[str, int]]:
        text = json.loads(found[batch, "new_values", column].text_value or "")
        return list(text["known"].items())

    assert known("a", "country") == [("GB", 2), ("FR", 1)]
    assert known("a", "flags") == [("late", 2), ("odd", 1)]
    assert known("a", "store_id") == []
    assert known("b", "country") == [("DE", 1)]


def test_a_column_of_many_values_is_not_listed(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profile, "MOST_VALUES", 3)
    many = [{"store_id": f"s{n}", "country": f"c{n % 3}"} for n in range(40)]
    other = {"batch_id": "b", "store_id": "s1"}

    found = figures_of(rows_of(spark, TRANSACTIONS, *many, other), batches=("a", "b"))

    assert ("a", "new_values", "store_id") not in found
    assert ("a", "new_values", "country") in found
    assert ("b", "new_values", "store_id") in found


def test_of_very_many_days_those_with_the_most_rows_are_collected(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profile, "MOST_DAYS", 1)
    days = [date(2024, 1, 1), date(2024, 1, 2), date(2024, 1, 2)]
    kept = rows_of(spark, TRANSACTIONS, *({"transaction_date": day} for day in days))

    volumes = {key[2]: f.value for key, f in figures_of(kept).items() if key[1] == "volume"}

    assert volumes == {"Tuesday": 2}


def test_a_batch_without_a_kept_row_has_its_refusals_and_columns(spark: SparkSession) -> None:
    found = figures_of(rows_of(spark, TRANSACTIONS), batches=("none",))

    assert {key[1]: figure.value for key, figure in found.items()} == {
        "rows": 0, "refused": 0.25, "columns": 2
    }  # fmt: skip


def test_days_of_birth_are_not_written_into_the_figures(spark: SparkSession) -> None:
    kept = rows_of(spark, CUSTOMERS, {"birth_date": date(1931, 5, 6), "consents": {"email": True}})

    found = figures_of(kept, CUSTOMERS)

    assert "1931" not in str(found.values())
    assert found["a", "completeness", "birth_date"].value == 1
    assert found["a", "completeness", "consents"].value == 1


@pytest.fixture(scope="module")
def jobs_of_transactions(spark: SparkSession) -> int:
    return jobs(spark, TRANSACTIONS)


def jobs(spark: SparkSession, contract: TableContract, batches: int = 1) -> int:
    """Spark jobs that profiling takes."""
    kept = rows_of(spark, contract, *({"batch_id": f"b{n}"} for n in range(batches)))
    group = f"{contract.name} {batches}"
    spark.sparkContext.setJobGroup(group, "profiling")
    try:
        figures_of(kept, contract, [f"b{n}" for n in range(batches)])
    finally:
        spark.sparkContext.setJobGroup("other tests", "")
    return len(spark.sparkContext.statusTracker().getJobIdsForGroup(group))


def test_the_jobs_do_not_grow_with_the_batches(
    spark: SparkSession, jobs_of_transactions: int
) -> None:
    assert 0 < jobs_of_transactions <= 12
    assert jobs(spark, TRANSACTIONS, batches=7) == jobs_of_transactions


def test_the_jobs_do_not_grow_with_the_columns(
    spark: SparkSession, jobs_of_transactions: int
) -> None:
    assert len(CUSTOMER_EVENTS.columns) < len(TRANSACTIONS.columns)
    assert jobs(spark, CUSTOMER_EVENTS) == jobs_of_transactions
