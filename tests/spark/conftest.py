"""One small Spark session for all tests, made by segspark itself."""

import os
from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from segspark.pipeline.stage import Workspace
from segspark.session.drivers import DRIVERS
from segspark.session.opening import spark_session
from segspark.settings.lake import SparkSettings
from tests.hostile import good_lake
from tests.postgres import PostgresServer, postgres_server

# Tests are many short queries: a quick compiler and a small collector halve the processor time.
_SHORT_RUNS = "-XX:TieredStopAtLevel=1"

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
def spark() -> Iterator[SparkSession]:
    """The product's own local session, two cores and 1 GiB, with the drivers of databases."""
    os.environ.setdefault("SPARK_SUBMIT_OPTS", _SHORT_RUNS)
    settings = SparkSettings(
        master="local[2]",
        driver_memory="1g",
        shuffle_partitions=2,
        packages=tuple(driver.coordinate for driver in DRIVERS),
    )
    with spark_session(settings, app_name="segspark tests") as session:
        yield session


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
def shop(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> PostgresServer:
    """The server with 20 orders of consecutive hours and one without any stamp or number."""
    monkeypatch.setenv("SHOP_PASSWORD", postgres.password)
    postgres.run(_ORDERS)
    return postgres


@pytest.fixture(autouse=True)
def _no_cache_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Drop what a test cached, so that none sees another's data."""
    yield
    if "spark" in request.fixturenames:
        session: SparkSession = request.getfixturevalue("spark")
        session.catalog.clearCache()
