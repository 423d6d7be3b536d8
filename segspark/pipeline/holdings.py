"""What the lake holds of its sources."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from segspark.ingest.books.batches import Books, counting_batches, source_hash
from segspark.ingest.files.contents import content_name
from segspark.ingest.files.seen_files import taken_files
from segspark.pipeline.stage import Workspace
from segspark.settings.sources import Source
from segspark.tables.engine_errors import engine_sentences
from segspark.tables.ingested import INGEST_BATCHES, INGEST_FILES, INGEST_QUALITY


@dataclass(frozen=True, slots=True)
class Holdings:
    """What the lake holds of one source.

    Attributes:
        name: The source.
        source: Its settings.
        batches: The batches that count, in order of ingestion.
        earlier: The batches that counted under the settings that it had before.
        files: Its rows of `ingest_files`.
    """

    name: str
    source: Source
    batches: Sequence[Row]
    earlier: Sequence[Row]
    files: Sequence[Row]

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
        return Books({row["content_hash"]: row["batch_id"] for row in own}, booked_as, taken_as)


def source_hashes(workspace: Workspace) -> dict[str, str]:
    """Source → hash of its present settings."""
    currency = workspace.settings.lake.currency
    sources = workspace.settings.sources
    return {name: source_hash(name, source, currency=currency) for name, source in sources.items()}


def current_batches(workspace: Workspace) -> list[Row]:
    """The batches that count under the present settings, in order of their ids."""
    batches = counting_batches(workspace.lake.read(INGEST_BATCHES), source_hashes(workspace))
    with engine_sentences("reading the ingested batches"):
        return batches.orderBy("batch_id").collect()


def holdings(workspace: Workspace, batches: Sequence[Row]) -> list[Holdings]:
    """What the lake holds of each source, in order of the configuration.

    Args:
        workspace: The surroundings.
        batches: Those that count, from `current_batches`.
    """
    sources = workspace.settings.sources
    with engine_sentences("reading what was ingested before"):
        files = (
            workspace.lake.read(INGEST_FILES).filter(F.col("source").isin(list(sources))).collect()
        )
        earlier = _earlier_batches(workspace)
    in_order = sorted(batches, key=lambda row: (row["ingested_at"], row["batch_id"]))
    return [
        Holdings(name, source, _of(name, in_order), _of(name, earlier), _of(name, files))
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


def _earlier_batches(workspace: Workspace) -> list[Row]:
    """The batches that counted under the settings that each source had last before these."""
    batches = workspace.lake.read(INGEST_BATCHES)
    hashes = _hashes_before(batches, source_hashes(workspace))
    return counting_batches(batches, hashes).collect() if hashes else []


def _hashes_before(batches: DataFrame, hashes: Mapping[str, str]) -> dict[str, str]:
    """Source → its newest hash that is not the present one."""
    present = [f"{name} {digest}" for name, digest in hashes.items()]
    others = batches.filter(
        F.col("source").isin(list(hashes))
        & ~F.concat_ws(" ", "source", "source_hash").isin(present)
    )
    newest = F.max_by("source_hash", "ingested_at").alias("source_hash")
    rows = others.groupBy("source").agg(newest).collect()
    return {row["source"]: row["source_hash"] for row in rows}
