"""Tables as any reader of Delta sees them, made comparable between lakes and between runs."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb

from segspark.tables.catalogue import ALL_TABLES
from segspark.tables.contract import TableContract
from segspark.tables.lake import Lake

_EXTENSION = "extensions/v1.5.5/delta.duckdb_extension"
_OPERATIONAL = {"elapsed_seconds", "input_versions", "engine_versions"}
_ELSEWHERE = {"mlflow_model_version"}

Rows = list[dict[str, Any]]


def duckdb_with_delta() -> duckdb.DuckDBPyConnection:
    """DuckDB that reads Delta without a network; it is quicker than Spark on tables this small."""
    connection = duckdb.connect()
    connection.execute(f"LOAD '{files('duckdb_extension_delta') / _EXTENSION}'")
    return connection


def rows_of(lake: Lake, contract: TableContract, **where: str) -> Rows:
    """Rows with these values, in the order of the table's grain; none of a table never written."""
    if not _log(lake, contract).exists():
        return []
    conditions = "".join(f" AND {column} = ?" for column in where)
    query = f"SELECT * FROM delta_scan(?) WHERE true{conditions}"  # noqa: S608 - the tests' own words
    with duckdb_with_delta() as connection:
        found = connection.execute(query, [lake.address(contract), *where.values()])
        names = [column[0] for column in found.description or ()]
        rows = [dict(zip(names, values, strict=True)) for values in found.fetchall()]
    return sorted(rows, key=lambda row: [str(row[name]) for name in contract.grain])


def versions(lake: Lake) -> dict[str, int]:
    """How many commits each table has."""
    return {t.name: len(list(_log(lake, t).glob("*.json"))) for t in ALL_TABLES}


def all_tables(lake: Lake) -> dict[str, Rows]:
    """Every row of every table, without when, how fast and at which version it was written."""
    return {t.name: [_lasting(row) for row in rows_of(lake, t)] for t in ALL_TABLES}


def _log(lake: Lake, contract: TableContract) -> Path:
    return Path(lake.address(contract)) / "_delta_log"


def _lasting(row: dict[str, Any]) -> dict[str, Any]:
    kept = {
        name: value
        for name, value in row.items()
        if name not in _OPERATIONAL and (not name.endswith("_at") or name == "transaction_at")
    }
    if "audit_json" in kept:
        audit = json.loads(kept["audit_json"])
        kept["audit_json"] = {key: audit[key] for key in audit if key not in _ELSEWHERE}
    return kept
