"""Tables of databases are read whole, in slices by a watermark, and in parts."""

from collections.abc import Callable, Iterator

import pytest
from pyspark.sql import SparkSession

from segspark.errors import IngestError
from segspark.ingest.reading.table_sources import highest_watermark, open_table, rows_above
from segspark.session.gateway import running_gateway
from tests.databases import refusal, rows_of, shop_source
from tests.postgres import PostgresServer

INSERTS = (
    "INSERT INTO grown SELECT * FROM orders WHERE id <= 2",
    "INSERT INTO grown SELECT * FROM orders WHERE id BETWEEN 3 AND 18",
    "INSERT INTO grown SELECT * FROM orders WHERE id > 18",
)


@pytest.fixture
def java_zone() -> Iterator[Callable[[str], None]]:
    """Puts the Java of the session into another zone, for the one test."""
    gateway = running_gateway()
    assert gateway is not None
    zones = gateway.jvm.java.util.TimeZone
    yield lambda zone: zones.setDefault(zones.getTimeZone(zone))
    zones.setDefault(zones.getTimeZone("UTC"))


def test_each_type_of_postgres_arrives_as_it_is_meant(
    spark: SparkSession, shop: PostgresServer
) -> None:
    shop.run("""
        DROP TABLE IF EXISTS typed;
        CREATE TABLE typed (plain numeric, price numeric(12,2), paid money, share float8,
            day date, clock timestamp, instant timestamptz, id uuid, data json, tags text[],
            flag boolean, code varchar(9));
        SET TIME ZONE 'Europe/Berlin';
        INSERT INTO typed VALUES (123.4567, 5.5, '12.34', 'NaN', '2024-03-10',
            '2024-03-10 02:30:00.123456', '2024-03-10 02:30:00.123456',
            'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"a":1}', '{x,y}', true, 'xyz')
    """)
    table = open_table(spark, shop_source(shop, table="typed"), name="shop")
    assert dict(table.dtypes) == {
        "plain": "decimal(38,18)",
        "price": "decimal(12,2)",
        "paid": "string",
        "share": "double",
        "day": "date",
        "clock": "timestamp_ntz",
        "instant": "timestamp",
        "id": "string",
        "data": "string",
        "tags": "array<string>",
        "flag": "boolean",
        "code": "string",
    }
    as_texts = table.selectExpr(*(f"cast({name} as string)" for name in table.columns))
    assert [tuple(row) for row in as_texts.collect()] == [
        (
            "123.456700000000000000",
            "5.50",
            "$12.34",
            "NaN",
            "2024-03-10",
            "2024-03-10 02:30:00.123456",
            "2024-03-10 01:30:00.123456",
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
            '{"a":1}',
            "[x, y]",
            "true",
            "xyz",
        )
    ]


@pytest.mark.parametrize("column", ["id", "day", "at", "seen", "amount"])
def test_a_read_in_parts_brings_the_same_rows_also_those_without_a_value(
    spark: SparkSession, shop: PostgresServer, column: str
) -> None:
    source = shop_source(shop, partition_column=column, partitions=3, fetch_rows=2)
    parts = open_table(spark, source, name="shop")
    assert parts.rdd.getNumPartitions() == 3
    assert max(len(part) for part in parts.rdd.glom().collect()) < 10
    assert rows_of(parts) == rows_of(open_table(spark, shop_source(shop), name="shop"))


def test_a_table_without_rows_is_read_in_one_part(
    spark: SparkSession, shop: PostgresServer
) -> None:
    shop.run("DELETE FROM orders")
    source = shop_source(shop, partition_column="id", partitions=3)
    assert rows_of(open_table(spark, source, name="shop")) == []


@pytest.mark.parametrize(
    ("column", "sentence"),
    [("note", "the read cannot be split by note, which is string"), ("idd", "there are id, day,")],
)
def test_a_column_that_cannot_split_the_read_is_refused(
    spark: SparkSession, shop: PostgresServer, column: str, sentence: str
) -> None:
    source = shop_source(shop, partition_column=column, partitions=2)
    assert sentence in refusal(spark, source)


