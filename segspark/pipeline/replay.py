"""Command: refused rows out to be repaired, and back in."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from segspark.errors import IngestError
from segspark.ingest.books.batches import Batch, rows_hash
from segspark.ingest.books.replaying import (
    REJECTED_ID,
    check_repairs,
    exported_rows,
    open_refusals,
    read_repairs,
    repaired_rows,
    replay_id,
    still_refused,
)
from segspark.ingest.parsing.rows import ENTITIES, entity_name
from segspark.ingest.reading.mapped_columns import wanted_columns
from segspark.ingest.reading.raw import BATCH_ID, FILE_NAME
from segspark.pipeline.ingest import (
    current_batches,
    intake_outcome,
    intake_run,
    one_ingest_at_a_time,
)
from segspark.pipeline.stage import StageResult, Workspace, run_stage
from segspark.pipeline.taking_in import Intake, parse_intake, take_in
from segspark.tables.engine_errors import engine_sentences
from segspark.tables.ingested import INGEST_REPLAYS
from segspark.tables.manifest import Outcome


def export_refusals(workspace: Workspace, target: Path) -> int:
    """Write all rows that are refused now to a file of JSON lines; returns how many.

    Raises:
        IngestError: The file is there already, or cannot be written.
    """
    batches = current_batches(workspace)
    count = 0
    try:
        with target.open("x", encoding="utf-8") as file:
            for name, source in workspace.settings.sources.items():
                refusals = _refusals(workspace, name, batches)
                for line in exported_rows(refusals, wanted_columns(source)):
                    file.write(line + "\n")
                    count += 1
    except OSError as error:
        raise IngestError(f"{target}: cannot be written ({error.strerror})") from error
    workspace.progress.say(f"{count:,} refused rows are in {target}: repair their `row`, then "
                           f"run segspark replay {target}")  # fmt: skip
    return count


def replay(workspace: Workspace, address: str) -> StageResult:
    """Take in repaired rows; those that would be refused again stay where they are.

    Raises:
        IngestError: The file is not of the form that `export_refusals` writes, holds a row that
            does not wait to be repaired, or all its rows would be refused again.
    """
    with (
        one_ingest_at_a_time(workspace.lake) as staging,
        engine_sentences(f"replay {address}", error=IngestError),
    ):
        known = current_batches(workspace)
        repairs = read_repairs(workspace.lake.spark, address).persist()
        refusals = {n: _refusals(workspace, n, known) for n in workspace.settings.sources}
        check_repairs(repairs, refusals, address=address)
        plans = [
            (intake, raw)
            for name in sorted(refusals)
            for intake, raw in _intakes(workspace, name, repairs, refusals[name], known)
        ]
        if not plans:
            raise IngestError(f"{address}: no row can be taken in: repair them, see above why")
        new = [batch.batch_id for intake, _ in plans for batch in intake.batches]
        run = intake_run(workspace, sorted({*(row["batch_id"] for row in known), *new}))

        def work() -> Outcome:
            for intake, raw in plans:
                take_in(workspace, intake, [raw], staging)
            return intake_outcome(current_batches(workspace))

        return run_stage(workspace, run, work, is_there=lambda: False)


def _refusals(workspace: Workspace, name: str, batches: Sequence[Row]) -> DataFrame:
    entity = ENTITIES[entity_name(workspace.settings.sources[name])]
    mine = [row for row in batches if row["source"] == name]
    rejected = workspace.lake.read(entity.rejected)
    return open_refusals(rejected, workspace.lake.read(INGEST_REPLAYS), mine)


def _intakes(
    workspace: Workspace, name: str, repairs: DataFrame, refusals: DataFrame, known: Sequence[Row]
) -> list[tuple[Intake, DataFrame]]:
    """One intake for each batch of the source that refused some of the rows."""
    source, spark = workspace.settings.sources[name], workspace.lake.spark
    mine = repairs.filter(F.col("source") == name)
    if mine.isEmpty():
        return []
    dates = {row["batch_id"]: row["delivered_at"] for row in known if row["source"] == name}
    delivered = spark.createDataFrame(
        list(dates.items()), "batch_id string, delivered_at timestamp"
    )
    raw = repaired_rows(mine, refusals, delivered, wanted=wanted_columns(source))
    parsed = parse_intake(workspace, Intake(name, source, ()), [raw])[0]
    refused = still_refused(parsed)
    for row in refused.limit(10).collect():
        workspace.progress.say(f"{row[REJECTED_ID]} stays refused: {'; '.join(row['reasons'])}")
    good = raw.join(refused, raw[FILE_NAME] == refused[REJECTED_ID], how="left_anti").persist()
    refusing = [row[0] for row in good.select(BATCH_ID).distinct().collect()]
    titles = {row["batch_id"]: f"{row['file_name']}, repaired" for row in known}
    return [
        _intake(Intake(name, source, (), delivered=dates), good, batch, titles[batch])
        for batch in sorted(refusing)
    ]


def _intake(
    intake: Intake, repaired: DataFrame, rejected_batch: str, title: str
) -> tuple[Intake, DataFrame]:
    rows = repaired.filter(F.col(BATCH_ID) == rejected_batch)
    content = rows_hash(rows)
    batch_id = replay_id(intake.name, rejected_batch, content)
    batch = Batch(batch_id, title, content, replaces=None, replays=rejected_batch)
    replays = rows.groupBy(F.col(FILE_NAME).alias(REJECTED_ID)).agg(
        F.count("*").alias("copies_count")
    )
    replays = replays.withColumns({"batch_id": F.lit(batch_id), "source": F.lit(intake.name)})
    delivered = {batch_id: intake.delivered[rejected_batch]}
    whole = replace(intake, batches=[batch], delivered=delivered, replays=replays)
    return whole, rows.withColumn(BATCH_ID, F.lit(batch_id))
