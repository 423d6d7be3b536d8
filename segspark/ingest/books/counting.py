"""Which batches count, and what took the place of those that do not."""

from collections.abc import Mapping, Sequence

from pyspark.sql import Row


def counting_batches(rows: Sequence[Row], hashes: Mapping[str, str]) -> list[Row]:
    """The batches that count under the present settings.

    A batch that is taken in again after it was replaced counts again; what it replaced the first
    time stays replaced, unless that was taken in again in between.

    Args:
        rows: Of `ingest_batches`.
        hashes: Source name → `source_hash` of its present settings. Batches made under other
            settings hold the same purchases once more, so they do not count.

    Returns:
        Those that no later batch replaced, nor replays of replaced ones, in order of their ids.
    """
    own = [row for row in rows if hashes.get(row["source"]) == row["source_hash"]]
    replaced = {batch_id: number for batch_id, (number, _) in _replacements(own).items()}
    latest = [row for row in own if row["batch_number"] > replaced.get(row["batch_id"], 0)]
    ids = {row["batch_id"] for row in latest}
    standing = [row for row in latest if (row["replays_batch_id"] or row["batch_id"]) in ids]
    return sorted(standing, key=lambda row: str(row["batch_id"]))


def followers(rows: Sequence[Row]) -> dict[str, str]:
    """Content of each batch that was replaced → the content that took its place last.

    Args:
        rows: Of `ingest_batches`; one source under one setting.
    """
    contents = {row["batch_id"]: row["content_hash"] for row in rows}
    return {
        contents[batch_id]: contents[by]
        for batch_id, (_, by) in _replacements(rows).items()
        if batch_id in contents
    }


def _replacements(rows: Sequence[Row]) -> dict[str, tuple[int, str]]:
    """Batch → the number from which it was last replaced, and by which batch."""
    found: dict[str, tuple[int, str]] = {}
    for row in rows:
        for batch_id, number in row["replaced_batch_numbers"].items():
            found[batch_id] = max(found.get(batch_id, (0, "")), (number, row["batch_id"]))
    return found
