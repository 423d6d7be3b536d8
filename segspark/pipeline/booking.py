"""Counted rows into the lake: rows first, then the books, once they tie out."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from functools import partial

from pyspark import inheritable_thread_target
from pyspark.sql import functions as F

from segspark.errors import IngestError
from segspark.ingest.books.batches import Batch, source_hash
from segspark.ingest.books.lines import kept_lines, refused_lines
from segspark.ingest.books.tying_out import (
    NO_MONEY,
    Delivery,
    Written,
    count_written,
    imbalance,
)
from segspark.ingest.parsing.rows import entity_name
from segspark.pipeline.intake import Counted, Intake
from segspark.pipeline.stage import Workspace
from segspark.settings.sources import Source
from segspark.tables.ingested import INGEST_BATCHES, INGEST_QUALITY, INGEST_REPLAYS
from segspark.tables.lake import Lake


def write_batches(workspace: Workspace, intake: Intake, counted: Counted) -> None:
    """Write all tables of some batches; they count from the moment their books are written.

    Where a write fails the others end first; what they wrote counts for nobody, and the next
    attempt replaces it.

    Raises:
        IngestError: What was written does not tie out with what came in.
        StorageError: A table cannot be written.
    """
    lake, entity, staged = workspace.lake, intake.entity, counted.staged
    rows = {"batch_id": intake.batch_ids}
    workspace.progress.step(f"ingest: writing {intake.name}")
    has_refused = any(delivery.refused.rows for delivery in counted.deliveries.values())
    # An attempt that was killed may have left refused rows that this one keeps.
    writes_refused = has_refused or not lake.is_empty(entity.rejected, rows)
    kept = kept_lines(staged, entity, counted.copies)
    writes: list[Callable[[], None]] = [partial(lake.replace, entity.kept, kept, rows)]
    if writes_refused:
        writes.append(partial(lake.replace, entity.rejected, refused_lines(staged, entity), rows))
    if counted.quality:
        figures = [astuple(row) for row in counted.quality]
        quality = lake.spark.createDataFrame(figures, INGEST_QUALITY.schema)
        writes.append(partial(lake.replace, INGEST_QUALITY, quality, rows))
    if intake.replayed is not None:
        writes.append(partial(lake.replace, INGEST_REPLAYS, intake.replayed.rows, rows))
    # Whoever cancels the caller's jobs, or gave them a pool, means these as well.
    as_caller = inheritable_thread_target(lake.spark)
    _write_side_by_side([as_caller(write) for write in writes])
    is_mine = F.col("batch_id").isin(intake.batch_ids)
    written = count_written(
        lake.read(entity.kept).filter(is_mine), lake.read(entity.rejected).filter(is_mine), entity
    )
    currency = workspace.settings.lake.currency
    entries = [
        _entry(intake, place, counted.deliveries[place.batch.batch_id], written, currency)
        for place in _places(lake, intake)
    ]
    entries_df = lake.spark.createDataFrame(entries, INGEST_BATCHES.schema)
    lake.replace(INGEST_BATCHES, entries_df, rows)


def _write_side_by_side(writes: Sequence[Callable[[], None]]) -> None:
    """Write several tables at once: small ones take long to commit and little of the processor.

    Raises:
        StorageError: Of the first of them that failed.
    """
    with ThreadPoolExecutor(len(writes)) as threads:
        started = [threads.submit(write) for write in writes]
    for write in started:
        write.result()


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a batch stands among the others: its number, and the numbers of its replacements."""

    batch: Batch
    number: int
    replaced: Mapping[str, int]


def _places(lake: Lake, intake: Intake) -> list[_Place]:
    """The next numbers. A batch that is taken in again keeps in mind what it replaced before."""
    is_mine = F.col("batch_id").isin(intake.batch_ids)
    before = F.collect_list(F.when(is_mine, F.struct("batch_id", "replaced_batch_numbers")))
    last = F.coalesce(F.max("batch_number"), F.lit(0))
    found = lake.read(INGEST_BATCHES).agg(last.alias("last"), before.alias("before")).collect()[0]
    replaced = {row["batch_id"]: row["replaced_batch_numbers"] for row in found["before"]}
    return [
        _Place(
            batch,
            number,
            {**replaced.get(batch.batch_id, {}), **dict.fromkeys(batch.replaces, number)},
        )
        for number, batch in enumerate(intake.batches, start=found["last"] + 1)
    ]


def _entry(
    intake: Intake,
    place: _Place,
    delivery: Delivery,
    all_written: Mapping[str, Written],
    currency: str,
) -> tuple[object, ...]:
    """The batch's row of `ingest_batches`, once its books tie out."""
    name, source, batch = intake.name, intake.source, place.batch
    written = all_written.get(batch.batch_id, Written())
    problem = imbalance(delivery, written)
    if problem:
        raise IngestError(f"source {name}: the books of {batch.name} do not tie out: {problem}")
    content = intake.contents[batch.batch_id]
    return (
        batch.batch_id,
        name,
        entity_name(source),
        source_hash(name, source, currency=currency),
        batch.content_hash,
        batch.name,
        content.delivered_at,
        place.number,
        dict(place.replaced),
        content.watermark,
        batch.replays,
        currency if intake.entity.has_money else None,
        delivery.total.rows,
        written.kept.rows,
        written.duplicate.rows,
        written.rejected.rows,
        written.guest_rows,
        delivery.total.amount,
        written.kept.amount,
        written.duplicate.amount,
        written.rejected.amount,
        intake.replayed.amount if intake.replayed is not None else NO_MONEY,
        _rule_counts(source, delivery),
        written.first_date,
        written.last_date,
        datetime.now(UTC),
    )


def _rule_counts(source: Source, delivery: Delivery) -> dict[str, int]:
    """Every rule of the source, those that no row broke at zero, and the reasons of refusals."""
    refusals = {reason.removeprefix("rule: "): rows for reason, rows in delivery.reasons.items()}
    return {**{rule.name: 0 for rule in source.rules}, **refusals, **delivery.flagged}
