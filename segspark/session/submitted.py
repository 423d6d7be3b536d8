"""A Spark session that somebody else gave: submitted, or already active in a notebook."""

import os

import pyspark
from pyspark import SparkConf
from pyspark.sql import SparkSession

from segspark.errors import SetupError
from segspark.session.gateway import can_load, start_context, submitted_gateway
from segspark.session.options import (
    ANSI_KEY,
    CATALOG_KEY,
    DELTA_EXTENSION,
    EXTENSIONS_KEY,
    SKIPPING_KEYS,
    STALE_KEY,
    ZONE_KEY,
    complaint,
    method_options,
    needed_options,
    speed_options,
)

_LISTING_TASKS = 8
_DATABRICKS_KEY = "spark.databricks.clusterUsageTags.clusterId"


def is_submitted() -> bool:
    """Whether `spark-submit` started this program: it leaves the way to its Java process."""
    return "PYSPARK_GATEWAY_PORT" in os.environ


def complete_session(*, app_name: str) -> SparkSession:
    """Make the session of a submitted job: what it left open is filled, the rest is checked.

    It has to happen before the context exists, since Delta's extension and catalog are read once.

    Raises:
        SetupError: A setting contradicts what segspark needs, or Delta's jar did not come along.
    """
    gateway = submitted_gateway()
    conf = SparkConf(_jvm=gateway.jvm)
    problem = complaint(dict(conf.getAll()))
    if problem:
        raise SetupError(problem)
    if not can_load(gateway, DELTA_EXTENSION):
        line = ".".join(pyspark.__version__.split(".")[:2])
        raise SetupError(
            "the submitted job came without Delta's jar: submit with "
            f"--packages io.delta:delta-spark_{line}_2.13:VERSION, such as 4.4.0 for VERSION"
        )
    # A local-cluster has executors.
    is_in_driver = str(conf.get("spark.master", "")).partition("[")[0] == "local"
    runs_tasks = "driver" if is_in_driver else "executor"
    wanted = {
        "spark.app.name": app_name,
        **needed_options(),
        **speed_options(cores=_LISTING_TASKS),
        **method_options(str(conf.get(f"spark.{runs_tasks}.extraJavaOptions", ""))),
    }
    for key, value in wanted.items():
        conf.setIfMissing(key, value)
    start_context(conf, gateway)
    return SparkSession.builder.getOrCreate()


def check_active(spark: SparkSession) -> SparkSession:
    """Check a session that was there before; nothing of it is changed.

    Raises:
        SetupError: A setting contradicts what segspark needs.
    """
    keys = (ANSI_KEY, ZONE_KEY, STALE_KEY, *SKIPPING_KEYS, EXTENSIONS_KEY, CATALOG_KEY)
    found = {key: spark.conf.get(key, None) for key in keys}
    options = {key: value for key, value in found.items() if value is not None}
    if spark.conf.get(_DATABRICKS_KEY, None) is None:
        # Databricks has Delta built in and names other extensions; elsewhere absent means none.
        options.setdefault(EXTENSIONS_KEY, "none")
    else:
        options.pop(EXTENSIONS_KEY, None)
    problem = complaint(options)
    if problem:
        raise SetupError(f"in the active Spark session {problem}")
    return spark
