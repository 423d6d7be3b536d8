"""The local session is quiet, small, in UTC, with Delta, and stops only what it started."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from segspark.errors import SetupError
from segspark.session import local
from segspark.session.gateway import running_gateway
from segspark.session.opening import open_session, spark_session
from segspark.session.submitted import check_active
from segspark.settings.lake import SparkSettings
from tests.builders import table

ROOT = Path(__file__).resolve().parents[2]
WRITES_A_TABLE = """
import sys
from segspark.errors import SetupError
from segspark.session import local
from segspark.session.gateway import running_gateway
from segspark.session.opening import spark_session
from segspark.settings.lake import SparkSettings

settings = SparkSettings(master=sys.argv[2], driver_memory="1g", shuffle_partitions=2)
try:
    with spark_session(settings, app_name="quiet") as spark:
        spark.range(3).write.format("delta").save(sys.argv[1])
        print(spark.read.format("delta").load(sys.argv[1]).count())
except SetupError as error:
    print(error)
    sys.exit(1)
"""


def _run(folder: Path, *, master: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WRITES_A_TABLE, str(folder), master],
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("spark.sql.ansi.enabled", "true"),
        ("spark.sql.session.timeZone", "UTC"),
        ("spark.sql.shuffle.partitions", "2"),
        ("spark.sql.adaptive.coalescePartitions.initialPartitionNum", "8"),
        ("spark.databricks.delta.snapshotPartitions", "1"),
        ("spark.sql.sources.parallelPartitionDiscovery.parallelism", "2"),
        ("spark.sql.optimizer.canChangeCachedPlanOutputPartitioning", "true"),
        ("spark.python.sql.dataFrameDebugging.enabled", "false"),
        ("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS"),
        ("spark.ui.enabled", "false"),
        ("spark.driver.host", "127.0.0.1"),
    ],
)
def test_the_session_has_the_settings_that_results_rest_on(
    spark: SparkSession, key: str, value: str
) -> None:
    assert spark.conf.get(key) == value


def test_delta_tables_can_be_written_and_read(spark: SparkSession, lake_folder: Path) -> None:
    rows = table(spark, "customer_id string, amount int", ("a", 1), ("b", 2))
    rows.write.format("delta").save(str(lake_folder))
    found = spark.read.format("delta").load(str(lake_folder)).sort("customer_id").collect()
    assert [tuple(row) for row in found] == [("a", 1), ("b", 2)]


def test_workers_run_this_python(spark: SparkSession) -> None:
    executable = F.udf(lambda _: sys.executable)
    assert spark.range(1).select(executable("id")).first() == (sys.executable,)


def test_a_session_that_is_active_is_given_again_and_left_running(spark: SparkSession) -> None:
    with spark_session(SparkSettings(), app_name="another") as same:
        assert same is spark
    assert spark.range(2).count() == 2


@pytest.mark.parametrize(
    ("key", "value"),
    [("spark.sql.ansi.enabled", "false"), ("spark.sql.session.timeZone", "Asia/Tokyo")],
)
def test_an_active_session_with_a_contrary_setting_is_refused_and_not_changed(
    spark: SparkSession, key: str, value: str
) -> None:
    before = spark.conf.get(key)
    spark.conf.set(key, value)
    try:
        with pytest.raises(SetupError, match=f"in the active Spark session {key} is {value}"):
            open_session(SparkSettings(), app_name="refused")
        assert spark.conf.get(key) == value
    finally:
        spark.conf.set(key, str(before))


def test_an_active_session_as_it_should_be_passes(spark: SparkSession) -> None:
    assert check_active(spark) is spark


def test_jars_that_the_running_java_was_not_started_with_are_told(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert spark.range(1).count() == 1
    monkeypatch.setattr(local, "fetch_packages", lambda _: (tmp_path / "org.a_b-1.jar",))
    with pytest.raises(SetupError, match=r"a Spark without org\.a_b-1\.jar, whose Java cannot be"):
        local.build_session(SparkSettings(packages=("org.a:b:1",)), app_name="refused")


def test_java_is_in_utc_where_drivers_move_stamps_by_its_zone(spark: SparkSession) -> None:
    gateway = running_gateway()
    assert gateway is not None
    assert gateway.jvm.java.util.TimeZone.getDefault().getID() == "UTC"
    assert "user.timezone=UTC" in str(spark.conf.get("spark.executor.extraJavaOptions"))


@pytest.mark.parametrize("flag", ["DontCompileHugeMethods", "ClipInlining"])
def test_java_compiles_the_large_methods_that_spark_makes(spark: SparkSession, flag: str) -> None:
    gateway = running_gateway()
    assert gateway is not None
    told = gateway.jvm.java.lang.Class.forName("com.sun.management.HotSpotDiagnosticMXBean")
    java = gateway.jvm.java.lang.management.ManagementFactory.getPlatformMXBean(told)
    assert java.getVMOption(flag).getValue() == "false"
    assert f"-XX:-{flag}" in str(spark.conf.get("spark.executor.extraJavaOptions"))


def test_a_terminal_sees_nothing_of_java(lake_folder: Path) -> None:
    answer = _run(lake_folder, master="local[1]", SPARK_HOME="/another/spark")
    assert (answer.stdout, answer.stderr, answer.returncode) == ("3\n", "", 0)


def test_a_master_that_spark_refuses_is_one_sentence(lake_folder: Path) -> None:
    answer = _run(lake_folder, master="local[x]")
    assert answer.returncode == 1
    assert answer.stdout.startswith("Spark did not start: ")
    assert answer.stdout.count("\n") == 1
    assert answer.stderr == ""


def test_java_that_does_not_start_is_one_sentence(lake_folder: Path) -> None:
    two_collectors = "-XX:+UseSerialGC -XX:+UseParallelGC"
    answer = _run(lake_folder, master="local[1]", SPARK_SUBMIT_OPTS=two_collectors)
    assert answer.returncode == 1
    assert answer.stdout.startswith("Spark's Java process did not start: ")
    assert answer.stdout.count("\n") == 1
    assert answer.stderr == ""


def test_missing_java_is_one_sentence(lake_folder: Path, tmp_path: Path) -> None:
    answer = _run(lake_folder, master="local[1]", PATH=str(tmp_path), JAVA_HOME="")
    assert answer.returncode == 1
    assert answer.stdout.startswith("Spark needs Java, and none was found: ")
    assert answer.stderr == ""
