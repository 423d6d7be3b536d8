"""What a source holds that the lake does not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pyspark.sql import DataFrame

from segspark.errors import IngestError, first_names
from segspark.ingest.books.batches import (
    Batch,
    Books,
    check_nothing_is_left_behind,
    new_batches,
    rows_digest,
    without_rows,
)
from segspark.ingest.files.choosing_store import store_for
from segspark.ingest.files.contents import (
    Content,
    check_no_file_counts_twice,
    file_contents,
    names,
)
from segspark.ingest.files.seen_files import files_of, taken_files
from segspark.ingest.files.source_files import SourceFile, find_files, unchanged
from segspark.ingest.files.stores import Store
from segspark.ingest.parsing.exchange import rates_of
from segspark.ingest.reading.file_columns import columns_by_file, look_at
from segspark.ingest.reading.file_rows import require_columns
from segspark.ingest.reading.raw import Columns
from segspark.ingest.reading.row_files import literal_address
from segspark.ingest.reading.sqlite_files import databases
from segspark.ingest.reading.table_errors import table_sentences
from segspark.ingest.reading.table_sources import (
    highest_watermark,
    open_table,
    rows_above,
    table_version,
)
from segspark.pipeline.holdings import Holdings
from segspark.pipeline.stage import Workspace
from segspark.settings.base import resolve_location, without_credentials
from segspark.settings.formats import FileFormat, JdbcFormat, SqliteFormat, TableFormat
from segspark.settings.sources import Source
from segspark.tables.engine_errors import engine_sentences
from segspark.tables.ids import content_hash


@dataclass(frozen=True, slots=True)
class FilePlan:
    """The new batches of a source of files, and how to read them.

    Attributes:
        name: The source.
        source: Its settings.
        file_format: The format of its files.
        store: Where they are.
        files: All its files.
        contents: Everything that it holds now, by content hash.
        batches: What of it is new.
        columns: The columns of each file of these, by its name.
        rates: The source's exchange rates, where something is new; None: it names none.
    """

    name: str
    source: Source
    file_format: FileFormat
    store: Store
    files: Sequence[SourceFile]
    contents: Mapping[str, Content]
    batches: Sequence[Batch]
    columns: Mapping[str, Columns]
    rates: DataFrame | None = None


@dataclass(frozen=True, slots=True)
class TablePlan:
    """The new batch of a source that is a table, if there is one.

    Attributes:
        name: The source.
        source: Its settings.
        table: Its new rows.
        contents: What they are, by content hash; empty where there is nothing to take.
        batches: The batch, if it is new.
        rates: As those of a `FilePlan`.
    """

    name: str
    source: Source
    table: DataFrame
    contents: Mapping[str, Content]
    batches: Sequence[Batch]
    rates: DataFrame | None = None


SourcePlan = FilePlan | TablePlan


def plan_source(workspace: Workspace, held: Holdings, staging: str) -> SourcePlan:
    """Look at a source and, where something is new in it, at its table of exchange rates.

    Args:
        workspace: The surroundings.
        held: The source, and what the lake holds of it.
        staging: Address of a folder for what has to be copied.

    Raises:
        IngestError: The source or its rates cannot be read, or it is not what it was before.
    """
    plan = _plan(workspace, held, staging)
    if not plan.batches:
        return plan
    # Later, where rows are parsed, other sources are taken in already.
    return replace(plan, rates=rates_of(workspace.lake.spark, held.source))


def _plan(workspace: Workspace, held: Holdings, staging: str) -> SourcePlan:
    file_format = held.source.format
    if isinstance(file_format, TableFormat):
        with table_sentences(held.source, name=held.name):
            return _table_plan(workspace, held, file_format, staging)
    with engine_sentences(f"source {held.name}", error=IngestError):
        return _file_plan(workspace, held, file_format)


def _file_plan(workspace: Workspace, held: Holdings, file_format: FileFormat) -> FilePlan:
    name, source = held.name, held.source
    location = resolve_location(source.location)
    store = store_for(workspace.lake.spark, location)
    skipped: list[str] = []
    found = find_files(store, name, location, note_skipped=skipped.append)
    if isinstance(file_format, SqliteFormat):
        found = databases(found)
    files = files_of(store, found, file_format, held.files, note_skipped=skipped.append)
    _say_what_to_look_at(workspace, name, files, skipped)
    contents = file_contents(files, source)
    for content in contents.values():
        for copy in content.copies:
            workspace.progress.step(
                f"ingest: {copy} equals {content.name} of {name} and adds nothing"
            )
    books = held.books()
    batches = _whole_batches(workspace, held, books, contents)
    if source.one_batch_per == "folder":
        replaced = {batch_id for batch in batches for batch_id in batch.replaces}
        check_no_file_counts_twice(
            name,
            contents,
            taken=taken_files(held.files),
            counting={
                content for content, batch in books.batch_ids.items() if batch not in replaced
            },
        )
    columns: dict[str, Columns] = {}
    for batch in batches:
        columns |= _look_into(held, store, file_format, batch, contents[batch.content_hash])
    return FilePlan(name, source, file_format, store, files, contents, batches, columns)


def _look_into(
    held: Holdings, store: Store, file_format: FileFormat, batch: Batch, content: Content
) -> dict[str, Columns]:
    """The columns of a new batch's files by their names; what has none to take in is refused."""
    with unchanged(store, content.files):
        looks = {
            file.name: look_at(file, store=store, file_format=file_format) for file in content.files
        }
        columns = {file_name: look.columns for file_name, look in looks.items()}
        columns_by_file(held.source, columns, name=held.name)
        if not any(look.has_rows for look in looks.values()):
            raise without_rows(held.name, batch)
    return columns


