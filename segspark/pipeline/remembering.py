"""Remembering which files were taken in, and under which names."""

from collections.abc import Collection, Mapping, Sequence

from segspark.ingest.files.contents import Content, content_name
from segspark.ingest.files.seen_files import SeenFile, as_seen_files, seen_files
from segspark.pipeline.holdings import Holdings
from segspark.pipeline.planning import FilePlan, SourcePlan
from segspark.pipeline.stage import Workspace
from segspark.settings.sources import Source
from segspark.tables.ingested import INGEST_FILES


def remember_files(
    workspace: Workspace,
    held: Sequence[Holdings],
    plans: Sequence[SourcePlan],
    counting: Mapping[str, Collection[str]],
) -> None:
    """Write `ingest_files` where files came, changed, or have other names than before.

    Args:
        workspace: The surroundings.
        held: What the lake held of the sources before.
        plans: What they hold, in the same order.
        counting: Source → hashes of the contents that count now.
    """
    rows: dict[str, list[SeenFile]] = {}
    for each, plan in zip(held, plans, strict=True):
        if isinstance(plan, FilePlan):
            taken_as = _taken_as(plan, each.source, counting.get(plan.name, ()))
            now = seen_files(
                plan.name, plan.file_format, plan.files, taken_as=taken_as, before=each.files
            )
            if now != as_seen_files(each.files):
                rows[plan.name] = now
    if rows:
        every = [row for own in rows.values() for row in own]
        df = workspace.lake.spark.createDataFrame(every, INGEST_FILES.schema)
        workspace.lake.replace(INGEST_FILES, df, {"source": list(rows)})


def _taken_as(plan: FilePlan, source: Source, counting: Collection[str]) -> Mapping[str, str]:
    """File name → hash of the content that it is in, where that counts."""
    contents: dict[str, Content] = {
        name: content
        for content in plan.contents.values()
        for name in (content.name, *content.copies)
    }
    hashes = {f.name: contents[content_name(f.name, source)].content_hash for f in plan.files}
    return {name: content for name, content in hashes.items() if content in counting}
