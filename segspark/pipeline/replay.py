"""Command: refused rows out to be repaired, and back in."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from segspark.errors import IngestError
from segspark.ingest.books.batches import Batch, rows_digest
from segspark.ingest.books.replaying import (
    REJECTED_ID,
    count_replayed,
    exported_rows,
    open_refusals,
    read_repairs,
    repaired_rows,
    replay_id,
    replayed_amounts,
    replayed_rows,
    still_refused,
)
from segspark.ingest.files.contents import Content
from segspark.ingest.parsing.exchange import rates_of
from segspark.ingest.parsing.rows import ENTITIES, entity_name
from segspark.ingest.reading.mapped_columns import wanted_columns
from segspark.ingest.reading.raw import BATCH_ID, FILE_NAME, RawRows
from segspark.pipeline.holdings import current_batches
from segspark.pipeline.ingest import intake_outcome, intake_run, one_ingest_at_a_time
from segspark.pipeline.intake import Intake, Replayed
from segspark.pipeline.stage import StageResult, Workspace, run_stage
from segspark.pipeline.taking_in import parse_intake, take_in
from segspark.settings.sources import Source
from segspark.tables.engine_errors import engine_sentences
from segspark.tables.ingested import INGEST_REPLAYS
from segspark.tables.manifest import Outcome

_SHOWN_ROWS = 10


@dataclass(frozen=True, slots=True)
class _Refused:
    """What of a source waits to be repaired.

    Attributes:
        name: The source.
        source: Its settings.
        rows: From `open_refusals`.
        batches: Its batches that count.
    """

    name: str
    source: Source
    rows: DataFrame
    batches: Sequence[Row]


def export_refusals(workspace: Workspace, target: Path) -> int:
    """Write all rows that are refused now to a file of JSON lines; returns how many.

    Raises:
        IngestError: The file is there already, or cannot be written.
    """
    count = 0
    batches = current_batches(workspace)
    replayed = replayed_rows(workspace.lake.read(INGEST_REPLAYS), batches)
    try:
        with target.open("x", encoding="utf-8") as file:
            for refused in _refused(workspace, batches, replayed):
                for line in exported_rows(refused.rows, wanted_columns(refused.source)):
                    file.write(line + "\n")
                    count += 1
    except OSError as error:
        raise IngestError(f"{target}: cannot be written ({error.strerror})") from error
    workspace.progress.say(f"{count:,} refused rows are in {target}: repair their `row`, then "
                           f"run segspark replay {target}")  # fmt: skip
    return count


def replay(workspace: Workspace, address: str) -> StageResult:
    """Take in repaired rows; those that would be refused again stay where they are.

    Rows that an earlier replay took in are left out, so that one that was killed can go on.

    Raises:
        IngestError: The file is not of the form that `export_refusals` writes, holds a row that
            does not wait to be repaired, or all its rows would be refused again.
    """
    with (
        one_ingest_at_a_time(workspace.lake) as staging,
        engine_sentences(f"replay {address}", error=IngestError),
    ):
        known = current_batches(workspace)
        repairs = _staged(read_repairs(workspace.lake.spark, address), f"{staging}/repairs")
        replayed = replayed_rows(workspace.lake.read(INGEST_REPLAYS), known)
        refused = _refused(workspace, known, replayed)
        waiting = {each.name: each.rows for each in refused}
        done = count_replayed(repairs, waiting, replayed, address=address)
        if done:
            workspace.progress.say(f"{done:,} rows were replayed before and are left out")
        plans = [plan for each in refused for plan in _plans(workspace, each, repairs, staging)]
        if not plans and not done:
            raise IngestError(f"{address}: no row can be taken in: repair them, see above why")
        new = [batch.batch_id for intake, _ in plans for batch in intake.batches]
        run = intake_run(workspace, sorted({*(row["batch_id"] for row in known), *new}))

        def work() -> Outcome:
            for intake, raw in plans:
                take_in(workspace, intake, [raw], staging)
            return intake_outcome(current_batches(workspace))

        return run_stage(workspace, run, work, is_there=lambda: not plans)


def _refused(workspace: Workspace, batches: Sequence[Row], replayed: DataFrame) -> list[_Refused]:
    """What waits to be repaired, source by source."""
    lake, found = workspace.lake, []
    for name, source in sorted(workspace.settings.sources.items()):
        own = [row for row in batches if row["source"] == name]
        rejected = lake.read(ENTITIES[entity_name(source)].rejected)
        found.append(_Refused(name, source, open_refusals(rejected, replayed, own), own))
    return found


def _staged(df: DataFrame, place: str) -> DataFrame:
    """The rows as they are now, to be read as often as needed."""
    df.write.mode("overwrite").parquet(place)
    return df.sparkSession.read.schema(df.schema).parquet(place)


def _plans(
    workspace: Workspace, refused: _Refused, repairs: DataFrame, staging: str
) -> list[tuple[Intake, RawRows]]:
    """What is to be taken in for each batch of the source that refused some of the rows."""
    name, source, spark = refused.name, refused.source, workspace.lake.spark
    mine = repairs.filter(F.col("source") == name)
    if mine.isEmpty():
        return []
    delivered = spark.createDataFrame(
        [(row["batch_id"], row["delivered_at"]) for row in refused.batches],
        "batch_id string, delivered_at timestamp",
    )
    raw = repaired_rows(mine, refused.rows, delivered, wanted=wanted_columns(source))
    raw = _staged(raw, f"{staging}/{name}-repaired")
    intake = Intake(name, source, (), {}, rates=rates_of(spark, source))
    parsed = parse_intake(workspace, intake, [RawRows(raw, ())])[0]
    again = still_refused(parsed)
    for row in again.limit(_SHOWN_ROWS).collect():
        workspace.progress.say(f"{row[REJECTED_ID]} stays refused: {'; '.join(row['reasons'])}")
    good = raw.join(again, raw[FILE_NAME] == again[REJECTED_ID], how="left_anti")
    good = _staged(good, f"{staging}/{name}-good")
    amounts = replayed_amounts(good, refused.rows)
    return [
        _plan(intake, good, row, amounts[row["batch_id"]])
        for row in refused.batches
        if row["batch_id"] in amounts
    ]


def _plan(
    intake: Intake, repaired: DataFrame, refusing: Row, amount: Decimal
) -> tuple[Intake, RawRows]:
    """The repaired rows of one refusing batch, as a batch of their own."""
    refused_in = refusing["batch_id"]
    rows = repaired.filter(F.col(BATCH_ID) == refused_in)
    digest = rows_digest(rows).content_hash
    batch_id = replay_id(intake.name, refused_in, digest)
    title = f"{refusing['file_name']}, repaired"
    replays = rows.groupBy(F.col(FILE_NAME).alias(REJECTED_ID)).agg(
        F.count("*").alias("copies_count")
    )
    replays = replays.withColumns({"batch_id": F.lit(batch_id), "source": F.lit(intake.name)})
    whole = replace(
        intake,
        batches=[Batch(batch_id, title, digest, replays=refused_in)],
        contents={batch_id: Content(title, digest, refusing["delivered_at"])},
        replayed=Replayed(replays, amount),
    )
    return whole, RawRows(rows.withColumn(BATCH_ID, F.lit(batch_id)), (batch_id,))
