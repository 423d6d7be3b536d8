"""Taking in a source's new batches: stage, count, check, write, read back, tie out."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import astuple, dataclass, field
from datetime import UTC, datetime
from functools import reduce

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from segspark.errors import IngestError
from segspark.ingest.books.batches import Batch, source_hash
from segspark.ingest.books.lines import copied_lines, good_rows, kept_lines, refused_lines
from segspark.ingest.books.tying_out import (
    Delivery,
    Written,
    count_delivery,
    count_written,
    imbalance,
)
from segspark.ingest.files.choosing_store import store_for
from segspark.ingest.files.seen_files import seen_files
from segspark.ingest.files.source_files import SourceFile, check_unchanged
from segspark.ingest.files.stores import Store
from segspark.ingest.parsing.exchange import read_rates
from segspark.ingest.parsing.rows import ENTITIES, Entity, entity_name, parse_rows
from segspark.ingest.quality.alarm_words import blocking_sentence
from segspark.ingest.quality.alarms import judge
from segspark.ingest.quality.figures import QualityRow
from segspark.ingest.quality.profile import profile_batches
from segspark.ingest.reading.file_rows import Readable, read_files, require_columns
from segspark.ingest.reading.preparing import prepare
from segspark.ingest.reading.raw import BATCH_ID, source_columns, with_file
from segspark.ingest.reading.table_errors import table_sentences
from segspark.pipeline.planning import SourcePlan
from segspark.pipeline.stage import Workspace
from segspark.settings.base import resolve_location
from segspark.settings.formats import DeltaFormat, JdbcFormat
from segspark.settings.sources import Source, TransactionSource
from segspark.tables.engine_errors import engine_sentences
from segspark.tables.ingested import INGEST_BATCHES, INGEST_FILES, INGEST_QUALITY, INGEST_REPLAYS

_BATCHES_AT_ONCE = 100
"""Batches of one commit: a killed ingest of many files goes on behind the last one."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Rows that are staged and counted, and not yet in the lake.

    Attributes:
        staged: One row per input row, from `parse_rows`.
        copies: From `copied_lines`; None where no row has a copy.
        deliveries: Batch id → what came in.
        quality: Rows of `ingest_quality`.
    """

    staged: DataFrame
    copies: DataFrame | None
    deliveries: Mapping[str, Delivery]
    quality: Sequence[QualityRow]


@dataclass(frozen=True, slots=True)
class Intake:
    """Raw rows of some batches of one source, about to be taken in.

    Attributes:
        name: The source.
        source: Its settings.
        batches: The batches that the rows belong to.
        watermarks: Batch id → highest watermark taken, where there is one.
        delivered: Batch id → when it was last written.
        seen: All files of the source, as they are now.
        history: The source's rows of `ingest_quality`, of the batches that count, in order.
        files: The files that the rows are read from, each with where it is.
        replays: Refused rows that are taken in again, as rows of `ingest_replays`; None otherwise.
    """

    name: str
    source: Source
    batches: Sequence[Batch]
    watermarks: Mapping[str, str | None] = field(default_factory=dict)
    delivered: Mapping[str, datetime] = field(default_factory=dict)
    seen: Sequence[SourceFile] = ()
    history: Sequence[Row] = ()
    files: Sequence[tuple[Store, SourceFile]] = ()
    replays: DataFrame | None = None

    @property
    def entity(self) -> Entity:
        """What the rows are."""
        return ENTITIES[entity_name(self.source)]

    @property
    def batch_ids(self) -> list[str]:
        """Ids of the batches."""
        return [batch.batch_id for batch in self.batches]


def take_in_source(
    workspace: Workspace, plan: SourcePlan, history: Sequence[Row], staging: str
) -> None:
    """Take in all new batches of a source, some at a time; each commit stands by itself.

    Args:
        workspace: The surroundings.
        plan: What is new.
        history: The source's rows of `ingest_quality`, of the batches that count.
        staging: Address of a folder for what is not yet in the lake.

    Raises:
        IngestError: A batch cannot be read, holds too many refused rows, rings a blocking alarm,
            or its books do not tie out; it, those behind it and those read together with it are
            not taken in.
    """
    for start in range(0, len(plan.batches), _BATCHES_AT_ONCE):
        batches = plan.batches[start : start + _BATCHES_AT_ONCE]
        contents = {b.batch_id: plan.contents[b.content_hash] for b in batches}
        files = [file for content in contents.values() for file in content.files]
        intake = Intake(
            plan.name,
            plan.source,
            batches,
            watermarks={batch_id: content.watermark for batch_id, content in contents.items()},
            delivered={batch_id: content.delivered_at for batch_id, content in contents.items()},
            seen=plan.files,
            history=history,
            files=[(plan.store, file) for file in files] if plan.store else (),
        )
        workspace.progress.step(f"ingest: reading {len(batches)} new batch(es) of {plan.name}")
        with engine_sentences(f"source {plan.name}", error=IngestError):
            raws = _raw_frames(workspace, plan, batches, staging)
        take_in(workspace, intake, raws, staging)


def take_in(workspace: Workspace, intake: Intake, raws: Sequence[DataFrame], staging: str) -> None:
    """Stage the rows once, then count, check, write and tie out; the batches' rows come last."""
    spark, name = workspace.lake.spark, intake.name
    place = f"{staging}/{name}-rows"
    try:
        with _reading(intake):
            parsed = reduce(DataFrame.unionByName, parse_intake(workspace, intake, raws))
            parsed.write.mode("overwrite").option("compression", "none").parquet(place)
    finally:
        # A file that changes while it is read may look damaged, and its sender is not to blame.
        for store, file in intake.files:
            check_unchanged(store, file)
    with engine_sentences(f"source {name}", error=IngestError):
        staged = spark.read.schema(parsed.schema).parquet(place)
        copies = copied_lines(staged).persist()
        try:
            deliveries = count_delivery(staged, copies)
            _refuse_bad_deliveries(intake, deliveries)
            quality = _quality(intake, staged, raws, deliveries)
            has_copies = any(delivery.copies for delivery in deliveries.values())
            counted = Counted(staged, copies if has_copies else None, deliveries, quality)
            _write(workspace, intake, counted)
        finally:
            copies.unpersist()


