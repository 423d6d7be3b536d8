"""One Spark session that sweeps or scores when it is told to, and says how long it took.

A line of standard input is JSON: `{"do": "segspark" | "spark_ml" | "score" | "native_blas", …}`.
"""

import argparse
import os
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

from scripts.benchmarks.sweep_scoring import time_scoring
from scripts.benchmarks.sweep_sides import segspark_sweep, spark_ml_sweep
from scripts.benchmarks.workers import serve
from segspark.model.segment_model import SegmentModel
from segspark.session.opening import spark_session
from segspark.settings.lake import SparkSettings
from segspark.settings.training import SweepSettings

_MASTER = "local[2]"
_NO_NATIVE_BLAS = (
    "-Ddev.ludovic.netlib.blas.allowNative=false -Ddev.ludovic.netlib.lapack.allowNative=false"
)


def main() -> int:
    """Serve until standard input ends."""
    args = _arguments()
    if args.native_blas:
        # As Spark's guide to native libraries tells: each of its tasks is a thread already.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    else:
        given = os.environ.get("SPARK_SUBMIT_OPTS", "")
        os.environ["SPARK_SUBMIT_OPTS"] = f"{given} {_NO_NATIVE_BLAS}".strip()
    settings = SparkSettings(master=_MASTER, driver_memory=args.heap)
    with spark_session(settings, app_name="bench-sweep") as spark:
        serve(partial(_answer, spark))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--heap", required=True)
    parser.add_argument("--native-blas", action="store_true", help="let Java load it where it is")
    return parser.parse_args()


def _answer(spark: SparkSession, command: Mapping[str, Any]) -> dict[str, Any]:
    if command["do"] == "native_blas":
        return {"class": _native_blas(spark)}
    path = Path(command["points"])
    if command["do"] == "score":
        model = SegmentModel.from_json(command["model"])
        return {"seconds": time_scoring(spark, path, model, rounds=command["rounds"])}
    settings = SweepSettings(fewest_segments=command["fewest"], most_segments=command["most"])
    if command["do"] == "segspark":
        return segspark_sweep(spark, path, settings)
    return spark_ml_sweep(spark, path, settings, is_cached=command["is_cached"])


def _native_blas(spark: SparkSession) -> str | None:
    """The class by which Spark ML reaches a native BLAS; None where it finds no library."""
    java: Any = spark.sparkContext._jvm  # noqa: SLF001 - the class is Java's only
    try:
        native = java.dev.ludovic.netlib.blas.NativeBLAS.getInstance()
    except Py4JJavaError:
        return None
    return str(native.getClass().getName())


if __name__ == "__main__":
    sys.exit(main())
