"""The manifest: a stage is done when, and only when, its row is written."""

import json
import platform
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from pyspark.sql import Row, SparkSession
from pyspark.sql import functions as F

from segspark import __version__
from segspark.tables.contract import TableContract
from segspark.tables.ids import content_hash
from segspark.tables.lake import Lake
from segspark.tables.operations import STAGE_RUNS


@dataclass(frozen=True, slots=True)
class StageRun:
    """One stage about to run: what it will write and what that depends on.

    Attributes:
        stage: ingest, ledger, event_ledger, features, lifetime, train, assign or publish.
        stage_id: Content address of the result.
        segmentation: Segmentation it runs for.
        as_of_date: Last day counted; None for stages that know no date.
        input_ids: Ids of the inputs.
        reads: Tables read; their Delta versions are recorded.
        config: The settings that the stage depends on, JSON-safe.
    """

    stage: str
    stage_id: str
    segmentation: str
    as_of_date: date | None
    input_ids: tuple[str, ...]
    reads: tuple[TableContract, ...]
    config: Mapping[str, Any]
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    _started: float = field(default_factory=time.monotonic)

    @property
    def elapsed_seconds(self) -> float:
        """Wall clock since the stage began."""
        return time.monotonic() - self._started


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a stage's work came to, for the manifest.

    Attributes:
        summary: One line for people.
        rows_in: Rows read, by what they are.
        rows_out: Rows written, by table.
        audit: What was checked and found, JSON-safe.
    """

    summary: str
    rows_in: Mapping[str, int]
    rows_out: Mapping[str, int]
    audit: Mapping[str, Any] = field(default_factory=dict)


def find_stage(lake: Lake, stage: str, stage_id: str) -> Row | None:
    """The stage's manifest row, or None while it is not done."""
    runs = lake.read(STAGE_RUNS)
    return runs.filter((F.col("stage") == stage) & (F.col("stage_id") == stage_id)).first()


def newest_stage(lake: Lake, stage: str, *, segmentation: str) -> Row | None:
    """The stage's last completed run for this segmentation, whatever its configuration."""
    is_of = (F.col("stage") == stage) & (F.col("segmentation") == segmentation)
    return lake.read(STAGE_RUNS).filter(is_of).orderBy(F.desc("completed_at"), "stage_id").first()


def finished_stages(
    lake: Lake, stage: str, *, segmentation: str, config_hash: str, as_of_date: date
) -> list[Row]:
    """The stage's runs for this segmentation, configuration and date, the newest first."""
    runs = lake.read(STAGE_RUNS).filter(
        (F.col("stage") == stage)
        & (F.col("segmentation") == segmentation)
        & (F.col("config_hash") == config_hash)
        & (F.col("as_of_date") == F.lit(as_of_date))
    )
    return runs.orderBy(F.desc("completed_at"), "stage_id").collect()


def complete_stage(
    lake: Lake, run: StageRun, outcome: Outcome, *, input_versions: Mapping[str, int]
) -> None:
    """Write the manifest row: the last thing a stage does.

    Args:
        lake: The tables.
        run: The stage.
        outcome: What it came to.
        input_versions: Delta version of each table it read, taken before it read them.
    """
    row = (
        run.stage,
        run.stage_id,
        run.segmentation,
        run.as_of_date,
        list(run.input_ids),
        dict(input_versions),
        dict(outcome.rows_in),
        dict(outcome.rows_out),
        json.dumps(run.config, sort_keys=True),
        content_hash(run.config),
        engine_versions(lake.spark),
        json.dumps({"summary": outcome.summary, **outcome.audit}, sort_keys=True, default=str),
        run.started_at,
        datetime.now(UTC),
        run.elapsed_seconds,
    )
    df = lake.spark.createDataFrame([row], STAGE_RUNS.schema)
    lake.replace(STAGE_RUNS, df, {"stage": run.stage, "stage_id": run.stage_id})


def table_versions(lake: Lake, tables: Iterable[TableContract]) -> dict[str, int]:
    """Newest Delta version of each table, by its name."""
    return {contract.name: lake.version(contract) for contract in tables}


def engine_versions(spark: SparkSession) -> dict[str, str]:
    """Versions of what computed a result."""
    java = spark.sql("SELECT java_method('java.lang.System', 'getProperty', 'java.version') v")
    return {
        "segspark": __version__,
        "python": platform.python_version(),
        "spark": spark.version,
        "delta": _version("delta-spark"),
        "java": str(java.collect()[0]["v"]),
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed as a package"