@pytest.mark.parametrize("column", ["id", "day", "at", "seen", "amount", "note"])
def test_slices_by_watermark_cut_the_table_exactly_over_several_inserts(
    spark: SparkSession, shop: PostgresServer, column: str
) -> None:
    shop.run("""
        UPDATE orders SET note = to_char(at, 'MM-DD HH24:MI');
        DELETE FROM orders WHERE id IS NULL;
        DROP TABLE IF EXISTS grown;
        CREATE TABLE grown AS SELECT * FROM orders WHERE false
    """)
    low: str | None = None
    found: list[tuple[object, ...]] = []
    for inserting in INSERTS:
        shop.run(inserting)
        table = open_table(spark, shop_source(shop, table="grown"), name="shop")
        high = highest_watermark(table, column, name="shop", low=low)
        found += rows_of(rows_above(table, column, name="shop", low=low, high=high))
        assert highest_watermark(table, column, name="shop", low=high) is None
        low = high
    assert sorted(found, key=repr) == rows_of(open_table(spark, shop_source(shop), name="shop"))


@pytest.mark.parametrize("column", ["id", "at", "seen"])
def test_the_database_filters_by_the_watermark(
    spark: SparkSession, shop: PostgresServer, capsys: pytest.CaptureFixture[str], column: str
) -> None:
    low, high = ("5", "9") if column == "id" else ("2024-03-10 07:30:00.123456", "2024-03-11")
    source = shop_source(shop, partition_column="id", partitions=2)
    table = open_table(spark, source, name="shop")
    spark.conf.set("spark.sql.maxMetadataStringLength", "1000")
    rows_above(table, column, name="shop", low=low, high=high).explain()
    spark.conf.unset("spark.sql.maxMetadataStringLength")
    plan = capsys.readouterr().out
    assert plan.count("Scan JDBCRelation(orders)") == 2
    assert plan.count(f"*GreaterThan({column},") == 2
    assert plan.count(f"*LessThanOrEqual({column},") == 2
    assert "Filter " not in plan


def test_the_database_is_asked_only_for_the_watermarks_above_the_last_one(
    spark: SparkSession, shop: PostgresServer
) -> None:
    shop.run("DELETE FROM orders WHERE id IS NULL")
    table = open_table(spark, shop_source(shop), name="shop")
    # Spark would stumble over these values, and over the column that is gone, if they came.
    shop.run("ALTER TABLE orders DROP COLUMN note; UPDATE orders SET amount = -1e30 WHERE id < 9")
    assert highest_watermark(table, "amount", name="shop", low="2.0") == "5.000000000000000000"


def test_stamps_are_cut_alike_in_a_java_of_another_zone(
    spark: SparkSession, shop: PostgresServer, java_zone: Callable[[str], None]
) -> None:
    java_zone("GMT+05:30")
    for column in ("at", "seen"):
        source = shop_source(shop, partition_column=column, partitions=2)
        table = open_table(spark, source, name="shop").filter("id IS NOT NULL")
        low, high = "2024-03-10 05:30:00.123456", "2024-03-10 07:30:00.123456"
        found = rows_above(table, column, name="shop", low=low, high=high)
        assert sorted(row["id"] for row in found.collect()) == [4, 5]
        assert highest_watermark(table, column, name="shop") == "2024-03-10 22:30:00.123456"


def test_a_java_whose_summer_time_would_move_stamps_is_refused(
    spark: SparkSession, shop: PostgresServer, java_zone: Callable[[str], None]
) -> None:
    java_zone("America/New_York")
    sentence = refusal(spark, shop_source(shop))
    assert "Java's zone is America/New_York, by whose summer time" in sentence
    assert "would move at, seen: submit with" in sentence
    assert "--conf spark.executor.extraJavaOptions=-Duser.timezone=UTC" in sentence


def test_rows_without_a_watermark_are_refused(spark: SparkSession, shop: PostgresServer) -> None:
    table = open_table(spark, shop_source(shop), name="shop")
    for low in (None, "7"):
        with pytest.raises(IngestError, match=r"1 row\(s\) have no value in the watermark column"):
            highest_watermark(table, "id", name="shop", low=low)
