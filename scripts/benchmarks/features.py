"""Benchmark: ledger and features beside DuckDB, an increment beside a rebuild, lifetime values.

`make bench-features` runs it; `--sizes` are millions of lines, of which 5, 10 and 50 have an aim.
Spark and DuckDB are two processes that stay up and take turns; the first turn warms up and does not
count. The last line is JSON with every ratio that the sizes allow:
`rebuild_vs_duckdb_10m`, `rebuild_vs_duckdb_50m`: ledger and features of all lines, as tables;
DuckDB leaves out strength and p-value of seasons, which it has no functions for.
`increment_vs_rebuild`, `increment_growth`: the ledger of 10,000 new lines against the ledger anew
at the largest size, and against the same at the smallest.
`btyd_seconds`: fits and values of a million customers; `peak_driver_mb`: Python's and Java's
process, which runs the tasks as well; the table's MB are with Python's workers.
"""

import argparse
import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.benchmarks.lifetime_work import draw_histories, full_data_fit_seconds
from scripts.benchmarks.measuring import say
from scripts.benchmarks.shop import Shop, prepared_shop, take_in_increment
from scripts.benchmarks.workers import Worker, worker


@dataclass(slots=True)
class Times:
    """Seconds of the rounds at one size.

    Attributes:
        rebuild: Ledger and features by Spark.
        ledger: The ledger's part of it.
        duckdb: The same by DuckDB, without strengths and p-values of seasons.
        increment: The ledger of the day after the history.
        peak_mb: Highest memory of Spark's driver and its workers.
        driver_peak_mb: Of the driver alone.
    """

    rebuild: list[float] = field(default_factory=list)
    ledger: list[float] = field(default_factory=list)
    duckdb: list[float] = field(default_factory=list)
    increment: list[float] = field(default_factory=list)
    peak_mb: float = 0.0
    driver_peak_mb: float = 0.0


def main() -> int:
    """Measure every size, print a table, then the JSON line."""
    args = _arguments()
    found: dict[int, Times] = {}
    with _folder(args.folder) as folder:
        for size in sorted(args.sizes):
            shop = prepared_shop(folder, size)
            found[size] = _measure_size(shop, args.rounds, args.driver_memory)
            if args.folder is None:
                shutil.rmtree(shop.folder)
        lifetime, lifetime_peak_mb = _measure_lifetime(folder, args)
    _say_table(found)
    peak_mb = max(lifetime_peak_mb, *(times.driver_peak_mb for times in found.values()))
    say(json.dumps({**_ratios(found), **lifetime, "peak_driver_mb": round(peak_mb)}))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--sizes", type=int, nargs="+", default=[5, 10, 50], help="millions of lines")
    add("--rounds", type=int, default=3, help="of each side; default 3")
    add("--customers", type=int, default=1_000_000, help="that are valued; default 1000000")
    add("--driver-memory", default="1g", help="heap of Spark's process; default 1g")
    add("--folder", type=Path, help="keep what is generated here; default: nothing is kept")
    return parser.parse_args()


@contextmanager
def _folder(wanted: Path | None) -> Iterator[Path]:
    if wanted is not None:
        yield wanted
        return
    with tempfile.TemporaryDirectory(prefix="bench-features-") as name:
        yield Path(name)


def _measure_size(shop: Shop, rounds: int, driver_memory: str) -> Times:
    """Rebuild in turns, then bring each round's ledger up to date with the next day."""
    times, as_of = Times(), shop.last_day.isoformat()
    files, folder = shop.line_files(), str(shop.folder / "duckdb")
    duckdb = worker("scripts.benchmarks.duckdb_worker")
    with _spark(shop.config, driver_memory) as spark, duckdb as peer:
        for number in range(rounds + 1):
            mine = spark.ask({"do": "build", "round": number, "as_of": as_of})
            theirs = peer.ask({"files": files, "folder": folder, "as_of": as_of})
            say(
                f"{shop.million_lines} million lines, round {number}: segspark "
                f"{mine['seconds']:.1f} s, DuckDB {theirs['seconds']:.1f} s"
            )
            if number > 0:
                times.rebuild.append(mine["seconds"])
                times.ledger.append(mine["stages"]["ledger"]["seconds"])
                times.duckdb.append(theirs["seconds"])
        take_in_increment(shop)
        for number in range(rounds + 1):
            command = {"do": "build", "round": number, "as_of": shop.next_day.isoformat()}
            ledger = spark.ask(command)["stages"]["ledger"]
            say(f"{shop.million_lines} million lines, increment: {ledger['seconds']:.1f} s")
            if number > 0:
                times.increment.append(ledger["seconds"])
        times.peak_mb, times.driver_peak_mb = spark.peak_mb, spark.driver_peak_mb
    return times


def _spark(config: Path, driver_memory: str) -> AbstractContextManager[Worker]:
    return worker("scripts.benchmarks.spark_worker", str(config), "--driver-memory", driver_memory)


def _measure_lifetime(folder: Path, args: argparse.Namespace) -> tuple[dict[str, Any], float]:
    """Fit and value drawn customers, the first time to warm up; then the peer's fit.

    Returns:
        The figures, and the highest memory of Spark's driver in MB.
    """
    place = folder / f"{args.customers}-customers"
    place.mkdir(parents=True, exist_ok=True)
    histories = draw_histories(place / "histories.parquet", args.customers)
    config = place / "bench.yml"
    config.write_text(json.dumps({"lake": {"location": str(place / "lake"), "currency": "EUR"}}))
    seconds = []
    with _spark(config, args.driver_memory) as spark:
        for _ in range(args.rounds + 1):
            seconds.append(spark.ask({"do": "value", "histories": str(histories)})["seconds"])
            say(f"{args.customers:,} customers, fitted and valued: {seconds[-1]:.1f} s")
        peak_mb = spark.driver_peak_mb
        say(f"highest memory of that: {spark.peak_mb:,.0f} MB")
    peer = full_data_fit_seconds(histories)
    say(f"{args.customers:,} customers, BG/NBD fitted to each of them: {peer:.1f} s")
    return {
        "btyd_seconds": round(statistics.median(seconds[1:]), 1),
        "btyd_peer_fit_seconds": round(peer, 1),
    }, peak_mb


def _say_table(found: dict[int, Times]) -> None:
    titles = ("million lines", "rebuild, s", "its ledger", "DuckDB, s", "increment, s", "MB")
    say("".join(f"{title:>15}" for title in titles))
    for size, times in found.items():
        medians = (times.rebuild, times.ledger, times.duckdb, times.increment)
        shown = "".join(f"{statistics.median(seconds):>15.1f}" for seconds in medians)
        say(f"{size:>15}{shown}{times.peak_mb:>15,.0f}")


def _ratios(found: dict[int, Times]) -> dict[str, float]:
    smallest, largest = found[min(found)], found[max(found)]
    ratios = {
        f"rebuild_vs_duckdb_{size}m": _ratio(times.rebuild, times.duckdb)
        for size, times in found.items()
    }
    if len(found) > 1:
        ratios["increment_growth"] = _ratio(largest.increment, smallest.increment)
    return {
        **ratios,
        "increment_vs_rebuild": _ratio(largest.increment, largest.ledger),
    }


def _ratio(mine: list[float], theirs: list[float]) -> float:
    return round(statistics.median(mine) / statistics.median(theirs), 2)


if __name__ == "__main__":
    sys.exit(main())
