"""Stage: sources → transactions, rejected_transactions, ingest_batches."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from segspark.errors import IngestError
from segspark.ingest.batches import (
    Batch,
    batches_of,
    check_nothing_is_left_behind,
    counting_batches,
    new_batches,
    rows_hash,
    source_hash,
)
from segspark.ingest.books import Delivery, Written, count_delivery, count_written, imbalance
from segspark.ingest.files import SourceFile, find_files, unpack
from segspark.ingest.lines import kept_lines, refused_lines
from segspark.ingest.parsing import parse_lines
from segspark.ingest.reading import read_files, read_table, table_rows, table_version
from segspark.pipeline.stage import StageResult, Workspace, run_stage
from segspark.settings.base import resolve_location
from segspark.settings.root import Settings
from segspark.settings.sources import CsvFormat, DeltaFormat, SourceSettings
from segspark.tables.engine_errors import engine_sentences
from segspark.tables.ids import content_id
from segspark.tables.lake import Lake
from segspark.tables.locks import table_lock
from segspark.tables.manifest import Outcome, StageRun
from segspark.tables.purchases import INGEST_BATCHES, REJECTED_TRANSACTIONS, TRANSACTIONS

STAGE = "ingest"
_TOTALS = tuple(
    c.name for c in INGEST_BATCHES.columns if c.name.endswith(("_row_count", "_amount"))
)


@dataclass(frozen=True, slots=True)
class _Plan:
    """One source's new batches and how to read them."""

    name: str
    source: SourceSettings
    files: Mapping[str, SourceFile]
    batches: Sequence[Batch]
    table_version: int | None


def ingest(workspace: Workspace) -> StageResult:
    """Take in whatever the configured sources hold that the lake does not.

    Raises:
        IngestError: A source cannot be read, holds too many refused rows, or its books do not tie
            out. Batches taken in before stay; the failed one does not count.
    """
    settings, lake = workspace.settings, workspace.lake
    _check_sources(settings)
    with _one_ingest_at_a_time(lake) as staging:
        known = current_batches(workspace)
        plans = [_plan(lake, name, source, known) for name, source in settings.sources.items()]
        batch_ids = _batch_ids(known, plans)
        run = StageRun(
            stage=STAGE,
            stage_id=content_id(STAGE, settings.segmentation, batch_ids),
            segmentation=settings.segmentation,
            as_of_date=None,
            input_ids=tuple(batch_ids),
            reads=(),
            config=settings.model_dump(mode="json", include={"sources"}),
        )

        def work() -> Outcome:
            for plan in plans:
                _take_in(workspace, plan, staging)
            return _outcome(current_batches(workspace))

        # A file that goes back to an older content makes a set of batches that was complete once.
        is_there = not any(plan.batches for plan in plans)
        return run_stage(workspace, run, work, is_there=lambda: is_there)


def current_batches(workspace: Workspace) -> list[Row]:
    """The batches that count under the present settings, in order of their ids; one row a file."""
    hashes = {n: source_hash(n, source) for n, source in workspace.settings.sources.items()}
    batches = counting_batches(workspace.lake.read(INGEST_BATCHES), hashes)
    with engine_sentences("reading the ingested batches"):
        return batches.orderBy("batch_id").collect()


def _check_sources(settings: Settings) -> None:
    if not settings.sources:
        raise IngestError("the configuration names no source: add one under sources")
    for name, source in settings.sources.items():
        if source.currency != settings.lake.currency:
            raise IngestError(
                f"source {name}: is in {source.currency} and the lake in "
                f"{settings.lake.currency}: one lake has one currency, set lake.currency"
            )


def _plan(lake: Lake, name: str, source: SourceSettings, known: Sequence[Row]) -> _Plan:
    if isinstance(source.format, DeltaFormat):
        address = resolve_location(source.location)
        with engine_sentences(f"source {name}: reading its table", error=IngestError):
            version = table_version(lake.spark, address)
            rows = rows_hash(read_table(lake.spark, address, version=version))
        contents = {rows: address.rstrip("/").rsplit("/", 1)[-1]}
        files: dict[str, SourceFile] = {}
    else:
        version = None
        found = find_files(name, source)
        files = {file.content_hash: file for file in found}
        contents = batches_of(found)
    mine = {
        row["batch_id"]: (row["file_name"], row["content_hash"])
        for row in known
        if row["source"] == name
    }
    if not mine:
        check_nothing_is_left_behind(name, contents, _batches_before(lake, name))
    return _Plan(name, source, files, new_batches(name, source, contents, mine), version)


def _batches_before(lake: Lake, name: str) -> list[Row]:
    """The source's batches under the settings that it had last."""
    batches = lake.read(INGEST_BATCHES).filter(F.col("source") == name)
    last = batches.orderBy(F.desc("ingested_at"), "batch_id").first()
    if last is None:
        return []
    return counting_batches(batches, {name: last["source_hash"]}).collect()


def _batch_ids(known: Sequence[Row], plans: Sequence[_Plan]) -> list[str]:
    new = [batch for plan in plans for batch in plan.batches]
    replaced = {batch.replaces for batch in new}
    kept = {row["batch_id"] for row in known} - replaced
    return sorted(kept | {batch.batch_id for batch in new})


