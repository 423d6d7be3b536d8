"""Benchmark: a sweep beside the loop that a careful user of Spark ML writes, and scoring.

`make bench-sweep CUSTOMERS=500000 FEWEST=2 MOST=10 ROUNDS=3 PEERS="cached sklearn" HEAP=2g` runs
it; what is not given is as `--help` says. Each measurement is a process of its own with the same
heap, on two cores; it warms up on a few customers and then reads the table, prepares it in its own
way, and fits and judges every candidate. The sides take turns:
`segspark`: blocks of points, `BatchedEngine`, `evaluate`;
`cached`, `uncached`: Spark ML, a fit and a ClusteringEvaluator for each candidate, in Java alone;
`openblas`: `cached` with a native BLAS where Java finds libblas.so.3, or the library that
`SPARK_SUBMIT_OPTS=-Ddev.ludovic.netlib.blas.nativeLibPath=…` names; left out where it finds none;
`sklearn`: scikit-learn in memory, judged without a silhouette.
Then a KMeans model scores a table beside a bare read of it, and one customer without Java.
The last line is JSON:
`sweep_vs_naive_cached`, `_uncached`, `_openblas`, `sweep_vs_sklearn`: seconds of the peer over
segspark's, medians of the rounds; `evaluation_vs_spark`: the same of judging alone, by the quickest
of Spark's sides; `scoring_vs_scan`: scoring over reading; `one_customer_us`: microseconds;
`quality`: differences of each candidate, `worst_quality`: the least favourable of each;
`evaluator_difference`: largest between Spark's silhouettes and those of the judge of both sides;
`peak_driver_mb`: segspark's Java and Python processes; `native_blas`: what Java found, if asked.
"""

import argparse
import json
import re
import statistics
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from scripts.benchmarks.measuring import say
from scripts.benchmarks.sweep_figures import (
    SEGSPARK,
    SKLEARN,
    SPARK_PEERS,
    Side,
    quality_table,
    speed_ratios,
    time_table,
)
from scripts.benchmarks.sweep_points import feature_names, read_points, write_points
from scripts.benchmarks.sweep_quality import compared, evaluator_difference, judged, worst
from scripts.benchmarks.sweep_scoring import one_customer_us, scoring_model
from scripts.benchmarks.workers import Worker, worker
from segspark.model.reading import cluster_model_from_dict
from segspark.model.segment_model import SegmentModel

_WARM_UP_CUSTOMERS = 5_000
_FEWEST_CUSTOMERS = 1_000
_FEWEST_SEGMENTS = 2
_MOST_SEGMENTS = 50
_SPARK_WORKER = "scripts.benchmarks.sweep_spark_worker"
_SKLEARN_WORKER = "scripts.benchmarks.sweep_sklearn_worker"
_OPENBLAS = "openblas"
_COMMANDS: dict[str, dict[str, Any]] = {
    SEGSPARK: {"do": "segspark"},
    "cached": {"do": "spark_ml", "is_cached": True},
    "uncached": {"do": "spark_ml", "is_cached": False},
    _OPENBLAS: {"do": "spark_ml", "is_cached": True},
    SKLEARN: {},
}


def main() -> int:
    """Measure every side in turns; print tables, then the JSON line."""
    args = _arguments()
    native_blas = _native_blas(args.heap) if _OPENBLAS in args.peers else None
    names = [SEGSPARK, *(p for p in args.peers if p != _OPENBLAS or native_blas is not None)]
    with tempfile.TemporaryDirectory(dir=args.folder, prefix="bench-sweep-") as folder:
        points = Path(folder) / "points.parquet"
        write_points(points, customers=args.customers, features=args.features)
        sides = _measure_sides(Path(folder), points, names, args)
        for line in time_table(sides):
            say(line)
        quality = _judge(points, sides)
        model = _kmeans_model(sides[SEGSPARK], args.features)
        scoring = _measure_scoring(Path(folder), model, args)
    inputs = ("customers", "features", "fewest", "most", "rounds", "heap", "scored")
    result = {
        **speed_ratios(sides),
        **scoring,
        **quality,
        "seconds": {name: side.medians() for name, side in sides.items()},
        "peak_driver_mb": round(sides[SEGSPARK].peak_mb),
        "peak_mb": {name: round(side.peak_mb) for name, side in sides.items()},
        "native_blas": native_blas,
        **{name: getattr(args, name) for name in inputs},
    }
    say(json.dumps(result))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add, peers = parser.add_argument, [*SPARK_PEERS, SKLEARN]
    add("--customers", type=int, default=500_000, help="in the sweep; default 500000")
    add("--features", type=int, default=8, help="of each customer; default 8")
    add("--fewest", type=int, default=2, help="segments; default 2")
    add("--most", type=int, default=10, help="segments; default 10")
    add("--rounds", type=int, default=3, help="of every side; default 3")
    add("--peers", nargs="*", choices=peers, default=peers, help="beside segspark; default all")
    add("--heap", default="2g", help="of each Java process; default 2g")
    add("--scored", type=int, default=2_000_000, help="customers that are scored; default 2000000")
    add("--folder", type=Path, help="where to put files; default: the system's")
    args = parser.parse_args()
    if not _FEWEST_SEGMENTS <= args.fewest <= args.most <= _MOST_SEGMENTS:
        parser.error(f"--fewest and --most go from 2 up to {_MOST_SEGMENTS}, the fewest first")
    if min(args.customers, args.scored) < _FEWEST_CUSTOMERS:
        parser.error(f"--customers and --scored take {_FEWEST_CUSTOMERS} or more")
    if min(args.rounds, args.features) < 1:
        parser.error("--rounds and --features take 1 or more")
    if not re.fullmatch("[0-9]+[mg]", args.heap):
        parser.error("--heap is a number and m or g, such as 2g")
    return args


