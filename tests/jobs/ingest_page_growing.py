"""What the page docs/ingest.md reads that grows, or is written anew, between two ingests."""

import sqlite3
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from pyspark.sql import SparkSession

from tests.builders import table
from tests.postgres import USER, PostgresServer

NOON = datetime.fromisoformat("2024-03-01 12:00")


def append_sales(spark: SparkSession, *rows: tuple[str, str]) -> None:
    """Commit to the Delta table of the page: order and load time."""
    made = [("7", order, NOON, Decimal("2.55"), datetime.fromisoformat(at)) for order, at in rows]
    schema = "who string, order string, at timestamp_ntz, amount decimal(9,2), loaded_at timestamp"
    frame = table(spark, schema, *made)
    frame.write.format("delta").mode("append").save(str(Path("warehouse/sales").absolute()))


def append_kiosk(*orders: str) -> None:
    """Add lines with these orders to the growing SQLite database of the page; numbered from 98."""
    connection = sqlite3.connect("kiosk.db")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS lines (line_number INTEGER, card, receipt, at, amount)"
    )
    (taken,) = connection.execute("SELECT count(*) FROM lines").fetchone()
    lines = [
        (number, 7, order, "2024-03-01 12:00:00", 2.55)
        for number, order in enumerate(orders, start=98 + taken)
    ]
    connection.executemany("INSERT INTO lines VALUES (?, ?, ?, ?, ?)", lines)
    connection.commit()
    connection.close()


def write_history(spark: SparkSession, *rows: tuple[int | None, str, float]) -> None:
    """Write the Parquet folder of the page anew: customer, order and money, a part for each row."""
    schema = "who int, order string, at timestamp_ntz, amount double"
    for number, (who, order, amount) in enumerate(rows):
        part = table(spark, schema, (who, order, NOON, amount)).coalesce(1)
        mode = "append" if number else "overwrite"
        part.write.mode(mode).parquet(str(Path("history.parquet").absolute()))


def make_shop(server: PostgresServer) -> None:
    """A database with eight lines, one a minute, whose stamps are instants."""
    server.run("DROP DATABASE IF EXISTS shop")
    server.run("CREATE DATABASE shop")
    making = """
        CREATE SCHEMA sales;
        CREATE TABLE sales.lines (line_number bigint, who int, receipt text, sold_at timestamptz,
                                  amount numeric(9,2));
    """
    _in_shop(server, making)
    sell(server, first=1, last=8)


def sell(server: PostgresServer, *, first: int, last: int) -> None:
    """Add the lines of these numbers, each a minute after the one before."""
    selling = f"""
        INSERT INTO sales.lines
        SELECT n, 7, 'A' || n, timestamptz '2024-03-01 12:00+01' + n * interval '1 minute', n / 4.0
        FROM generate_series({first}, {last}) AS n;
    """  # noqa: S608 - whole numbers
    _in_shop(server, selling)


def _in_shop(server: PostgresServer, sql: str) -> None:
    login = ["-h", str(server.folder), "-p", str(server.port), "-U", USER, "-d", "shop"]
    server.program("psql", *login, "-qtAX", "-v", "ON_ERROR_STOP=1", "-c", sql)
