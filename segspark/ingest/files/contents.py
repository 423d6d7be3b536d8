"""What a source holds now: contents that are taken in, counted and replaced as one each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

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
        above: For a table with a watermark: its rows lie above this value; None: from the start.
        watermark: And up to this one; None without a watermark.
    """

    name: str
    content_hash: str
    delivered_at: datetime
    files: tuple[SourceFile, ...] = ()
    above: str | None = None
    watermark: str | None = None


def file_contents(
    files: Sequence[SourceFile], source: SourceSettings
) -> tuple[dict[str, Content], list[str]]:
    """Put files together as the source asks for.

    Args:
        files: In order of their names.
        source: Whether a file or a folder is one batch.

    Returns:
        The contents by their hashes, in order of their names, and the names of those that equal
        one before them, which add nothing.
    """
    groups: dict[str, list[SourceFile]] = {}
    for file in files:
        groups.setdefault(_group(file, source), []).append(file)
    contents: dict[str, Content] = {}
    repeated = []
    for name, members in groups.items():
        hashes = [_digest(file) for file in members]
        digest = hashes[0] if source.one_batch_per == "file" else content_hash(sorted(hashes))
        delivered = max(file.found.modified_at for file in members)
        if digest in contents:
            repeated.append(name)
        else:
            contents[digest] = Content(name, digest, delivered, tuple(members))
    return contents, repeated


def names(contents: Mapping[str, Content]) -> dict[str, str]:
    """Content hash → name in the books."""
    return {digest: content.name for digest, content in contents.items()}


def _digest(file: SourceFile) -> str:
    """Hash of the bytes, and of what folders such as `day=2026-01-01` add to each row."""
    folders = folder_columns(file.name)
    return content_hash(file.content_hash, folders) if folders else file.content_hash


def _group(file: SourceFile, source: SourceSettings) -> str:
    """The file's own name, or that of its folder."""
    if source.one_batch_per == "file":
        return file.name
    return str(PurePosixPath(file.name).parent)
