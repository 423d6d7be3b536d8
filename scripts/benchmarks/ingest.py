"""Benchmark: `segspark ingest` of a large CSV beside a bare copy by Spark, in turns.

`make bench-ingest` runs it. Each measurement is a process of its own with the same heap; the copy
reads the CSV with its types and writes the same columns as a Delta table, and checks nothing.
Of the lines, 1 % are exact copies of another and 1 % are refused, half of these by a rule.
The last line is JSON: `ingest_vs_spark_copy` (ratio of the median seconds) and `peak_driver_mb`
(the ingest's Java and Python processes, each at its own highest).
"""

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from scripts.benchmarks.measuring import measure, say
from segspark.session.opening import spark_session
from segspark.settings.lake import SparkSettings

_CHUNK_LINES = 500_000
_RETURNED_RATIO = 0.02
_COPIED_RATIO = 0.01
_UNREADABLE_RATIO = 0.005
_TEST_RATIO = 0.005
_TEST_CUSTOMER = "TEST"
_CUSTOMERS = 400_000
_PRODUCTS = 4_000
_DAYS = 730
_HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
_SCHEMA = (
    "InvoiceNo string, StockCode string, Description string, Quantity int, "
    "InvoiceDate timestamp_ntz, UnitPrice decimal(18,4), CustomerID string, Country string"
)


def main() -> int:
    """Measure both sides in turns; print each time, then the JSON line."""
    args = _arguments()
    if args.copy:
        _copy(Path(args.copy[0]), Path(args.copy[1]), args.driver_memory)
        return 0
    with tempfile.TemporaryDirectory(dir=args.folder, prefix="bench-ingest-") as name:
        folder = Path(name)
        source = folder / "lines.csv"
        _write_lines(source, args.lines)
        size_mb = source.stat().st_size / 1e6
        say(f"{args.lines:,} lines, {size_mb:,.0f} MB, heap {args.driver_memory}")
        copies, ingests, peaks = [], [], []
        for number in range(args.rounds):
            seconds, _ = measure(_copy_command(source, folder / f"copy{number}", args))
            copies.append(seconds)
            say(f"round {number + 1}: Spark's copy {seconds:.1f} s")
            seconds, peak = measure(_ingest_command(source, folder, number, args))
            ingests.append(seconds)
            peaks.append(peak)
            say(f"round {number + 1}: ingest {seconds:.1f} s, {peak:,.0f} MB")
    result: dict[str, Any] = {
        "lines": args.lines,
        "copy_seconds": round(statistics.median(copies), 1),
        "ingest_seconds": round(statistics.median(ingests), 1),
        "ingest_vs_spark_copy": round(statistics.median(ingests) / statistics.median(copies), 2),
        "peak_driver_mb": round(max(peaks)),
    }
    say(json.dumps(result))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--driver-memory", default="2g", help="heap of either side")
    parser.add_argument("--folder", type=Path, help="where to put files; default: the system's")
    parser.add_argument("--copy", nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args()


def _write_lines(path: Path, lines: int) -> None:
    """Lines like those of a gift shop: skewed customers and products, returns, guests, copies.

    Some have a price that is no number, and some are of a customer that the source refuses.
    """
    random = np.random.default_rng(20261121)
    names = [f"GIFT {number:05d} WITH A NAME OF USUAL LENGTH" for number in range(_PRODUCTS)]
    with path.open("w", encoding="utf-8") as file:
        file.write(_HEADER)
        written = 0
        while written < lines:
            count = min(_CHUNK_LINES, lines - written)
            file.writelines(_chunk(random, names, written, count))
            written += count


def _chunk(random: np.random.Generator, names: list[str], start: int, count: int) -> list[str]:
    customers = (_CUSTOMERS * random.power(2, count)).astype(int)
    products = (_PRODUCTS * random.power(3, count)).astype(int)
    invoices = 500_000 + (start + np.arange(count)) // 20
    minutes = np.sort(random.integers(0, _DAYS * 1440, count))
    stamps = np.datetime64("2024-01-01T00:00") + minutes.astype("timedelta64[m]")
    quantities = random.geometric(0.2, count)
    quantities[random.random(count) < _RETURNED_RATIO] *= -1
    prices = random.integers(20, 5000, count) / 100
    shown_prices = np.char.mod("%.2f", prices)
    shown_prices[random.random(count) < _UNREADABLE_RATIO] = "free"
    shown_customers = np.where(customers % 25 == 0, "", np.char.mod("%d", 10000 + customers))
    shown_customers[random.random(count) < _TEST_RATIO] = _TEST_CUSTOMER
    texts = np.datetime_as_string(stamps, unit="s")
    lines = [
        f"{invoice},{20000 + product},{names[product]},{quantity},{text.replace('T', ' ')},"
        f"{price},{customer},United Kingdom\n"
        for invoice, product, quantity, text, price, customer in zip(
            invoices, products, quantities, texts, shown_prices, shown_customers, strict=True
        )
    ]
    for place in np.flatnonzero(random.random(count) < _COPIED_RATIO):
        lines[place] = lines[random.integers(count)]
    return lines


def _copy_command(source: Path, target: Path, args: argparse.Namespace) -> list[str]:
    here = [
        sys.executable,
        "-m",
        "scripts.benchmarks.ingest",
        "--driver-memory",
        args.driver_memory,
    ]
    return [*here, "--copy", str(source), str(target)]


def _copy(source: Path, target: Path, driver_memory: str) -> None:
    settings = SparkSettings(driver_memory=driver_memory)
    with spark_session(settings, app_name="copy") as spark:
        rows = spark.read.schema(_SCHEMA).option("header", value=True).csv(str(source))
        rows.write.format("delta").save(str(target))


def _ingest_command(source: Path, folder: Path, number: int, args: argparse.Namespace) -> list[str]:
    config = folder / "bench.yml"
    document = {
        "lake": {"location": str(folder / f"lake{number}"), "currency": "GBP"},
        "spark": {"driver_memory": args.driver_memory},
        "sources": {
            "shop": {
                "location": str(source),
                "format": {"kind": "csv"},
                "currency": "GBP",
                "stamp_zone": "Europe/London",
                "business_zone": "Europe/London",
                "columns": {
                    "customer_id": "CustomerID",
                    "order_id": "InvoiceNo",
                    "transaction_at": "InvoiceDate",
                    "product_id": "StockCode",
                    "description": "Description",
                    "quantity": "Quantity",
                    "unit_price": "UnitPrice",
                    "country": "Country",
                },
                "rules": [
                    {
                        "name": "test_customer",
                        "severity": "refuse",
                        "column": "customer_id",
                        "forbidden_pattern": f"^{_TEST_CUSTOMER}$",
                    },
                    {
                        "name": "sane_quantity",
                        "severity": "flag",
                        "column": "quantity_units",
                        "least": -20,
                        "most": 20,
                    },
                ],
            }
        },
    }
    config.write_text(yaml.safe_dump(document), encoding="utf-8")
    return [sys.executable, "-m", "segspark.cli", "ingest", "--config", str(config)]


if __name__ == "__main__":
    sys.exit(main())
