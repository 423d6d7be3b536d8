"""DuckDB doing what `spark_worker` does, from the same files: a line in, a line out.

A line of standard input is JSON: `{"files": […], "folder": …, "as_of": …}`.
"""

import sys
import time
from collections.abc import Mapping
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from scripts.benchmarks.duckdb_features import write_features
from scripts.benchmarks.duckdb_ledger import write_ledger
from scripts.benchmarks.duckdb_seasons import write_seasons
from scripts.benchmarks.workers import serve


def main() -> int:
    """Serve until standard input ends."""
    serve(partial(_answer, duckdb.connect()))
    return 0


def _answer(connection: duckdb.DuckDBPyConnection, command: Mapping[str, Any]) -> dict[str, float]:
    folder = Path(command["folder"])
    folder.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    write_ledger(connection, command["files"], folder)
    ledger = time.monotonic() - started
    as_of = date.fromisoformat(command["as_of"])
    write_features(connection, as_of, folder)
    write_seasons(connection, as_of, folder)
    seconds = time.monotonic() - started
    _forget(connection)
    return {"seconds": seconds, "ledger_seconds": ledger}


def _forget(connection: duckdb.DuckDBPyConnection) -> None:
    """Give back the memory of the tables, 19 GB at fifty million lines, before Spark's turn."""
    tables = connection.execute("SELECT table_name FROM duckdb_tables() WHERE temporary").fetchall()
    for (name,) in tables:
        connection.execute(f'DROP TABLE "{name}"')


if __name__ == "__main__":
    sys.exit(main())
