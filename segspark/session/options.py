"""What every segspark session needs of Spark, wherever it runs."""

import os
import re
from collections.abc import Mapping

DELTA_EXTENSION = "io.delta.sql.DeltaSparkSessionExtension"
DELTA_CATALOG = "org.apache.spark.sql.delta.catalog.DeltaCatalog"

EXTENSIONS_KEY = "spark.sql.extensions"
CATALOG_KEY = "spark.sql.catalog.spark_catalog"
ANSI_KEY = "spark.sql.ansi.enabled"
ZONE_KEY = "spark.sql.session.timeZone"
SKIPPING_KEYS = ("spark.sql.files.ignoreCorruptFiles", "spark.sql.files.ignoreMissingFiles")
"""Under these Spark leaves out what it cannot read, and nobody can count what is missing."""
STALE_KEY = "spark.databricks.delta.stalenessLimit"
"""For so long Delta may show a table as it was, so that a writer misses what others wrote."""

COMPILE_ALL = "-XX:-DontCompileHugeMethods"
"""Java else interprets methods of 8,000 bytes or more, such as Spark makes of many columns."""

INLINE_ALL = "-XX:-ClipInlining"
"""Once a method and what it has in place are 8,000 bytes, Java else calls the rest, such as every
comparison of two numbers."""

_UTC_NAMES = frozenset({"UTC", "Etc/UTC", "Z", "GMT", "+00:00"})
_NO_TIME = re.compile(r"0+\s*[a-z]*$")
_LOCAL = re.compile(r"local(?:\[(?P<threads>\*|\d+)(?:,\d+)?\])?$")
_LOCAL_CLUSTER = re.compile(r"local-cluster\[\s*(?P<workers>\d+)\s*,\s*(?P<cores>\d+)\s*,.*\]$")


def needed_options() -> dict[str, str]:
    """Settings without which results would differ or Delta would not work.

    By default Spark writes stamps in a type that Parquet has given up: it has no statistics, and
    other readers take it for a clock time where it is an instant.
    """
    return {
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
        EXTENSIONS_KEY: DELTA_EXTENSION,
        CATALOG_KEY: DELTA_CATALOG,
        ANSI_KEY: "true",
        ZONE_KEY: "UTC",
    }


def speed_options(*, cores: int) -> dict[str, str]:
    """Settings that only make it fast; anyone may have set others.

    Delta reads a table's log into 50 partitions by default, and VACUUM lists folders with up to
    10,000 tasks: minutes on a tiny lake. What is kept for several queries would otherwise stay in
    as many partitions as a large shuffle has. Large tables are kept on disk and read few times:
    looking for the best code of each column takes longer than that, and LZ4, which PySpark turns
    on, packs them. PySpark asks Java a dozen times for every expression, to name its line in
    messages; segspark's users read sentences of its own.
    """
    return {
        "spark.databricks.delta.snapshotPartitions": "2",
        "spark.sql.sources.parallelPartitionDiscovery.parallelism": str(cores),
        "spark.sql.inMemoryColumnarStorage.compressed": "false",
        "spark.sql.optimizer.canChangeCachedPlanOutputPartitioning": "true",
        "spark.python.sql.dataFrameDebugging.enabled": "false",
    }


def method_options(java_options: str) -> dict[str, str]:
    """Let Spark make no method that Java would only interpret.

    Args:
        java_options: Of the processes that run tasks.
    """
    return {} if COMPILE_ALL in java_options else {"spark.sql.codegen.hugeMethodLimit": "8000"}


def complaint(options: Mapping[str, str]) -> str | None:
    """Say which needed setting has another value, and the flag that mends it.

    Args:
        options: The effective settings; one that is absent is not complained about.
    """
    ansi = options.get(ANSI_KEY, "true")
    if ansi.lower() != "true":
        return (
            f"{ANSI_KEY} is {ansi}, so overflows and bad casts would become NULL silently: "
            f"submit with --conf {ANSI_KEY}=true"
        )
    zone = options.get(ZONE_KEY, "UTC")
    if zone not in _UTC_NAMES:
        return (
            f"{ZONE_KEY} is {zone}, and segspark keeps its stamps in UTC: "
            f"submit with --conf {ZONE_KEY}=UTC"
        )
    for key in SKIPPING_KEYS:
        if options.get(key, "false").lower() != "false":
            return f"{key} is set, so rows could be lost unseen: submit with --conf {key}=false"
    stale = options.get(STALE_KEY, "0")
    if not _NO_TIME.match(stale):
        return (
            f"{STALE_KEY} is {stale}, so writers would not see each other: "
            f"submit with --conf {STALE_KEY}=0"
        )
    extensions = options.get(EXTENSIONS_KEY, DELTA_EXTENSION)
    if "delta" not in extensions.lower():
        return (
            f"{EXTENSIONS_KEY} is {extensions}, without Delta: "
            f"submit with --conf {EXTENSIONS_KEY}={extensions},{DELTA_EXTENSION}"
        )
    return None


def cores_of(master: str) -> int:
    """How many tasks a local master runs at once."""
    local = _LOCAL.match(master)
    if local:
        threads = local["threads"] or "1"
        return (os.cpu_count() or 1) if threads == "*" else int(threads)
    cluster = _LOCAL_CLUSTER.match(master)
    return int(cluster["workers"]) * int(cluster["cores"]) if cluster else (os.cpu_count() or 1)
