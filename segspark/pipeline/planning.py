"""What a source holds that the lake does not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from segspark.errors import IngestError
from segspark.ingest.books.batches import (
    Batch,
    check_nothing_is_left_behind,
    counting_batches,
    new_batches,
    rows_hash,
)
from segspark.ingest.files.choosing_store import store_for
from segspark.ingest.files.contents import Content, file_contents, names
from segspark.ingest.files.seen_files import files_of
from segspark.ingest.files.source_files import SourceFile, find_files
from segspark.ingest.files.stores import Store
from segspark.ingest.reading.table_errors import table_sentences
from segspark.ingest.reading.table_sources import (
    highest_watermark,
    open_table,
    rows_above,
    table_version,
)
from segspark.pipeline.stage import Workspace
from segspark.settings.base import resolve_location, without_credentials
from segspark.settings.formats import DeltaFormat, JdbcFormat
from segspark.settings.sources import Source
from segspark.tables.engine_errors import engine_sentences
from segspark.tables.ids import content_hash
from segspark.tables.ingested import INGEST_BATCHES, INGEST_FILES


@dataclass(frozen=True, slots=True)
class SourcePlan:
    """One source's new batches and how to read them.

    Attributes:
        name: The source.
        source: Its settings.
        contents: Everything that it holds now, by content hash.
        batches: What of it is new.
        files: All its files.
        store: Where they are; None for a table.
        table: Its new rows; None for files.
    """

    name: str
    source: Source
    contents: Mapping[str, Content]
    batches: Sequence[Batch]
    files: Sequence[SourceFile] = ()
    store: Store | None = None
    table: DataFrame | None = None

    @property
    def watermark_column(self) -> str | None:
        """What a table is taken in by, if anything: then nothing of it is ever left behind."""
        return getattr(self.source.format, "watermark_column", None)


def plan_source(
    workspace: Workspace, name: str, source: Source, known: Sequence[Row], staging: str
) -> SourcePlan:
    """Look at a source, and find what is new in it.

    Args:
        workspace: The surroundings.
        name: The source's name.
        source: Its settings.
        known: All batches that count now.
        staging: Address of a folder for what has to be copied.

    Raises:
        IngestError: The source cannot be read, or is not what it was before.
    """
    mine = [row for row in known if row["source"] == name]
    if isinstance(source.format, DeltaFormat | JdbcFormat):
        with table_sentences(source, name=name):
            plan = _table_plan(workspace, name, source, mine, staging)
    else:
        with engine_sentences(f"source {name}", error=IngestError):
            plan = _file_plan(workspace, name, source)
    if not mine and plan.watermark_column is None:
        earlier = _batches_before(workspace, name)
        check_nothing_is_left_behind(name, names(plan.contents), earlier)
    taken = {row["batch_id"]: (row["file_name"], row["content_hash"]) for row in mine}
    batches = new_batches(name, source, names(plan.contents), taken)
    return replace(plan, batches=batches)


def _batches_before(workspace: Workspace, name: str) -> list[Row]:
    """The source's batches under the settings that it had last."""
    batches = workspace.lake.read(INGEST_BATCHES).filter(F.col("source") == name)
    last = batches.orderBy(F.desc("ingested_at"), "batch_id").first()
    if last is None:
        return []
    return counting_batches(batches, {name: last["source_hash"]}).collect()


def _file_plan(workspace: Workspace, name: str, source: Source) -> SourcePlan:
    file_format = source.format
    if isinstance(file_format, DeltaFormat | JdbcFormat):
        raise TypeError(name)
    location = resolve_location(source.location)
    store = store_for(workspace.lake.spark, location)
    found = find_files(store, name, location)
    files = files_of(store, found, file_format, _seen(workspace, name))
    contents, repeated = file_contents(files, source)
    for one in repeated:
        workspace.progress.step(f"ingest: {one} equals another file of {name} and adds nothing")
    return SourcePlan(name, source, contents, (), files, store)


def _seen(workspace: Workspace, name: str) -> list[Row]:
    return workspace.lake.read(INGEST_FILES).filter(F.col("source") == name).collect()


def _table_plan(
    workspace: Workspace, name: str, source: Source, mine: Sequence[Row], staging: str
) -> SourcePlan:
    spark = workspace.lake.spark
    version = table_version(spark, source, name=name)
    table = open_table(spark, source, name=name, version=version)
    label = _table_name(source)
    column = getattr(source.format, "watermark_column", None)
    if column is not None:
        slices = [row for row in mine if row["watermark"] is not None]
        last = max(slices, key=lambda row: row["ingested_at"], default=None)
        above = last["watermark"] if last is not None else None
        highest = highest_watermark(table, column, name=name, low=above)
        if highest is None:
            return SourcePlan(name, source, {}, (), table=table)
        content = _slice(label, column, above, highest)
        table = rows_above(table, column, name=name, low=above, high=highest)
    else:
        if version is None:
            # A database has no versions: what is hashed must be what is taken in.
            copy = f"{staging}/{name}-table"
            table.write.mode("overwrite").parquet(copy)
            table = spark.read.parquet(copy)
        content = Content(label, rows_hash(table), datetime.now(UTC))
    contents = {content.content_hash: content}
    return SourcePlan(name, source, contents, (), table=table)


def _slice(label: str, column: str, above: str | None, highest: str) -> Content:
    """The rows since last time."""
    name = f"{label} above {above} up to {highest}" if above else f"{label} up to {highest}"
    digest = content_hash(label, column, above, highest)
    return Content(name, digest, datetime.now(UTC), above=above, watermark=highest)


def _table_name(source: Source) -> str:
    if isinstance(source.format, JdbcFormat):
        return source.format.table
    address = without_credentials(resolve_location(source.location))
    return address.rstrip("/").rsplit("/", 1)[-1]
