"""A Spark session on this machine: Delta jars on the class path, quiet, small and in UTC."""

import atexit
import os
import shutil
import sys
import tempfile
from importlib import resources
from pathlib import Path

from py4j.java_gateway import JavaGateway
from pyspark import SparkConf
from pyspark.sql import SparkSession

from segspark.errors import SetupError
from segspark.session.gateway import can_load, running_gateway, start_context, start_gateway
from segspark.session.ivy import spark_home
from segspark.session.jars import check_jars
from segspark.session.java import check_java
from segspark.session.options import (
    COMPILE_ALL,
    DELTA_EXTENSION,
    INLINE_ALL,
    cores_of,
    needed_options,
    speed_options,
)
from segspark.session.packages import fetch_packages
from segspark.settings.lake import SparkSettings

_IN_UTC = "-Duser.timezone=UTC"
"""Database drivers move stamps by Java's own zone, whatever zone the session is in."""
_COLLECTOR = "-XX:+UseParallelGC"
"""On few cores a tenth quicker than Java's default, which favours short pauses."""
_BUFFERS = "-Djdk.nio.maxCachedBufferSize=4194304"
"""Each thread would keep the largest buffer that it ever read or wrote a file with."""
_GIVE_BACK = "-XX:+IgnoreUnrecognizedVMOptions -XX:TrimNativeHeapInterval=5000"
"""Every five seconds what native libraries freed goes back: some 100 MB; Java 17.0.9 knows it."""
_MOST_TIMES = 4
"""A shuffle is cut into so many times `shuffle_partitions`; small parts are put together again."""


def build_session(settings: SparkSettings, *, app_name: str) -> SparkSession:
    """Start Spark in this process.

    The Java process outlives `stop()`, as Spark has it: a second session of the same Python
    process keeps the first one's heap and class path.

    Raises:
        SetupError: Java or the Delta jars are not as they should be, further jars cannot be
            fetched, or Spark does not start.
    """
    check_java()
    further = fetch_packages(settings.packages)
    options = local_options(settings, jars=(*check_jars(), *further), app_name=app_name)
    _prepare_environment()
    gateway = running_gateway() or _start(options, log_level=settings.log_level)
    if not can_load(gateway, DELTA_EXTENSION):
        raise SetupError(
            "this Python process has run a Spark without Delta, whose Java cannot be changed: "
            "start a new Python process"
        )
    _check_loaded(gateway, further)
    conf = SparkConf(_jvm=gateway.jvm).setAll(list(options.items()))
    start_context(conf, gateway).setLogLevel(settings.log_level)
    return SparkSession.builder.getOrCreate()


def local_options(
    settings: SparkSettings, *, jars: tuple[Path, ...], app_name: str
) -> dict[str, str]:
    """Every Spark setting of a local session."""
    class_path = os.pathsep.join(str(jar) for jar in jars)
    return {
        "spark.master": settings.master,
        "spark.app.name": app_name,
        "spark.driver.memory": settings.driver_memory,
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.extraClassPath": class_path,
        "spark.executor.extraClassPath": class_path,
        "spark.executor.extraJavaOptions": f"{_IN_UTC} {COMPILE_ALL} {INLINE_ALL}",
        "spark.sql.shuffle.partitions": str(settings.shuffle_partitions),
        # By default Spark makes as many tasks of a shuffle as there are cores, of uneven length.
        "spark.sql.adaptive.coalescePartitions.minPartitionNum": str(settings.shuffle_partitions),
        # What a task of 64 MB, Spark's default, sums or sorts does not fit into a small heap.
        "spark.sql.adaptive.coalescePartitions.initialPartitionNum": str(
            _MOST_TIMES * settings.shuffle_partitions
        ),
        "spark.sql.adaptive.advisoryPartitionSizeInBytes": "16m",
        # A run has more compiled classes than the 100 that Spark keeps, and compiles them again.
        "spark.sql.codegen.cache.maxEntries": "1000",
        "spark.sql.warehouse.dir": _scratch_folder().as_uri(),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        # Spark keeps its last 1,000 queries and 100,000 tasks for the pages that nobody can open.
        "spark.sql.ui.retainedExecutions": "10",
        "spark.ui.retainedJobs": "100",
        "spark.ui.retainedStages": "100",
        "spark.ui.retainedTasks": "1000",
        **needed_options(),
        **speed_options(cores=cores_of(settings.master)),
        # After each commit a table's log is read anew: one task reads a small one soonest.
        "spark.databricks.delta.snapshotPartitions": "1",
    }


def _check_loaded(gateway: JavaGateway, further: tuple[Path, ...]) -> None:
    """Refuse a Java process of an earlier session that was started without these jars."""
    class_path = gateway.jvm.System.getProperty("java.class.path").split(os.pathsep)
    missing = [jar.name for jar in further if str(jar) not in class_path]
    if missing:
        raise SetupError(
            f"this Python process has run a Spark without {', '.join(missing)}, whose Java cannot "
            "be changed: start a new Python process"
        )


def _prepare_environment() -> None:
    """Point Spark's own scripts and workers at this Python, this pyspark and this machine.

    Another Spark's `SPARK_HOME`, or a host name that does not resolve, would otherwise break the
    start in ways that nobody can read.
    """
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    # Native libraries would keep memory apart for each of many threads, as Hadoop's scripts know.
    os.environ.setdefault("MALLOC_ARENA_MAX", "2")
    home = spark_home()
    if home is not None:
        os.environ["SPARK_HOME"] = str(home)


def _start(options: dict[str, str], *, log_level: str) -> JavaGateway:
    """Start the Java process; how it logs is told on its command line, before it can print."""
    log_file = resources.files("segspark.session") / "log4j2.properties"
    conf = SparkConf(loadDefaults=False).setAll(list(options.items()))
    with resources.as_file(log_file) as path:
        flags = (
            f"-Dlog4j2.configurationFile={path.resolve().as_uri()}",
            f"-Dsegspark.log.level={log_level}",
            f"-Dsegspark.task.log.level={'OFF' if log_level == 'ERROR' else log_level}",
            _IN_UTC,
            COMPILE_ALL,
            INLINE_ALL,
            _COLLECTOR,
            _BUFFERS,
            _GIVE_BACK,
        )
        conf.set("spark.driver.extraJavaOptions", " ".join(flags))
        return start_gateway(conf)


def _scratch_folder() -> Path:
    """A folder for tables that nobody gave a place; it goes when Python ends."""
    folder = tempfile.mkdtemp(prefix="segspark-warehouse-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)
