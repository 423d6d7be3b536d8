"""Whatever goes wrong with a database ends in one sentence, without a password."""

import pytest
from pyspark.sql import SparkSession

from segspark.ingest.reading import databases
from tests.databases import database_source, refusal, shop_source
from tests.postgres import PostgresServer, postgres_server


def test_a_wrong_password_is_one_sentence_without_it(
    spark: SparkSession, shop: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", "not-the-password")
    sentence = refusal(spark, shop_source(shop))
    assert "password authentication failed for user" in sentence
    assert "not-the-password" not in sentence


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (
            "jdbc:postgresql://127.0.0.1:1/shop?user=anna&password=secret-word",
            "jdbc:postgresql://127.0.0.1:1/shop: Connection to 127.0.0.1:1 refused; Check",
        ),
        (
            "jdbc:sqlserver://host;userName=anna;password=secret-word;encrypt=true",
            "jdbc:sqlserver://host;userName=***;password=***;encrypt=true: No suitable driver: add",
        ),
        (
            "jdbc:oracle:thin:anna/secret-word@host:1521/shop",
            "jdbc:oracle:thin:***@host:1521/shop: No suitable driver: add the jar of its driver as",
        ),
    ],
)
def test_a_login_inside_the_address_is_never_shown(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch, address: str, shown: str
) -> None:
    monkeypatch.setenv("SHOP_ADDRESS", address)
    sentence = refusal(spark, database_source("${SHOP_ADDRESS}"))
    assert sentence.startswith(f"source shop: table orders of {shown}")
    assert "anna" not in sentence
    assert "secret-word" not in sentence


def test_a_table_that_is_not_there_is_one_sentence(
    spark: SparkSession, shop: PostgresServer
) -> None:
    assert 'relation "ordres" does not exist' in refusal(spark, shop_source(shop, table="ordres"))


def test_a_value_that_spark_cannot_hold_is_one_sentence(
    spark: SparkSession, shop: PostgresServer, capfd: pytest.CaptureFixture[str]
) -> None:
    shop.run("INSERT INTO orders (id, amount) VALUES (99, 'NaN')")
    sentence = refusal(spark, shop_source(shop))
    assert "Bad value for type BigDecimal : NaN" in sentence
    assert "Exception" not in sentence
    assert capfd.readouterr().err == ""


def test_a_server_that_goes_away_midway_is_one_sentence(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with postgres_server() as server:
        monkeypatch.setenv("SHOP_PASSWORD", server.password)
        server.run("""
            CREATE VIEW orders AS SELECT n AS id FROM generate_series(1, 100000) AS n
            WHERE pg_sleep(0.01) IS NOT NULL
        """)
        with server.stopping_midway():
            sentence = refusal(spark, shop_source(server, fetch_rows=10))
    assert "table orders of jdbc:postgresql://127.0.0.1" in sentence
    assert "terminating connection" in sentence or "I/O error" in sentence, sentence
    assert capfd.readouterr().err == ""


def test_a_missing_driver_is_named(
    spark: SparkSession, shop: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "can_load", lambda *_: False)
    sentence = refusal(spark, shop_source(shop))
    assert "add org.postgresql:postgresql:42" in sentence
    assert "spark.packages, or submit with --packages org.postgresql:postgresql:42" in sentence
