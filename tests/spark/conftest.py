"""Databases and lakes that several files of tests share."""

from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from segspark.pipeline.stage import Workspace
from tests.hostile import good_lake
from tests.object_store import ObjectStore, object_store
from tests.postgres import PostgresServer, postgres_server

_ORDERS = """
    DROP TABLE IF EXISTS orders CASCADE;
    CREATE TABLE orders (id bigint, day date, at timestamp, seen timestamptz, amount numeric,
                         note text);
    INSERT INTO orders
    SELECT n, date '2024-01-01' + n, timestamp '2024-03-10 02:30:00.123456' + n * interval '1 hour',
           timestamptz '2024-03-10 02:30:00.123456+00' + n * interval '1 hour', n / 4.0, 'note'
    FROM generate_series(1, 20) AS n;
    INSERT INTO orders VALUES (NULL, NULL, NULL, NULL, 1, 'without any');
"""


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server of its own, stopped at the end; without the program tests skip."""
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def one_good_batch(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A lake with one good batch, which hostile input must leave as it is."""
    return good_lake(spark, tmp_path_factory.mktemp("good"))


@pytest.fixture
def small_splits(spark: SparkSession) -> Iterator[None]:
    """Spark cuts files after 4 KiB, as it does after 128 MiB unless told otherwise."""
    key = "spark.sql.files.maxPartitionBytes"
    before = str(spark.conf.get(key))
    spark.conf.set(key, "4096")
    yield
    spark.conf.set(key, before)


@pytest.fixture
def shop(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> PostgresServer:
    """The server with 20 orders of consecutive hours and one without any stamp or number."""
    monkeypatch.setenv("SHOP_PASSWORD", postgres.password)
    postgres.run(_ORDERS)
    return postgres


@pytest.fixture(scope="session")
def s3(spark: SparkSession) -> Iterator[ObjectStore]:
    """An S3 server that the session knows, stopped at the end."""
    with object_store() as server:
        server.let_in(spark)
        yield server


@pytest.fixture
def bucket(s3: ObjectStore) -> str:
    """The name of an empty bucket."""
    return s3.make_bucket()
