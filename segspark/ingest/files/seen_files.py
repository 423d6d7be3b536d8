"""Files as they were last looked at: one that is the same is not read again to be hashed."""

from collections.abc import Sequence

from pyspark.sql import Row

from segspark.ingest.files.source_files import SourceFile, look_inside
from segspark.ingest.files.stores import FoundFile, Store
from segspark.settings.formats import FileFormat
from segspark.tables.ids import content_hash

SeenFile = tuple[str, str, str, str, list[tuple[str | None, str, str]]]
"""A row of `ingest_files`."""


def files_of(
    store: Store, found: Sequence[FoundFile], file_format: FileFormat, seen: Sequence[Row]
) -> list[SourceFile]:
    """What the found files hold, in order of their names.

    Args:
        store: Where they are.
        found: All files of a source.
        file_format: How they are to be read; they are inspected under it.
        seen: The source's rows of `ingest_files`.

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
            files += look_inside(store, one, file_format)
    return sorted(files, key=lambda file: file.name)


def seen_files(source: str, file_format: FileFormat, files: Sequence[SourceFile]) -> list[SeenFile]:
    """The rows of `ingest_files` for a source's files."""
    by_file: dict[FoundFile, list[tuple[str | None, str, str]]] = {}
    for file in files:
        item = (file.member, file.packing, file.content_hash)
        by_file.setdefault(file.found, []).append(item)
    digest = format_hash(file_format)
    return [
        (source, found.label, digest, found.fingerprint, contents)
        for found, contents in by_file.items()
    ]


def format_hash(file_format: FileFormat) -> str:
    """Files of the same bytes are fit or unfit under one format."""
    return content_hash(file_format.model_dump(mode="json"))