def _say_what_to_look_at(
    workspace: Workspace, name: str, files: Sequence[SourceFile], skipped: Sequence[str]
) -> None:
    """Say what nobody could tell from the tables: names left out, and ends that may be cuts."""
    if skipped:
        workspace.progress.say(
            f"ingest: left out of {name}, as _ or . in front of a name marks no data: "
            f"{first_names(sorted(set(skipped)))}"
        )
    open_ends = [file.name for file in files if file.may_be_cut]
    if open_ends:
        workspace.progress.say(
            f"ingest: {len(open_ends)} new file(s) of {name} end without a line end, so that a cut "
            f"within the last field would not be seen: {first_names(open_ends)}"
        )


def _whole_batches(
    workspace: Workspace, held: Holdings, books: Books, contents: Mapping[str, Content]
) -> list[Batch]:
    """The new batches of what is there as a whole each time, so that some of it may be missed."""
    # Slices of a growing table are no contents that could be there again.
    earlier = [row for row in held.earlier if row["watermark"] is None]
    check_nothing_is_left_behind(held.name, names(contents), books, earlier)
    return _batches(workspace, held, books, contents)


def _batches(
    workspace: Workspace, held: Holdings, books: Books, contents: Mapping[str, Content]
) -> list[Batch]:
    currency = workspace.settings.lake.currency
    return new_batches(held.name, held.source, names(contents), books, currency=currency)


def _table_plan(
    workspace: Workspace, held: Holdings, table_format: TableFormat, staging: str
) -> TablePlan:
    spark, name, source = workspace.lake.spark, held.name, held.source
    version = table_version(spark, source, name=name)
    table = open_table(spark, source, name=name, version=version)
    require_columns(table, source, name=name)
    if table_format.watermark_column is not None:
        return _slice_plan(workspace, held, table, table_format.watermark_column)
    if version is None:
        # A database has no versions: what is hashed must be what is taken in.
        copy = f"{staging}/{name}-table"
        table.write.mode("overwrite").parquet(copy)
        table = spark.read.parquet(literal_address(copy))
    digest = rows_digest(table)
    content = Content(_table_name(source), digest.content_hash, datetime.now(UTC))
    contents = {content.content_hash: content}
    batches = _whole_batches(workspace, held, held.books(), contents)
    if batches and not digest.row_count:
        raise without_rows(name, batches[0])
    return TablePlan(name, source, table, contents, batches)


def _slice_plan(workspace: Workspace, held: Holdings, table: DataFrame, column: str) -> TablePlan:
    """The rows of a growing table since last time."""
    name, source, label = held.name, held.source, _table_name(held.source)
    slices = [row["watermark"] for row in held.batches if row["watermark"] is not None]
    above = slices[-1] if slices else None
    highest = highest_watermark(table, column, name=name, low=above)
    if highest is None:
        return TablePlan(name, source, table, {}, ())
    title = f"{label} above {above} up to {highest}" if above else f"{label} up to {highest}"
    digest = content_hash(label, column, above, highest)
    contents = {digest: Content(title, digest, datetime.now(UTC), watermark=highest)}
    rows = rows_above(table, column, name=name, low=above, high=highest)
    return TablePlan(
        name, source, rows, contents, _batches(workspace, held, held.books(), contents)
    )


def _table_name(source: Source) -> str:
    if isinstance(source.format, JdbcFormat):
        return source.format.table
    address = without_credentials(resolve_location(source.location))
    return address.rstrip("/").rsplit("/", 1)[-1]
