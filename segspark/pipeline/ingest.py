"""Stage: sources → transactions, customers, products, events, with their books and refused rows."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from pyspark.sql import Row

from segspark.errors import IngestError
from segspark.ingest.files.choosing_store import store_for
from segspark.pipeline.holdings import Holdings, current_batches, holdings, quality_history
from segspark.pipeline.intake import INGEST
from segspark.pipeline.planning import SourcePlan, plan_source
from segspark.pipeline.remembering import remember_files
from segspark.pipeline.stage import StageResult, Workspace, run_stage
from segspark.pipeline.taking_in import take_in_source
from segspark.settings.root import Settings
from segspark.settings.sources import TransactionSource
from segspark.tables.ids import content_id
from segspark.tables.ingested import INGEST_BATCHES
from segspark.tables.lake import Lake
from segspark.tables.locks import table_lock
from segspark.tables.manifest import Outcome, StageRun

_TOTALS = tuple(
    c.name for c in INGEST_BATCHES.columns if c.name.endswith(("_row_count", "_amount"))
)


def ingest(workspace: Workspace) -> StageResult:
    """Take in whatever the configured sources hold that the lake does not.

    Raises:
        IngestError: A source cannot be read, holds too many refused rows, or its books do not tie
            out. Batches taken in before stay; the failed one does not count.
    """
    _check_sources(workspace.settings)
    with one_ingest_at_a_time(workspace.lake) as staging:
        held = holdings(workspace)
        plans = [plan_source(workspace, each, staging) for each in held]

        def work() -> Outcome:
            for each, plan in zip(held, plans, strict=True):
                if plan.batches:
                    take_in_source(workspace, plan, quality_history(workspace, each), staging)
            return intake_outcome(current_batches(workspace))

        # A file that goes back to an older content makes a set of batches that was complete once.
        is_there = not any(plan.batches for plan in plans)
        run = intake_run(workspace, _batch_ids(held, plans))
        try:
            result = run_stage(workspace, run, work, is_there=lambda: is_there)
        except IngestError:
            # What was taken in before the failure is not to be read again.
            remember_files(workspace, held, plans, _contents(current_batches(workspace)))
            raise
        remember_files(workspace, held, plans, {plan.name: plan.contents for plan in plans})
        return result


def _contents(batches: Sequence[Row]) -> dict[str, set[str]]:
    """Source → hashes of its contents that count."""
    found: dict[str, set[str]] = {}
    for row in batches:
        found.setdefault(row["source"], set()).add(row["content_hash"])
    return found


def intake_run(workspace: Workspace, batch_ids: Sequence[str]) -> StageRun:
    """The stage that leaves these batches counting."""
    settings = workspace.settings
    return StageRun(
        stage=INGEST,
        stage_id=content_id(INGEST, settings.segmentation, list(batch_ids)),
        segmentation=settings.segmentation,
        as_of_date=None,
        input_ids=tuple(batch_ids),
        reads=(),
        config=settings.model_dump(mode="json", include={"sources"}),
    )


def intake_outcome(batches: Sequence[Row]) -> Outcome:
    """What all batches that count come to."""
    # A replayed row came in once already, with the batch that refused it.
    replayed_rows = sum(row["in_row_count"] for row in batches if row["replays_batch_id"])
    totals = {name: sum(row[name] for row in batches) for name in _TOTALS}
    for side in ("in", "rejected"):
        totals[f"{side}_row_count"] -= replayed_rows
        totals[f"{side}_amount"] -= totals["replayed_amount"]
    rows_out: dict[str, int] = {}
    for row in batches:
        rows_out[row["entity"]] = rows_out.get(row["entity"], 0) + row["kept_row_count"]
    return Outcome(
        summary=(
            f"{totals['in_row_count']:,} rows in = {totals['kept_row_count']:,} kept + "
            f"{totals['duplicate_row_count']:,} duplicate + {totals['rejected_row_count']:,} "
            f"refused; {totals['in_amount']:,} in money ties out"
        ),
        rows_in={"source rows": totals["in_row_count"]},
        rows_out={**rows_out, INGEST_BATCHES.name: len(batches)},
        audit={name: str(total) for name, total in totals.items()},
    )


@contextmanager
def one_ingest_at_a_time(lake: Lake) -> Iterator[str]:
    """The address of a staging folder; what a killed ingest left on a local disk is removed."""
    folder = lake.local_folder
    everything = f"{lake.root}/_staging"
    # No lock holds in an object store: each ingest has a folder that no other one empties.
    staging = f"{everything}/{uuid4().hex}"
    with table_lock(folder / "_locks" if folder else None, "_ingest"):
        _remove_local(folder)
        try:
            yield staging
        finally:
            if folder is None:
                store_for(lake.spark, staging).delete(staging)
            _remove_local(folder)


def _remove_local(folder: Path | None) -> None:
    """The lock is held, so whatever is staged is a killed ingest's."""
    if folder is not None:
        shutil.rmtree(folder / "_staging", ignore_errors=True)


def _check_sources(settings: Settings) -> None:
    if not settings.sources:
        raise IngestError("the configuration names no source: add one under sources")
    for name, source in settings.sources.items():
        if not isinstance(source, TransactionSource) or source.exchange_rates is not None:
            continue
        if source.currency != settings.lake.currency:
            raise IngestError(
                f"source {name}: is in {source.currency} and the lake in "
                f"{settings.lake.currency}: set lake.currency, or name a table of "
                f"sources.{name}.exchange_rates"
            )


def _batch_ids(held: Sequence[Holdings], plans: Sequence[SourcePlan]) -> list[str]:
    new = [batch for plan in plans for batch in plan.batches]
    replaced = {batch_id for batch in new for batch_id in batch.replaces}
    kept = {row["batch_id"] for each in held for row in each.batches} - replaced
    return sorted(kept | {batch.batch_id for batch in new})
