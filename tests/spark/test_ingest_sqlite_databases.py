"""SQLite knows no types but those of each value, so its tables are read as texts."""

import sqlite3
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from segspark.ingest.reading.table_sources import (
    highest_watermark,
    open_table,
    rows_above,
    table_version,
)
from tests.databases import database_source, refusal, rows_of


@pytest.fixture
def sqlite_file(tmp_path: Path) -> Path:
    """Orders as SQLite lets them be: dates are texts, and a text stands among the numbers."""
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as database:
        database.executescript("""
            CREATE TABLE orders (id INTEGER, day DATE, at TIMESTAMP, amount DECIMAL(10, 2));
            INSERT INTO orders VALUES (3000000001, '2024-01-05', '2024-01-05 10:00:00', 19.99),
                (3000000002, '2024-01-06', '2024-01-06T11:00:00Z', 'unknown');
        """)
    database.close()
    return path


def test_sqlite_gives_every_value_as_it_is_written(spark: SparkSession, sqlite_file: Path) -> None:
    table = open_table(spark, database_source(f"jdbc:sqlite:{sqlite_file}"), name="shop")
    assert rows_of(table) == [
        ("3000000001", "2024-01-05", "2024-01-05 10:00:00", "19.99"),
        ("3000000002", "2024-01-06", "2024-01-06T11:00:00Z", "unknown"),
    ]


@pytest.mark.parametrize(("column", "low"), [("id", "3000000001"), ("day", "2024-01-05")])
def test_sqlite_is_read_in_slices(
    spark: SparkSession, sqlite_file: Path, column: str, low: str
) -> None:
    source = database_source(f"jdbc:sqlite:{sqlite_file}", watermark_column=column)
    table = open_table(spark, source, name="shop")
    high = highest_watermark(table, column, name="shop", low=low)
    assert high == {"id": "3000000002", "day": "2024-01-06"}[column]
    found = rows_above(table, column, name="shop", low=low, high=high).select("day").collect()
    assert found == [("2024-01-06",)]


def test_sqlite_is_read_in_parts_by_a_whole_number(spark: SparkSession, sqlite_file: Path) -> None:
    source = database_source(f"jdbc:sqlite:{sqlite_file}", partition_column="id", partitions=2)
    table = open_table(spark, source, name="shop")
    assert [len(part) for part in table.rdd.glom().collect()] == [1, 1]


def test_a_missing_sqlite_table_is_one_sentence(spark: SparkSession, sqlite_file: Path) -> None:
    source = database_source(f"jdbc:sqlite:{sqlite_file}", table="ordres")
    assert "no such table: ordres" in refusal(spark, source)


def test_a_missing_sqlite_file_is_one_sentence_and_none_is_made(
    spark: SparkSession, tmp_path: Path
) -> None:
    sentence = refusal(spark, database_source(f"jdbc:sqlite:{tmp_path}/none.db"))
    assert "unable to open" in sentence
    assert list(tmp_path.iterdir()) == []


def test_a_database_has_no_versions(spark: SparkSession) -> None:
    assert table_version(spark, database_source("jdbc:sqlite:any.db"), name="shop") is None


def test_a_password_is_hidden_even_where_the_database_repeats_it(
    spark: SparkSession, sqlite_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", "secret_word")
    login = {"password": "${SHOP_PASSWORD}", "table": "secret_word"}
    sentence = refusal(spark, database_source(f"jdbc:sqlite:{sqlite_file}", **login))
    assert "table *** of jdbc:sqlite:" in sentence
    assert "secret_word" not in sentence