def _reading(intake: Intake) -> AbstractContextManager[None]:
    """What goes wrong in a table while its rows come is told with the table's name."""
    if isinstance(intake.source.format, DeltaFormat | JdbcFormat):
        return table_sentences(intake.source, name=intake.name)
    return engine_sentences(f"source {intake.name}", error=IngestError)


def _raw_frames(
    workspace: Workspace, plan: SourcePlan, batches: Sequence[Batch], staging: str
) -> list[DataFrame]:
    spark, name = workspace.lake.spark, plan.name
    if plan.store is None or isinstance(plan.source.format, DeltaFormat | JdbcFormat):
        if plan.table is None:
            raise TypeError(name)
        require_columns(plan.table, plan.source, name=name)
        batch = batches[0]
        delivered = plan.contents[batch.content_hash].delivered_at
        return [
            with_file(
                plan.table,
                batch_id=batch.batch_id,
                file_name=batch.name,
                delivered_at=delivered,
            )
        ]
    target = store_for(spark, staging)
    files = []
    for batch in batches:
        content = plan.contents[batch.content_hash]
        for file in content.files:
            address = prepare(
                file,
                store=plan.store,
                staging=target,
                folder=staging,
                file_format=plan.source.format,
            )
            files.append(Readable(file, plan.store, address, batch.batch_id, content.delivered_at))
    return read_files(spark, plan.source, files, name=name)


def parse_intake(
    workspace: Workspace, intake: Intake, raws: Sequence[DataFrame]
) -> list[DataFrame]:
    """Each raw frame typed by the source's mapping; lazy."""
    source = intake.source
    rates = None
    if isinstance(source, TransactionSource) and source.exchange_rates is not None:
        rates = read_rates(
            workspace.lake.spark,
            resolve_location(source.exchange_rates),
            most_age_days=source.most_rate_age_days,
        )
    currency = workspace.settings.lake.currency
    return [
        parse_rows(raw, name=intake.name, source=source, currency=currency, rates=rates)
        for raw in raws
    ]


def _refuse_bad_deliveries(intake: Intake, deliveries: Mapping[str, Delivery]) -> None:
    most = 0.0 if intake.replays is not None else intake.source.most_rejected_ratio
    for batch in intake.batches:
        delivery = deliveries.get(batch.batch_id)
        if delivery is None:
            raise IngestError(
                f"source {intake.name}: {batch.name} holds no rows but its header: send it "
                "again, or take it away"
            )
        if delivery.refused_ratio > most:
            reasons = sorted(delivery.reasons.items(), key=lambda item: -item[1])[:3]
            worst = "; ".join(f"{reason} ({rows})" for reason, rows in reasons)
            raise IngestError(
                f"source {intake.name}: {batch.name}: {delivery.refused.rows} of "
                f"{delivery.total.rows} rows are refused, above the {most:.1%} allowed "
                f"({worst}): correct the mapping of sources.{intake.name} or the file"
            )


