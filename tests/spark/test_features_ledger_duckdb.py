"""Ledger and features against DuckDB: the same definitions, written a second time in SQL."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from pyspark.sql import DataFrame, SparkSession

from scripts.benchmarks.duckdb_features import write_features
from scripts.benchmarks.duckdb_ledger import write_ledger
from scripts.benchmarks.duckdb_seasons import write_seasons
from segspark.features.customers import customer_summaries, with_scores
from segspark.features.ledger import customer_days
from segspark.features.lines import ledger_lines
from segspark.features.returns import return_matches
from segspark.features.scores import score_cuts
from segspark.features.seasons import customer_seasons
from segspark.settings.features import FeatureSettings, LedgerSettings
from tests.histories import Line, day, random_histories, transactions

AS_OF = day(14)
LINES = [
    *random_histories(40, seed=5),
    Line("fees only", "A1", 1, day=3, kind="fee"),
    Line(None, "A2", 1, day=3),
    Line("no product", "A3", 2, day=1, product=None, number=900_001),
    Line("no product", "R3", -2, day=2, product=None, number=900_002),
]
KEYS = {
    "return_matches": ("return_line_id", "purchase_line_id"),
    "customer_days": ("customer_id", "purchase_date", "effective_date"),
    "customer_features": ("customer_id",),
    "customer_seasons": ("customer_id",),
}
Rows = dict[tuple[str, ...], dict[str, object]]


@pytest.fixture(scope="module")
def by_duckdb(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[Mapping[str, object]]]:
    """The peer's tables, from the same lines as a file."""
    folder = tmp_path_factory.mktemp("duckdb")
    transactions(spark, LINES).coalesce(1).write.parquet(str(folder / "lines"))
    files = [str(path) for path in (folder / "lines").glob("*.parquet")]
    with duckdb.connect() as connection:
        write_ledger(connection, files, folder)
        write_features(connection, AS_OF, folder)
        write_seasons(connection, AS_OF, folder)
        return {name: _read(connection, folder / f"{name}.parquet") for name in KEYS}


def test_returns_undo_the_same_units(
    spark: SparkSession, by_duckdb: dict[str, list[Mapping[str, object]]]
) -> None:
    found = return_matches(
        ledger_lines(transactions(spark, LINES), settings=LedgerSettings()), ledger_id="l"
    )
    _same("return_matches", found, by_duckdb["return_matches"], leaving_out={"ledger_id"})


def test_days_hold_the_same_sums(
    spark: SparkSession, by_duckdb: dict[str, list[Mapping[str, object]]]
) -> None:
    found = customer_days(
        ledger_lines(transactions(spark, LINES), settings=LedgerSettings()), ledger_id="l"
    )
    _same("customer_days", found, by_duckdb["customer_days"], leaving_out={"ledger_id"})


def test_customers_have_the_same_features(
    spark: SparkSession, by_duckdb: dict[str, list[Mapping[str, object]]]
) -> None:
    settings = FeatureSettings()
    days = customer_days(
        ledger_lines(transactions(spark, LINES), settings=LedgerSettings()), ledger_id="l"
    )
    summaries = customer_summaries(days, settings=settings, as_of=AS_OF)
    cuts = score_cuts(summaries, settings=settings)
    found = with_scores(
        summaries, settings=settings, cuts=cuts, as_of=AS_OF, snapshot_id="s"
    ).filter("exclusion_reason IS NULL")
    theirs = [row for row in by_duckdb["customer_features"] if row["exclusion_reason"] is None]
    _same("customer_features", found, theirs, leaving_out={"snapshot_id", "as_of_date"})


def test_customers_have_the_same_seasons(
    spark: SparkSession, by_duckdb: dict[str, list[Mapping[str, object]]]
) -> None:
    days = customer_days(
        ledger_lines(transactions(spark, LINES), settings=LedgerSettings()), ledger_id="l"
    )
    summaries = customer_summaries(days, settings=FeatureSettings(), as_of=AS_OF, with_seasons=True)
    found = customer_seasons(summaries, snapshot_id="s")
    kept = {
        f"{kind}_{what}"
        for kind in ("month", "weekday", "daypart")
        for what in ("shares", "concentration_ratio")
    } | {"customer_id", "order_count", "favourite_month", "favourite_weekday", "favourite_daypart"}
    _same(
        "customer_seasons",
        found,
        by_duckdb["customer_seasons"],
        leaving_out=set(found.columns) - kept,
    )


def _read(connection: duckdb.DuckDBPyConnection, path: Path) -> list[Mapping[str, object]]:
    rows: list[Mapping[str, object]] = (
        connection.read_parquet(str(path)).to_arrow_table().to_pylist()
    )
    return rows


def _same(
    name: str,
    found: DataFrame,
    theirs: Iterable[Mapping[str, object]],
    *,
    leaving_out: set[str],
) -> None:
    columns = [column for column in found.columns if column not in leaving_out]
    mine = [row.asDict() for row in found.select(*columns).collect()]
    assert _by_key(name, mine, columns) == _by_key(name, theirs, columns)


def _by_key(name: str, rows: Iterable[Mapping[str, object]], columns: list[str]) -> Rows:
    found = {
        tuple(str(row[key]) for key in KEYS[name]): {c: _value(row[c]) for c in columns}
        for row in rows
    }
    assert found
    return found


def _value(value: object) -> object:
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return round(float(value), 9)
    if isinstance(value, list | dict):
        return {name: round(share, 9) for name, share in dict(value).items()}
    return value