def _native_blas(heap: str) -> str | None:
    with _worker(_OPENBLAS, heap) as spark:
        found: str | None = spark.ask({"do": "native_blas"})["class"]
    if found is None:
        say("openblas: Java finds no native BLAS here (libblas.so.3), so that side is left out")
    return found


def _worker(name: str, heap: str) -> AbstractContextManager[Worker]:
    if name == SKLEARN:
        return worker(_SKLEARN_WORKER)
    native = ["--native-blas"] if name == _OPENBLAS else []
    return worker(_SPARK_WORKER, "--heap", heap, *native)


def _measure_sides(
    folder: Path, points: Path, names: Sequence[str], args: argparse.Namespace
) -> dict[str, Side]:
    """One sweep of each side a round, in a new process that has warmed up."""
    few, most = folder / "few.parquet", min(args.fewest + 1, args.most)
    write_points(few, customers=_WARM_UP_CUSTOMERS, features=args.features)
    sides = {name: Side() for name in names}
    for number in range(1, args.rounds + 1):
        for name, side in sides.items():
            command = _COMMANDS[name] | {"fewest": args.fewest}
            with _worker(name, args.heap) as found:
                found.ask(command | {"points": str(few), "most": most})
                answer = found.ask(command | {"points": str(points), "most": args.most})
                side.add(answer, found.peak_mb)
            shown = ", ".join(f"{part} {each:.1f} s" for part, each in answer["seconds"].items())
            say(f"round {number}, {name}: {shown}")
    return sides


def _judge(points_file: Path, sides: dict[str, Side]) -> dict[str, Any]:
    """Hold segspark's candidates against those of the first Spark side and of scikit-learn."""
    points = read_points(points_file)
    spark = next((name for name in SPARK_PEERS if name in sides), None)
    mine = judged(points, sides[SEGSPARK].candidates)
    peers = {}
    figures: dict[str, Any] = {}
    if spark is not None:
        peers["spark"] = judged(points, sides[spark].candidates)
        difference = evaluator_difference(sides[spark].candidates, peers["spark"])
        figures["evaluator_difference"] = difference
    if SKLEARN in sides:
        peers[SKLEARN] = judged(points, sides[SKLEARN].candidates)
    quality = compared(mine, peers)
    for line in quality_table(quality, list(peers)):
        say(line)
    return {**figures, "worst_quality": worst(quality), "quality": quality}


def _kmeans_model(side: Side, features: int) -> SegmentModel:
    """Own KMeans of the middle number of segments."""
    kmeans = [each for name, each in side.candidates.items() if name.startswith("kmeans-")]
    clusters = cluster_model_from_dict(kmeans[len(kmeans) // 2]["clusters"])
    return scoring_model(clusters, names=feature_names(features))


def _measure_scoring(
    folder: Path, model: SegmentModel, args: argparse.Namespace
) -> dict[str, float]:
    points = folder / "scored.parquet"
    write_points(points, customers=args.scored, features=args.features)
    command = {"points": str(points), "model": model.to_json(), "rounds": args.rounds}
    with _worker(SEGSPARK, args.heap) as spark:
        seconds = spark.ask({"do": "score", **command})["seconds"]
    scan, score = (statistics.median(seconds[name]) for name in ("scan", "score"))
    one = one_customer_us(model, rounds=args.rounds)
    say(
        f"{args.scored:,} customers read: {scan:.2f} s, scored with {model.clusters.k} segments: "
        f"{score:.2f} s; one customer without Java: {one:.1f} microseconds"
    )
    return {
        "scoring_vs_scan": round(score / scan, 2),
        "scan_seconds": round(scan, 2),
        "scoring_seconds": round(score, 2),
        "one_customer_us": round(one, 1),
    }


if __name__ == "__main__":
    sys.exit(main())