def _quality(
    intake: Intake,
    staged: DataFrame,
    raws: Sequence[DataFrame],
    deliveries: Mapping[str, Delivery],
) -> list[QualityRow]:
    """Figures of the batches with their alarms; a blocking one refuses its batch."""
    if intake.replays is not None:
        return []
    columns = _columns_of(raws, intake)
    figures = profile_batches(
        good_rows(staged),
        intake.entity,
        columns=columns,
        refused={batch: delivery.refused_ratio for batch, delivery in deliveries.items()},
    )
    rows = judge(figures, intake.history, intake.source.quality, source=intake.name)
    for batch in intake.batches:
        mine = [row for row in rows if row.batch_id == batch.batch_id]
        sentence = blocking_sentence(intake.name, batch.name, mine, intake.source.quality)
        if sentence:
            raise IngestError(sentence)
    return rows


def _columns_of(raws: Sequence[DataFrame], intake: Intake) -> dict[str, list[str]]:
    """Batch → names of its source's columns."""
    if len(raws) == 1:
        return dict.fromkeys(intake.batch_ids, source_columns(raws[0]))
    found: dict[str, set[str]] = {batch: set() for batch in intake.batch_ids}
    for raw in raws:
        for row in raw.select(BATCH_ID).distinct().collect():
            found[row[BATCH_ID]].update(source_columns(raw))
    return {batch: sorted(columns) for batch, columns in found.items()}


def _write(workspace: Workspace, intake: Intake, counted: Counted) -> None:
    lake, entity, staged = workspace.lake, intake.entity, counted.staged
    rows = {"batch_id": intake.batch_ids}
    workspace.progress.step(f"ingest: writing {intake.name}")
    # First, since a restart that finds nothing new would not come here again.
    _remember_files(workspace, intake)
    lake.fill(entity.kept, kept_lines(staged, entity, counted.copies), rows)
    has_refused = any(delivery.refused.rows for delivery in counted.deliveries.values())
    # An attempt that was killed may have left refused rows that this one keeps.
    if has_refused or not lake.is_empty(entity.rejected, rows):
        lake.replace(entity.rejected, refused_lines(staged, entity), rows)
    if counted.quality:
        figures = [astuple(row) for row in counted.quality]
        quality = lake.spark.createDataFrame(figures, INGEST_QUALITY.schema)
        lake.replace(INGEST_QUALITY, quality, rows)
    if intake.replays is not None:
        lake.replace(INGEST_REPLAYS, intake.replays, rows)
    is_mine = F.col("batch_id").isin(intake.batch_ids)
    written = count_written(
        lake.read(entity.kept).filter(is_mine), lake.read(entity.rejected).filter(is_mine), entity
    )
    currency = workspace.settings.lake.currency
    entries = [
        _entry(intake, batch, counted.deliveries[batch.batch_id], written, currency)
        for batch in intake.batches
    ]
    entries_df = lake.spark.createDataFrame(entries, INGEST_BATCHES.schema)
    lake.replace(INGEST_BATCHES, entries_df, rows)


def _entry(
    intake: Intake,
    batch: Batch,
    delivery: Delivery,
    all_written: Mapping[str, Written],
    currency: str,
) -> tuple[object, ...]:
    """The batch's row of `ingest_batches`, once its books tie out."""
    name, source = intake.name, intake.source
    written = all_written.get(batch.batch_id, Written())
    problem = imbalance(delivery, written)
    if problem:
        raise IngestError(f"source {name}: the books of {batch.name} do not tie out: {problem}")
    return (
        batch.batch_id,
        name,
        entity_name(source),
        source_hash(name, source),
        batch.content_hash,
        batch.name,
        intake.delivered[batch.batch_id],
        batch.replaces,
        intake.watermarks.get(batch.batch_id),
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
        _rule_counts(source, delivery),
        written.first_date,
        written.last_date,
        datetime.now(UTC),
    )


def _rule_counts(source: Source, delivery: Delivery) -> dict[str, int]:
    """Every rule of the source, those that no row broke at zero, and the reasons of refusals."""
    refusals = {reason.removeprefix("rule: "): rows for reason, rows in delivery.reasons.items()}
    return {**{rule.name: 0 for rule in source.rules}, **refusals, **delivery.flagged}


def _remember_files(workspace: Workspace, intake: Intake) -> None:
    if not intake.seen or isinstance(intake.source.format, DeltaFormat | JdbcFormat):
        return
    rows = seen_files(intake.name, intake.source.format, intake.seen)
    df = workspace.lake.spark.createDataFrame(rows, INGEST_FILES.schema)
    workspace.lake.replace(INGEST_FILES, df, {"source": intake.name})
