"""Batches: which contents of a source are new, and which still count."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from segspark.errors import IngestError, first_names
from segspark.ingest.reading.raw import AS_JSON, quoted
from segspark.settings.sources import SourceSettings, TransactionSource
from segspark.tables.ids import content_hash, content_id

_RESULT_VERSION = 2
"""Raised when the same bytes and settings would give other rows."""
_NOT_IN_THE_HASH: Mapping[str, bool | set[str]] = {
    **dict.fromkeys(("location", "changed_file", "most_rejected_ratio", "quality"), True),
    "exchange_rates": True,
    "format": {"user", "password", "partition_column", "partitions", "fetch_rows"},
}
"""Where a source is and how it is reached, and what refuses a batch as a whole. New rates are for
new lines: each line keeps the rate that it was taken in with."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One content of a source that is to be taken in.

    Attributes:
        batch_id: Content address.
        name: Its name in the books.
        content_hash: Hash of its bytes, or of its rows for a table.
        replaces: Batches of the contents that its files held before.
        replays: Batch whose refused rows are taken in again, or None.
    """

    batch_id: str
    name: str
    content_hash: str
    replaces: tuple[str, ...] = ()
    replays: str | None = None


def source_hash(name: str, source: SourceSettings, *, currency: str) -> str:
    """Hash of all settings that decide what a file's rows become; not of where the file is.

    Args:
        name: The source's name.
        source: Its settings.
        currency: The lake's; without a table of rates it is the source's own, and not hashed.
    """
    settings = source.model_dump(mode="json", exclude=dict(_NOT_IN_THE_HASH))
    has_rates = isinstance(source, TransactionSource) and source.exchange_rates is not None
    into = [currency] if has_rates else []
    return content_hash(name, settings, _RESULT_VERSION, *into)


@dataclass(frozen=True, slots=True)
class Books:
    """What of a source counts now, under its present settings.

    Attributes:
        batch_ids: Content hash → batch.
        booked_as: Name in the books → contents that count under it, in order of ingestion.
        taken_as: Name in the books → contents that were last taken in under it, renamed or not.
        followed_by: Content that counts no longer → the one that took its place.
    """

    batch_ids: Mapping[str, str] = field(default_factory=dict)
    booked_as: Mapping[str, Collection[str]] = field(default_factory=dict)
    taken_as: Mapping[str, Collection[str]] = field(default_factory=dict)
    followed_by: Mapping[str, str] = field(default_factory=dict)

    def before(self, name: str) -> list[str]:
        """Contents that a content of this name may follow; the last one is the likeliest."""
        booked, taken = self.booked_as.get(name, ()), self.taken_as.get(name, ())
        standing = {content: self._standing_for(content) for content in taken}
        if not any(standing.values()):
            return list(booked)
        # What took its place under another name is not this one's.
        return [now for before, now in standing.items() if now and now in (before, *booked)]

    def _standing_for(self, content: str) -> str | None:
        """The content, or what took its place since: a killed ingest remembers no names."""
        passed = set()
        while content not in self.batch_ids:
            passed.add(content)
            content = self.followed_by.get(content, content)
            if content in passed:
                return None
        return content


def new_batches(
    name: str,
    source: SourceSettings,
    contents: Mapping[str, Sequence[str]],
    books: Books,
    *,
    currency: str,
) -> list[Batch]:
    """The contents that are not yet in the lake, in order.

    Only a content that does not count yet replaces what its names stood for. One that counts, and
    shows up under another's name, was renamed: what it overwrites, as rotated files do, is history.

    Args:
        name: The source's name.
        source: Its settings.
        contents: Content hash → names in the books, its own and those of its copies.
        books: What counts now.
        currency: The lake's.

    Raises:
        IngestError: A name's content changed and the settings refuse that.
    """
    digest = source_hash(name, source, currency=currency)
    batches = []
    for content, file_names in contents.items():
        if content in books.batch_ids:
            continue
        replaces: dict[str, None] = {}
        for file_name in file_names:
            # A content that is still there was not changed: another folder's file has its name.
            gone = [before for before in books.before(file_name) if before not in contents]
            if gone and source.changed_file == "refuse":
                raise IngestError(
                    f"source {name}: {file_name} was ingested before with another content: give "
                    f"the new file a name of its own, or set sources.{name}.changed_file to replace"
                )
            replaces.update(dict.fromkeys(books.batch_ids[before] for before in gone[-1:]))
        batch_id = content_id("batch", name, digest, content)
        batches.append(Batch(batch_id, file_names[0], content, tuple(replaces)))
    return batches


def without_rows(name: str, batch: Batch) -> IngestError:
    """The refusal of a batch of the source `name` that has no rows."""
    return IngestError(
        f"source {name}: {batch.name} holds no rows but its header: send it again, or take it away"
    )


def check_nothing_is_left_behind(
    name: str, contents: Mapping[str, Sequence[str]], books: Books, earlier: Sequence[Row]
) -> None:
    """Refuse changed settings where files of earlier batches are gone.

    Batches made under other settings stop counting; files that are still there are taken in anew.
    History whose files are gone would drop out of every customer unseen.

    Args:
        name: The source's name.
        contents: Content hash → names in the books, of the files that are there.
        books: What counts under the present settings.
        earlier: The batches that counted under the settings before.

    Raises:
        IngestError: Naming the files.
    """
    present = {*chain.from_iterable(contents.values()), *books.booked_as}
    followed = {content for file_name in present for content in books.taken_as.get(file_name, ())}
    known = {*contents, *books.batch_ids, *followed}
    gone = sorted(
        row["file_name"]
        for row in earlier
        if row["content_hash"] not in known
        and row["file_name"] not in present
        and row["replays_batch_id"] is None
    )
    if gone:
        raise IngestError(
            f"source {name}: its settings changed, so its files have to be taken in anew, and "
            f"{first_names(gone)} are no longer there: put them back, or undo "
            "the change"
        )


class RowsDigest(NamedTuple):
    """What tells a table's rows from others.

    Attributes:
        content_hash: Hash of the rows in any order: what OPTIMIZE moves does not change it.
        row_count: How many.
    """

    content_hash: str
    row_count: int


def rows_digest(table: DataFrame) -> RowsDigest:
    """Hash and count a table's rows, by one job."""
    columns = sorted(table.columns)
    text = F.to_json(F.struct(*(quoted(name) for name in columns)), AS_JSON)
    # Two halves of a digest of the whole row, added up: NULLs and neighbours count, order does not.
    digest = F.sha2(text, 256)
    halves = [F.conv(F.substring(digest, start, 15), 16, 10) for start in (1, 16)]
    sums = [F.sum(half.cast("decimal(38,0)")).cast("string") for half in halves]
    found = table.agg(F.count("*").alias("rows"), *(s.alias(f"s{i}") for i, s in enumerate(sums)))
    row = found.collect()[0]
    digest_hash = content_hash(columns, row["rows"], row["s0"], row["s1"])
    return RowsDigest(digest_hash, row["rows"])
