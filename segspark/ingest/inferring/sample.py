"""The first rows of an unknown file: what it is, by its content, and what its columns hold."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from segspark.errors import IngestError, first_names
from segspark.ingest.files.archives import Package, packing_of, starts_as_workbook
from segspark.ingest.files.local_store import LocalStore
from segspark.ingest.files.stores import NoteSkipped, unnoted
from segspark.ingest.inferring.lines import text_sample
from segspark.ingest.inferring.profiles import Choice, Sample
from segspark.ingest.inferring.tables import read_table_rows
from segspark.ingest.reading.mapped_columns import check_names

_MOST_BYTES = 4 << 20
_CHUNK_BYTES = 1 << 20
_MOST_UNPACKED_BYTES = 512 << 20
_SIGNATURES = (
    (b"PAR1", "parquet"),
    (b"ORC", "orc"),
    (b"SQLite format 3\0", "sqlite"),
    (b"\xd0\xcf\x11\xe0", "excel"),
)


def read_sample(path: Path) -> Sample:
    """Read at most 4 MiB of unpacked text, or 10,000 rows of a table.

    Raises:
        IngestError: It is no file, not to be read, or of a kind that is not known.
    """
    skipped: list[str] = []
    with _opened(path, note_skipped=skipped.append) as (stream, members, _):
        start = stream.read(_MOST_BYTES + 1)
        kind = _kind(start)
        hidden = first_names(sorted(set(skipped)))
        notes = [f"left out, as _ or . marks no data: {hidden}"] if hidden else []
        if len(members) > 1:
            notes.append(f"of {len(members)} files in the archive, {members[0]} was looked at")
        if kind is None:
            is_whole = len(start) <= _MOST_BYTES
            sample = text_sample(start[:_MOST_BYTES], is_whole=is_whole, path=path, notes=notes)
        else:
            with plain_file(path) as plain:
                table = read_table_rows(plain, kind=kind, name=str(path))
            sample = Sample(
                {name: Choice(value) for name, value in table.format.items()},
                table.columns,
                row_count=table.row_count,
                is_whole=table.is_whole,
                notes=(*notes, *table.notes),
            )
    if not sample.row_count:
        raise IngestError(f"{path}: holds no rows: name a file with some")
    check_names([column.name for column in sample.columns], place=str(path))
    return sample


@contextmanager
def plain_file(path: Path) -> Iterator[Path]:
    """The file itself; of an archive a copy of the first file in it, while the block lasts.

    Raises:
        IngestError: There is too much in the archive to be looked at.
    """
    with _opened(path) as (stream, _, is_packed), ExitStack() as stack:
        if not is_packed:
            yield path
            return
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="segspark-"))
        plain, size = Path(folder) / "unpacked", 0
        with plain.open("wb") as copy:
            while chunk := stream.read(_CHUNK_BYTES):
                size += copy.write(chunk)
                if size > _MOST_UNPACKED_BYTES:
                    raise IngestError(f"{path}: holds more than 512 MiB unpacked: unpack it first")
        yield plain


@contextmanager
def _opened(
    path: Path, *, note_skipped: NoteSkipped = unnoted
) -> Iterator[tuple[BinaryIO, list[str | None], bool]]:
    """The unpacked bytes of the first file in it, all files in it, and whether it is packed."""
    if path.is_dir():
        raise IngestError(f"{path}: is a folder: name one file of it")
    if not path.is_file():
        raise IngestError(f"{path}: there is no such file: check the path")
    with LocalStore().open(str(path)) as packed:
        packing = packing_of(packed, kind="excel", name=str(path))
        package = Package(packed, packing, name=str(path))
        members = package.members(note_skipped=note_skipped)
        with package.content(members[0]) as stream:
            yield stream, members, packing != "none"


def _kind(start: bytes) -> str | None:
    """The kind of a file that is no text."""
    if starts_as_workbook(start):
        return "excel"
    return next((kind for sign, kind in _SIGNATURES if start.startswith(sign)), None)
