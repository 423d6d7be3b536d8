"""Files as they were last taken in: what is the same is not read again, what changed is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import Row

from segspark.ingest.files.source_files import SourceFile, look_inside
from segspark.ingest.files.stores import FoundFile, NoteSkipped, Store, unnoted
from segspark.settings.formats import FileFormat
from segspark.tables.ids import content_hash

SeenContent = tuple[str | None, str, str, str]
SeenFile = tuple[str, str, str, str, list[SeenContent]]
"""A row of `ingest_files`."""


@dataclass(frozen=True, slots=True)
class TakenFile:
    """A file that was taken in, packed or not.

    Attributes:
        name: What the books call it.
        bytes_hash: SHA-256 of its bytes, unpacked.
        taken_as: Content hash of the batch that its rows came in with.
    """

    name: str
    bytes_hash: str
    taken_as: str


def files_of(
    store: Store,
    found: Sequence[FoundFile],
    file_format: FileFormat,
    seen: Sequence[Row],
    *,
    note_skipped: NoteSkipped = unnoted,
) -> list[SourceFile]:
    """What the found files hold, in order of their names.

    Args:
        store: Where they are.
        found: All files of a source.
        file_format: How they are to be read; they are inspected under it.
        seen: The source's rows of `ingest_files`.
        note_skipped: Takes what is left out of archives that are looked into.

    Raises:
        IngestError: A file that is new or changed is damaged or not what its format says.
    """
    known = {row["label"]: row for row in seen if row["format_hash"] == format_hash(file_format)}
    files: list[SourceFile] = []
    for one in found:
        row = known.get(one.label)
        if row is not None and row["fingerprint"] == one.fingerprint:
            files += [
                SourceFile(one, item["member"], item["packing"], item["content_hash"])
                for item in row["contents"]
            ]
        else:
            files += look_inside(store, one, file_format, note_skipped=note_skipped)
    return sorted(files, key=lambda file: file.name)


def taken_files(seen: Sequence[Row]) -> list[TakenFile]:
    """The files that rows of `ingest_files` speak of."""
    return [
        TakenFile(
            f"{row['label']}/{item['member']}" if item["member"] else row["label"],
            item["content_hash"],
            item["taken_as"],
        )
        for row in seen
        for item in row["contents"]
    ]


def seen_files(
    source: str,
    file_format: FileFormat,
    files: Sequence[SourceFile],
    *,
    taken_as: Mapping[str, str],
    before: Sequence[Row],
) -> list[SeenFile]:
    """The rows of `ingest_files` for a source, in order of their labels.

    A file that is gone, or whose new content was not taken in, keeps the row that it had: should
    it come again with another content, that still says what it replaces.

    Args:
        source: The source's name.
        file_format: How its files were inspected.
        files: All its files now.
        taken_as: File name → content hash of the batch that counts, where one does.
        before: The source's rows of `ingest_files`.
    """
    contents: dict[FoundFile, list[SourceFile]] = {}
    for file in files:
        contents.setdefault(file.found, []).append(file)
    digest = format_hash(file_format)
    rows: dict[str, SeenFile] = {row["label"]: _as_it_was(row) for row in before}
    for found, inside in contents.items():
        if all(file.name in taken_as for file in inside):
            items: list[SeenContent] = [
                (f.member, f.packing, f.content_hash, taken_as[f.name]) for f in inside
            ]
            rows[found.label] = (source, found.label, digest, found.fingerprint, items)
    return [rows[label] for label in sorted(rows)]


def as_seen_files(rows: Sequence[Row]) -> list[SeenFile]:
    """Rows of `ingest_files` as `seen_files` makes them, to be compared."""
    return [_as_it_was(row) for row in sorted(rows, key=lambda row: str(row["label"]))]


def format_hash(file_format: FileFormat) -> str:
    """Files of the same bytes are fit or unfit under one format."""
    return content_hash(file_format.model_dump(mode="json"))


def _as_it_was(row: Row) -> SeenFile:
    items = [
        (item["member"], item["packing"], item["content_hash"], item["taken_as"])
        for item in row["contents"]
    ]
    return (row["source"], row["label"], row["format_hash"], row["fingerprint"], items)
