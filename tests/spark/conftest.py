"""One small Spark session for all tests, made by segspark itself."""

import os
from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from segspark.session.opening import spark_session
from segspark.settings.lake import SparkSettings

# Tests are many short queries: a quick compiler and a small collector halve the processor time.
_SHORT_RUNS = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """The product's own local session, two cores and 1 GiB."""
    os.environ.setdefault("SPARK_SUBMIT_OPTS", _SHORT_RUNS)
    settings = SparkSettings(master="local[2]", driver_memory="1g", shuffle_partitions=2)
    with spark_session(settings, app_name="segspark tests") as session:
        yield session


@pytest.fixture(autouse=True)
def _no_cache_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Drop what a test cached, so that none sees another's data."""
    yield
    if "spark" in request.fixturenames:
        session: SparkSession = request.getfixturevalue("spark")
        session.catalog.clearCache()
