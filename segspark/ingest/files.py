"""Finding a source's files, and what tells one content from another."""

import gzip
import hashlib
import os
import shutil
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import BinaryIO, cast

from segspark.errors import IngestError
from segspark.settings.base import resolve_location
from segspark.settings.sources import SourceSettings

_CHUNK_BYTES = 1 << 20
_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
# RuntimeError: encrypted; NotImplementedError: a packing that Python does not know.
_UNREADABLE = (OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of a source: a plain one, a gzip's content or a member of a ZIP.

    Attributes:
        path: The file on disk.
        label: Its path below the source's folder, so that moving the folder changes nothing.
        member: Name inside the ZIP at `path`; None for other files.
        is_gzip: Whether the file at `path` is a gzip.
        content_hash: SHA-256 of the bytes, unpacked.
    """

    path: Path
    label: str
    member: str | None
    is_gzip: bool
    content_hash: str

    @property
    def name(self) -> str:
        """What the books call it."""
        return f"{self.label}/{self.member}" if self.member else self.label

    @property
    def is_packed(self) -> bool:
        """Whether Spark needs an unpacked copy to read it in parallel."""
        return self.is_gzip or self.member is not None


def find_files(name: str, source: SourceSettings) -> list[SourceFile]:
    """All files of a source in order of their names; equal contents once.

    Args:
        name: The source's name, for messages.
        source: A source of files.

    Raises:
        IngestError: Nothing is there, or a file cannot be read.
    """
    location = resolve_location(source.location)
    if not location:
        raise IngestError(f"source {name}: its location is empty: name a file, folder or glob")
    root, paths = _paths(location)
    if not paths:
        raise IngestError(f"source {name}: no file at {location}: check sources.{name}.location")
    found: dict[str, SourceFile] = {}
    for path in paths:
        for file in _contents(path, label=path.relative_to(root).as_posix()):
            found.setdefault(file.content_hash, file)
    return sorted(found.values(), key=lambda file: file.name)


@contextmanager
def open_content(file: SourceFile) -> Iterator[BinaryIO]:
    """The file's bytes, unpacked as they are read.

    Raises:
        IngestError: The file is damaged, encrypted or not to be read.
    """
    try:
        if file.member is not None:
            with zipfile.ZipFile(file.path) as archive, archive.open(file.member) as stream:
                yield cast(BinaryIO, stream)
        elif file.is_gzip:
            with gzip.open(file.path) as stream:
                yield cast(BinaryIO, stream)
        else:
            with file.path.open("rb") as stream:
                yield stream
    except _UNREADABLE as error:
        raise IngestError(f"{file.path}: cannot be read ({error}): send the file again") from error


def unpack(file: SourceFile, folder: Path) -> Path:
    """Copy the unpacked bytes into `folder`, under a name of our own."""
    target = folder / f"{file.content_hash[:32]}.csv"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with open_content(file) as stream, target.open("wb") as copy:
            shutil.copyfileobj(stream, copy, _CHUNK_BYTES)
    except OSError as error:
        raise IngestError(f"{folder}: cannot hold {file.name} unpacked ({error})") from error
    return target


def _paths(location: str) -> tuple[Path, list[Path]]:
    """The folder that names are relative to, and the data files below it or that fit the glob."""
    # Spark reports paths without `..`, so they are looked up without.
    path = Path(os.path.normpath(Path(location).absolute()))
    try:
        if path.is_dir():
            return path, sorted(_data_files(path, path.rglob("*")))
        root = Path(*path.parts[: _first_magic(path)])
        if root == path:
            root = path.parent
        return root, sorted(_data_files(root, root.glob(str(path.relative_to(root)))))
    except (OSError, ValueError) as error:
        raise IngestError(f"{location}: cannot be searched ({error}): check the path") from error


def _first_magic(path: Path) -> int:
    """How many parts of the path come before the first with a wildcard."""
    return next((i for i, part in enumerate(path.parts) if set("*?[") & set(part)), len(path.parts))


def _data_files(root: Path, found: Iterable[Path]) -> list[Path]:
    return [p for p in found if p.is_file() and not _is_hidden(p.relative_to(root))]


def _is_hidden(path: PurePath) -> bool:
    """Markers such as _SUCCESS and .crc files are no data, as Spark sees it too."""
    return any(part.startswith(("_", ".")) for part in path.parts)


def _contents(path: Path, *, label: str) -> Iterator[SourceFile]:
    try:
        with path.open("rb") as stream:
            start = stream.read(len(_ZIP))
        members: list[str | None] = [None]
        if start == _ZIP:
            with zipfile.ZipFile(path) as archive:
                names = [m.filename for m in archive.infolist() if not m.is_dir()]
            members = [name for name in names if not _is_hidden(PurePath(name))]
    except _UNREADABLE as error:
        raise IngestError(f"{path}: cannot be read ({error}): send the file again") from error
    for member in members:
        file = SourceFile(path, label, member, start.startswith(_GZIP), "")
        yield SourceFile(path, label, member, file.is_gzip, _content_hash(file))


def _content_hash(file: SourceFile) -> str:
    digest = hashlib.sha256()
    with open_content(file) as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
