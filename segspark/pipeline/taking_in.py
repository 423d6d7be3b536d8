"""Taking in a source's new batches: read, stage, count, check, then write and tie out."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import reduce

from pyspark.sql import DataFrame, Row

from segspark.errors import IngestError
from segspark.ingest.books.batches import Batch, without_rows
from segspark.ingest.books.lines import copied_lines, good_rows
from segspark.ingest.books.tying_out import Delivery, count_delivery
from segspark.ingest.files.choosing_store import store_for
from segspark.ingest.files.source_files import unchanged
from segspark.ingest.parsing.rows import parse_rows
from segspark.ingest.quality.alarm_words import blocking_sentence
from segspark.ingest.quality.alarms import judge
from segspark.ingest.quality.figures import QualityRow
from segspark.ingest.quality.profile import profile_batches
from segspark.ingest.reading.file_rows import Readable, read_files
from segspark.ingest.reading.preparing import prepare
from segspark.ingest.reading.raw import RawRows, source_columns, with_file
from segspark.ingest.reading.table_errors import table_sentences
from segspark.pipeline.booking import write_batches
from segspark.pipeline.intake import Counted, Intake
from segspark.pipeline.planning import FilePlan, SourcePlan, TablePlan
from segspark.pipeline.stage import Workspace
from segspark.pipeline.staging import implied_by, stage_rows
from segspark.settings.formats import TableFormat
from segspark.tables.engine_errors import engine_sentences

_BATCHES_AT_ONCE = 100
"""Batches of one commit: a killed ingest of many files goes on behind the last one."""


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
            or its books do not tie out; it and those behind it are not taken in.
    """
    so_far: list[QualityRow | Row] = list(history)
    starts = range(0, len(plan.batches), _BATCHES_AT_ONCE)
    waiting = [plan.batches[start : start + _BATCHES_AT_ONCE] for start in starts]
    while waiting:
        batches = waiting.pop(0)
        try:
            so_far += _take_in_together(workspace, plan, batches, so_far, staging)
        except IngestError:
            if len(batches) == 1:
                raise
            # Those before the one that cannot be taken in are not to wait for it.
            half = len(batches) // 2
            waiting[:0] = [batches[:half], batches[half:]]


def _take_in_together(
    workspace: Workspace,
    plan: SourcePlan,
    batches: Sequence[Batch],
    history: Sequence[QualityRow | Row],
    staging: str,
) -> Sequence[QualityRow]:
    """Take in some batches by one commit; returns their rows of `ingest_quality`."""
    contents = {batch.batch_id: plan.contents[batch.content_hash] for batch in batches}
    store = plan.store if isinstance(plan, FilePlan) else None
    intake = Intake(plan.name, plan.source, batches, contents, store, history, rates=plan.rates)
    workspace.progress.step(f"ingest: reading {len(batches)} new batch(es) of {plan.name}")
    with _unchanged(intake), engine_sentences(f"source {plan.name}", error=IngestError):
        if isinstance(plan, FilePlan):
            raws = _file_rows(workspace, plan, intake, staging)
        else:
            raws = [_table_rows(plan, intake)]
    return take_in(workspace, intake, raws, staging)


def take_in(
    workspace: Workspace, intake: Intake, raws: Sequence[RawRows], staging: str
) -> Sequence[QualityRow]:
    """Stage the rows once, then count, check, write and tie out; the batches' rows come last."""
    place = f"{staging}/{intake.name}-rows"
    implied = implied_by(intake, currency=workspace.settings.lake.currency)
    with _unchanged(intake), _reading(intake):
        parsed = reduce(DataFrame.unionByName, parse_intake(workspace, intake, raws))
        staged = stage_rows(parsed, place, implied=implied)
    with (
        engine_sentences(f"source {intake.name}", error=IngestError),
        copied_lines(staged) as copies,
    ):
        deliveries = count_delivery(staged, copies)
        _refuse_bad_deliveries(intake, deliveries)
        quality = _quality(intake, staged, raws, deliveries)
        has_copies = any(delivery.copies for delivery in deliveries.values())
        counted = Counted(staged, copies if has_copies else None, deliveries, quality)
        write_batches(workspace, intake, counted)
    return quality


def parse_intake(workspace: Workspace, intake: Intake, raws: Sequence[RawRows]) -> list[DataFrame]:
    """Each raw frame typed by the source's mapping; lazy."""
    name, source, currency = intake.name, intake.source, workspace.settings.lake.currency
    return [
        parse_rows(raw.frame, name=name, source=source, currency=currency, rates=intake.rates)
        for raw in raws
    ]


def _unchanged(intake: Intake) -> AbstractContextManager[None]:
    """Rows that come from no files have none that change."""
    return nullcontext() if intake.store is None else unchanged(intake.store, intake.files)


def _reading(intake: Intake) -> AbstractContextManager[None]:
    """What goes wrong in a table while its rows come is told with the table's name."""
    if isinstance(intake.source.format, TableFormat):
        return table_sentences(intake.source, name=intake.name)
    return engine_sentences(f"source {intake.name}", error=IngestError)


def _table_rows(plan: TablePlan, intake: Intake) -> RawRows:
    (batch,) = intake.batches
    delivered_at = intake.contents[batch.batch_id].delivered_at
    rows = with_file(
        plan.table, batch_id=batch.batch_id, file_name=batch.name, delivered_at=delivered_at
    )
    return RawRows(rows, (batch.batch_id,))


def _file_rows(workspace: Workspace, plan: FilePlan, intake: Intake, staging: str) -> list[RawRows]:
    spark = workspace.lake.spark
    target = store_for(spark, staging)
    files = []
    for batch_id, content in intake.contents.items():
        for file in content.files:
            address = prepare(
                file,
                store=plan.store,
                staging=target,
                folder=staging,
                file_format=plan.file_format,
            )
            columns = plan.columns[file.name]
            files.append(Readable(file, columns, address, batch_id, content.delivered_at))
    return read_files(spark, plan.source, files, name=plan.name)


def _refuse_bad_deliveries(intake: Intake, deliveries: Mapping[str, Delivery]) -> None:
    most = 0.0 if intake.replayed is not None else intake.source.most_rejected_ratio
    for batch in intake.batches:
        delivery = deliveries.get(batch.batch_id)
        if delivery is None:
            raise without_rows(intake.name, batch)
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
    raws: Sequence[RawRows],
    deliveries: Mapping[str, Delivery],
) -> Sequence[QualityRow]:
    """Figures of the batches with their alarms; a blocking one refuses its batch."""
    if intake.replayed is not None:
        return ()
    figures = profile_batches(
        good_rows(staged),
        intake.entity,
        columns=_columns_of(raws, intake),
        refused={batch: delivery.refused_ratio for batch, delivery in deliveries.items()},
    )
    rows = judge(figures, intake.history, intake.source.quality, source=intake.name)
    for batch in intake.batches:
        mine = [row for row in rows if row.batch_id == batch.batch_id]
        sentence = blocking_sentence(intake.name, batch.name, mine, intake.source.quality)
        if sentence:
            raise IngestError(sentence)
    return rows


def _columns_of(raws: Sequence[RawRows], intake: Intake) -> dict[str, list[str]]:
    """Batch → names of its source's columns; files of one folder may differ in them."""
    found: dict[str, dict[str, None]] = {batch_id: {} for batch_id in intake.batch_ids}
    for raw in raws:
        for batch_id in raw.batch_ids:
            found[batch_id].update(dict.fromkeys(source_columns(raw.frame)))
    return {batch_id: list(columns) for batch_id, columns in found.items()}