def _take_in(workspace: Workspace, plan: _Plan, staging: Path | None) -> None:
    """Parse, count, refuse or write, read back, tie out; the batches' rows are written last."""
    if not plan.batches:
        return
    lake, name = workspace.lake, plan.name
    batch_ids = [batch.batch_id for batch in plan.batches]
    workspace.progress.step(f"ingest: reading {len(batch_ids)} new file(s) of {name}")
    with engine_sentences(f"source {name}", error=IngestError):
        parsed = parse_lines(_read(lake, plan, staging), name=name, source=plan.source)
        deliveries = count_delivery(parsed)
    _refuse_bad_deliveries(plan, deliveries)
    rows = {"batch_id": batch_ids}
    workspace.progress.step(f"ingest: writing {name}")
    has_duplicates = any(delivery.copies for delivery in deliveries.values())
    lake.replace(TRANSACTIONS, kept_lines(parsed, has_duplicates=has_duplicates), rows)
    if any(delivery.refused.rows for delivery in deliveries.values()):
        lake.replace(REJECTED_TRANSACTIONS, refused_lines(parsed), rows)
    with engine_sentences(f"counting what was written of {name}"):
        is_mine = F.col("batch_id").isin(batch_ids)
        written = count_written(
            lake.read(TRANSACTIONS).filter(is_mine),
            lake.read(REJECTED_TRANSACTIONS).filter(is_mine),
        )
    entries = [_entry(plan, batch, deliveries, written) for batch in plan.batches]
    entries_df = lake.spark.createDataFrame(entries, INGEST_BATCHES.schema)
    lake.replace(INGEST_BATCHES, entries_df, rows)


def _read(lake: Lake, plan: _Plan, staging: Path | None) -> DataFrame:
    if isinstance(plan.source.format, DeltaFormat):
        address = resolve_location(plan.source.location)
        raw = read_table(lake.spark, address, version=plan.table_version or 0)
        return table_rows(raw, plan.source, name=plan.name, batch=plan.batches[0].batch_id)
    files = []
    for batch in plan.batches:
        file = plan.files[batch.content_hash]
        files.append((file, _readable(file, plan, staging), batch.batch_id))
    return read_files(lake.spark, plan.source, files, name=plan.name)


def _readable(file: SourceFile, plan: _Plan, staging: Path | None) -> Path:
    """Where Spark can read the file's bytes: the file itself, or an unpacked copy."""
    if not file.is_packed:
        return file.path
    if not isinstance(plan.source.format, CsvFormat):
        raise IngestError(f"{file.path}: only CSV is read from gzip and ZIP: unpack it first")
    if staging is None:
        raise IngestError(f"{file.path}: a remote lake has no folder to unpack to: unpack it first")
    return unpack(file, staging)


def _refuse_bad_deliveries(plan: _Plan, deliveries: Mapping[str, Delivery]) -> None:
    for batch in plan.batches:
        delivery = deliveries.get(batch.batch_id)
        if delivery is None:
            raise IngestError(f"source {plan.name}: {batch.name} holds no rows: send it again")
        ratio = delivery.refused.rows / delivery.total.rows
        if ratio > plan.source.most_rejected_ratio:
            reasons = sorted(delivery.reasons.items(), key=lambda item: -item[1])[:3]
            worst = "; ".join(f"{reason} ({rows})" for reason, rows in reasons)
            raise IngestError(
                f"source {plan.name}: {batch.name}: {delivery.refused.rows} of "
                f"{delivery.total.rows} rows are refused, above the "
                f"{plan.source.most_rejected_ratio:.1%} allowed ({worst}): correct the mapping of "
                f"sources.{plan.name} or the file"
            )


def _entry(
    plan: _Plan,
    batch: Batch,
    deliveries: Mapping[str, Delivery],
    all_written: Mapping[str, Written],
) -> tuple[object, ...]:
    """The batch's row of `ingest_batches`, once its books tie out."""
    delivery, written = deliveries[batch.batch_id], all_written.get(batch.batch_id, Written())
    problem = imbalance(delivery, written)
    if problem:
        raise IngestError(
            f"source {plan.name}: the books of {batch.name} do not tie out: {problem}"
        )
    return (
        batch.batch_id,
        plan.name,
        source_hash(plan.name, plan.source),
        batch.content_hash,
        batch.name,
        batch.replaces,
        plan.source.currency,
        delivery.total.rows,
        written.kept.rows,
        written.duplicate.rows,
        written.rejected.rows,
        written.guest_rows,
        delivery.total.amount,
        written.kept.amount,
        written.duplicate.amount,
        written.rejected.amount,
        written.first_date,
        written.last_date,
        datetime.now(UTC),
    )


def _outcome(batches: Sequence[Row]) -> Outcome:
    totals = {name: sum(row[name] for row in batches) for name in _TOTALS}
    return Outcome(
        summary=(
            f"{totals['in_row_count']:,} rows in = {totals['kept_row_count']:,} kept + "
            f"{totals['duplicate_row_count']:,} duplicate + {totals['rejected_row_count']:,} "
            f"refused; {totals['in_amount']:,} in money ties out"
        ),
        rows_in={"source rows": totals["in_row_count"]},
        rows_out={
            TRANSACTIONS.name: totals["kept_row_count"],
            REJECTED_TRANSACTIONS.name: totals["rejected_row_count"],
            INGEST_BATCHES.name: len(batches),
        },
        audit={name: str(total) for name, total in totals.items()},
    )


@contextmanager
def _one_ingest_at_a_time(lake: Lake) -> Iterator[Path | None]:
    """The staging folder, emptied of what a killed ingest left; None for a remote lake."""
    folder = lake.local_folder
    with table_lock(folder / "_locks" if folder else None, "_ingest"):
        if folder is None:
            yield None
            return
        staging = folder / "_staging"
        shutil.rmtree(staging, ignore_errors=True)
        try:
            yield staging
        finally:
            shutil.rmtree(staging, ignore_errors=True)
