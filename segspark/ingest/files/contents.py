"""What a source holds now: contents that are taken in, counted and replaced as one each."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import PurePosixPath

from segspark.errors import IngestError
from segspark.ingest.files.seen_files import TakenFile
from segspark.ingest.files.source_files import SourceFile
from segspark.ingest.reading.row_files import folder_columns
from segspark.settings.sources import SourceSettings
from segspark.tables.ids import content_hash


@dataclass(frozen=True, slots=True)
class Content:
    """A file, all files of a folder, or the rows of a table.

    Attributes:
        name: What the books call it.
        content_hash: Hash of its bytes or rows.
        delivered_at: When it was last written, in UTC.
        files: Its files, in order; none for a table.
        copies: Names of further contents that equal it, and add nothing.
        watermark: For a table with a watermark: the highest value among its rows.
    """

    name: str
    content_hash: str
    delivered_at: datetime
    files: tuple[SourceFile, ...] = ()
    copies: tuple[str, ...] = ()
    watermark: str | None = None


def file_contents(files: Sequence[SourceFile], source: SourceSettings) -> dict[str, Content]:
    """Put files together as the source asks for.

    Args:
        files: In order of their names.
        source: Whether a file or a folder is one batch.

    Returns:
        The contents by their hashes, in order of their names.
    """
    groups: dict[str, list[SourceFile]] = {}
    for file in files:
        groups.setdefault(content_name(file.name, source), []).append(file)
    contents: dict[str, Content] = {}
    for name, members in groups.items():
        hashes = [file_digest(file.name, file.content_hash) for file in members]
        digest = hashes[0] if source.one_batch_per == "file" else content_hash(sorted(hashes))
        same = contents.get(digest)
        if same is not None:
            contents[digest] = replace(same, copies=(*same.copies, name))
        else:
            delivered = max(file.found.modified_at for file in members)
            contents[digest] = Content(name, digest, delivered, tuple(members))
    return contents


def check_no_file_counts_twice(
    name: str,
    contents: Mapping[str, Content],
    *,
    taken: Sequence[TakenFile],
    counting: Collection[str],
) -> None:
    """Refuse folders that share a file: its rows would count once for each of them.

    Args:
        name: The source's name.
        contents: All folders as they are now.
        taken: The files that were taken in before.
        counting: Content hashes of batches that go on counting; those of folders that are still
            there may be among them.

    Raises:
        IngestError: Naming the file and its equal.
    """
    places = {
        file_digest(file.name, file.bytes_hash): (file.name, file.taken_as)
        for file in taken
        if file.taken_as in counting
    }
    for content in sorted(contents.values(), key=lambda each: each.content_hash not in counting):
        for file in content.files:
            digest = file_digest(file.name, file.content_hash)
            equal, batch = places.setdefault(digest, (file.name, content.content_hash))
            if batch != content.content_hash and content.content_hash not in counting:
                raise IngestError(
                    f"source {name}: {file.name} equals {equal}, which is in another folder, and "
                    "its rows would count twice: take one of them away"
                )


def names(contents: Mapping[str, Content]) -> dict[str, tuple[str, ...]]:
    """Content hash → name in the books, and those of its copies."""
    return {digest: (content.name, *content.copies) for digest, content in contents.items()}


def content_name(file_name: str, source: SourceSettings) -> str:
    """What the books call the content that a file belongs to: the file's name, or its folder's."""
    return file_name if source.one_batch_per == "file" else str(PurePosixPath(file_name).parent)


def file_digest(file_name: str, bytes_hash: str) -> str:
    """Hash of the bytes, and of what folders such as `day=2026-01-01` add to each row."""
    folders = folder_columns(file_name)
    return content_hash(bytes_hash, folders) if folders else bytes_hash
