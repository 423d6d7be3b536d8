"""Sources that are tables of databases, and what becomes of them."""

import pytest
from pyspark.sql import DataFrame, SparkSession

from segspark.errors import IngestError
from segspark.ingest.reading.table_errors import table_sentences
from segspark.ingest.reading.table_sources import open_table
from segspark.settings.formats import JdbcFormat
from segspark.settings.mapping import TransactionColumns
from segspark.settings.sources import TransactionSource
from tests.postgres import USER, PostgresServer

COLUMNS = TransactionColumns(customer_id="customer", transaction_at="at", line_amount="amount")


def database_source(location: str, **table_format: object) -> TransactionSource:
    """A source of the table `orders` at a `jdbc:` address."""
    known = JdbcFormat.model_validate({"kind": "jdbc", "table": "orders", **table_format})
    return TransactionSource(location=location, format=known, columns=COLUMNS, currency="EUR")


def shop_source(server: PostgresServer, **table_format: object) -> TransactionSource:
    """The same at a test server, with the password of the environment's SHOP_PASSWORD."""
    login = {"user": USER, "password": "${SHOP_PASSWORD}"}
    return database_source(server.address, **(login | table_format))


def rows_of(table: DataFrame) -> list[tuple[object, ...]]:
    """All rows, in an order of their own."""
    return sorted((tuple(row) for row in table.collect()), key=repr)


def refusal(spark: SparkSession, source: TransactionSource) -> str:
    """The one sentence with which reading the source ends."""
    with pytest.raises(IngestError) as refused, table_sentences(source, name="shop"):
        open_table(spark, source, name="shop").collect()
    sentence = str(refused.value)
    assert sentence.startswith("source shop: ")
    assert "\n" not in sentence
    return sentence
