"""What the lake holds of its sources."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import Row
from pyspark.sql import functions as F

from segspark.ingest.books.batches import Books, source_hash
from segspark.ingest.books.counting import counting_batches, followers
from segspark.ingest.files.contents import content_name
from segspark.ingest.files.seen_files import taken_files
from segspark.pipeline.intake import INGEST
from segspark.pipeline.stage import Workspace
from segspark.settings.sources import Source
from segspark.tables.engine_errors import engine_sentences
from segspark.tables.ingested import INGEST_BATCHES, INGEST_FILES, INGEST_QUALITY
from segspark.tables.manifest import newest_stage


@dataclass(frozen=True, slots=True)
class Holdings:
    """What the lake holds of one source.

    Attributes:
        name: The source.
        source: Its settings.
        batches: The batches that count, in order of ingestion.
        earlier: The batches of the last ingest that ended well, where they were taken in under
            other settings.
        files: Its rows of `ingest_files`.
        followed_by: From `followers`, under its present settings.
    """

    name: str
    source: Source
    batches: Sequence[Row]
    earlier: Sequence[Row]
    files: Sequence[Row]
    followed_by: Mapping[str, str]

    def books(self) -> Books:
        """What counts, by content; replayed rows belong to the batch that refused them."""
        own = [row for row in self.batches if row["replays_batch_id"] is None]
        booked_as: dict[str, list[str]] = {}
        for row in own:
            booked_as.setdefault(row["file_name"], []).append(row["content_hash"])
        # Several files of a folder name one content: each once, in order.
        taken_as: dict[str, dict[str, None]] = {}
        for file in taken_files(self.files):
            taken_as.setdefault(content_name(file.name, self.source), {})[file.taken_as] = None
        batch_ids = {row["content_hash"]: row["batch_id"] for row in own}
        return Books(batch_ids, booked_as, taken_as, self.followed_by)


def source_hashes(workspace: Workspace) -> dict[str, str]:
    """Source → hash of its present settings."""
    currency = workspace.settings.lake.currency
    sources = workspace.settings.sources
    return {name: source_hash(name, source, currency=currency) for name, source in sources.items()}


def batch_rows(workspace: Workspace) -> list[Row]:
    """All rows of `ingest_batches` of the configured sources, whether they count or not.

    One for each content that was ever taken in: the driver looks at as many files each time anyway.
    """
    is_mine = F.col("source").isin(list(workspace.settings.sources))
    with engine_sentences("reading the ingested batches"):
        return workspace.lake.read(INGEST_BATCHES).filter(is_mine).collect()


def current_batches(workspace: Workspace) -> list[Row]:
    """The batches that count under the present settings, in order of their ids."""
    return counting_batches(batch_rows(workspace), source_hashes(workspace))


def holdings(workspace: Workspace) -> list[Holdings]:
    """What the lake holds of each source, in order of the configuration."""
    lake, sources = workspace.lake, workspace.settings.sources
    rows, hashes = batch_rows(workspace), source_hashes(workspace)
    with engine_sentences("reading what was ingested before"):
        files = lake.read(INGEST_FILES).filter(F.col("source").isin(list(sources))).collect()
        last = newest_stage(lake, INGEST, segmentation=workspace.settings.segmentation)
    finished = set(last["input_ids"]) if last else set()
    earlier = [
        row
        for row in rows
        if row["batch_id"] in finished and row["source_hash"] != hashes[row["source"]]
    ]
    in_order = sorted(counting_batches(rows, hashes), key=lambda row: int(row["batch_number"]))
    return [
        Holdings(
            name,
            source,
            batches=_of(name, in_order),
            earlier=_of(name, earlier),
            files=_of(name, files),
            followed_by=followers(
                [row for row in _of(name, rows) if row["source_hash"] == hashes[name]]
            ),
        )
        for name, source in sources.items()
    ]


def quality_history(workspace: Workspace, held: Holdings) -> list[Row]:
    """Rows of `ingest_quality` of a source's latest batches, the oldest batch first."""
    own = [row["batch_id"] for row in held.batches if not row["replays_batch_id"]]
    latest = own[-held.source.quality.history_batches :]
    if not latest:
        return []
    order = {batch_id: number for number, batch_id in enumerate(latest)}
    rows = workspace.lake.read(INGEST_QUALITY).filter(F.col("batch_id").isin(latest))
    return sorted(rows.collect(), key=lambda row: order[row["batch_id"]])


def _of(name: str, rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row["source"] == name]
