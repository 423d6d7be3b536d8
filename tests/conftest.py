"""One small Spark session for all tests, made by segspark itself."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from pyspark.sql import SparkSession

from segspark.session.drivers import TESTED_PACKAGES
from segspark.session.opening import spark_session
from segspark.settings.lake import SparkSettings

# Tests are many short queries: a quick compiler halves the processor time. Alone it has 48 MB for
# what it compiles; once those are full, Java is busy with making room.
_SHORT_RUNS = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m"


# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile("segspark", deadline=None)
hypothesis.settings.load_profile("segspark")


@pytest.fixture
def lake_folder(tmp_path: Path) -> Path:
    """A folder for a lake that does not exist yet."""
    return tmp_path / "lake"


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """The product's own local session, two cores, 2 GiB, drivers of databases and S3."""
    os.environ.setdefault("SPARK_SUBMIT_OPTS", _SHORT_RUNS)
    settings = SparkSettings(
        master="local[2]",
        driver_memory="2g",
        shuffle_partitions=2,
        packages=TESTED_PACKAGES,
    )
    with spark_session(settings, app_name="segspark tests") as session:
        yield session


@pytest.fixture(autouse=True)
def _no_cache_left() -> Iterator[None]:
    """Drop what a test cached, so that none sees another's data."""
    yield
    session = SparkSession.getActiveSession()
    if session is not None:
        session.catalog.clearCache()


@pytest.fixture(scope="module", autouse=True)
def _no_log_left() -> Iterator[None]:
    """Let go of the tables of a file's tests: Delta keeps 2 MB of each for an hour."""
    yield
    session = SparkSession.getActiveSession()
    if session is not None:
        java: Any = session._jvm  # noqa: SLF001 - Delta has no public call for this
        java.org.apache.spark.sql.delta.DeltaLog.clearCache()
