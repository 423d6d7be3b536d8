"""A source's files: finding them, what is inside, and their bytes, unpacked."""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

from segspark.errors import IngestError
from segspark.ingest.files.archives import Package, Packing, packing_of
from segspark.ingest.files.inspection import inspect_content
from segspark.ingest.files.local_store import LocalStore
from segspark.ingest.files.stores import (
    NO_SPACE,
    FoundFile,
    NoteSkipped,
    Store,
    but_for,
    refusal,
    unnoted,
)
from segspark.settings.base import without_credentials
from segspark.settings.formats import FileFormat

_CHUNK_BYTES = 1 << 20
_HASH_DIGITS = 32


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of a source: a plain one, what a gzip or zstd holds, or a member of a ZIP.

    Attributes:
        found: The file that holds it.
        member: Name inside the ZIP; None for other files.
        packing: How the bytes are packed.
        content_hash: SHA-256 of the bytes, unpacked.
        may_be_cut: Whether it is a text whose last line has no end, so that nothing tells a cut
            within its last field; not known of one that is not looked into again.
    """

    found: FoundFile
    member: str | None
    packing: Packing
    content_hash: str
    may_be_cut: bool = False

    @property
    def name(self) -> str:
        """What the books call it."""
        return f"{self.found.label}/{self.member}" if self.member else self.found.label

    @property
    def is_packed(self) -> bool:
        """Whether Spark needs an unpacked copy to read it in parallel."""
        return self.packing != "none"


def find_files(
    store: Store, name: str, location: str, *, note_skipped: NoteSkipped = unnoted
) -> list[FoundFile]:
    """All files of a source in order of their labels, not opened yet.

    Args:
        store: Where the location is.
        name: The source's name, for messages.
        location: A file, a folder or a glob, with its references resolved.
        note_skipped: Takes what is left out.

    Raises:
        IngestError: Nothing is there, or something there can never be read.
    """
    if not location.strip():
        raise IngestError(f"source {name}: its location is empty: name a file, folder or glob")
    skipped: list[str] = []
    found = store.find(location, note_skipped=skipped.append)
    if not found:
        raise IngestError(
            f"source {name}: no file at {without_credentials(location)}{but_for(skipped)}: "
            f"check sources.{name}.location"
        )
    for label in skipped:
        note_skipped(label)
    return found


def look_inside(
    store: Store, found: FoundFile, file_format: FileFormat, *, note_skipped: NoteSkipped = unnoted
) -> list[SourceFile]:
    """Unpack, inspect and hash all that a file holds, in order of its members' names.

    Raises:
        IngestError: Something in it is damaged, hostile, or not what the format says; or the file
            was written to meanwhile.
    """
    try:
        files = _contents(store, found, file_format, note_skipped)
    except IngestError:
        # A file that is still being written looks cut short, and is not to be sent again.
        _check_fingerprint(store, found)
        raise
    _check_fingerprint(store, found)
    return files


@contextmanager
def unchanged(store: Store, files: Iterable[SourceFile]) -> Iterator[None]:
    """Refuse files that changed since `look_inside`, whatever else they seem to be by then.

    One that is still being written may look damaged or empty, and its sender is not to blame.

    Raises:
        IngestError: When the block ends or fails: a file was written to, or taken away.
    """
    each_once = dict.fromkeys(file.found for file in files)
    try:
        yield
    except Exception:
        _check_fingerprints(store, each_once)
        raise
    _check_fingerprints(store, each_once)


def _check_fingerprints(store: Store, files: Iterable[FoundFile]) -> None:
    for found in files:
        _check_fingerprint(store, found)


@contextmanager
def open_content(store: Store, file: SourceFile) -> Iterator[BinaryIO]:
    """The file's bytes, unpacked as they are read; those of a plain file from any place.

    Raises:
        IngestError: The file is damaged, or its storage refuses; also from reads of the stream.
    """
    with store.open(file.found.address) as packed:
        package = Package(packed, file.packing, name=file.found.label)
        with package.content(file.member) as stream:
            yield stream


def unpack(store: Store, file: SourceFile, target: Store, folder: str, suffix: str) -> str:
    """Copy the unpacked bytes into a folder, under a name of our own.

    Args:
        store: Where the file is.
        file: What to unpack.
        target: Where the folder is.
        folder: Address of the folder, made where it is not there.
        suffix: Ending of the copy's name, such as `.csv`.

    Returns:
        The copy's address.

    Raises:
        IngestError: The file is damaged or was changed, or the folder cannot hold it; nothing is
            left of the copy then.
    """
    address = f"{folder.rstrip('/')}/{file.content_hash[:_HASH_DIGITS]}{suffix}"
    try:
        _copy(store, file, target, address)
    except BaseException as error:
        with suppress(IngestError):
            target.delete(address)
        if isinstance(error, OSError):
            raise _not_unpacked(folder, file, error) from error
        raise
    return address


def local_copy(store: Store, file: SourceFile, folder: Path, suffix: str) -> Path:
    """A path of this machine with the unpacked bytes: the file itself where it is one already."""
    if isinstance(store, LocalStore) and not file.is_packed:
        return Path(file.found.address)
    return Path(unpack(store, file, LocalStore(), str(folder), suffix))


def _contents(
    store: Store, found: FoundFile, file_format: FileFormat, note_skipped: NoteSkipped
) -> list[SourceFile]:
    files = []
    with store.open(found.address) as packed:
        packing = packing_of(packed, kind=file_format.kind, name=found.label)
        package = Package(packed, packing, name=found.label)
        for member in package.members(note_skipped=note_skipped):
            file = SourceFile(found, member, packing, "")
            reopen = partial(open_content, store, file)
            with package.content(member) as stream:
                seen = inspect_content(stream, reopen, name=file.name, file_format=file_format)
            # What is packed tells itself where it is cut.
            may_be_cut = seen.lacks_line_end and not file.is_packed
            files.append(replace(file, content_hash=seen.content_hash, may_be_cut=may_be_cut))
    return files


def _check_fingerprint(store: Store, found: FoundFile) -> None:
    if store.fingerprint(found.address) != found.fingerprint:
        raise IngestError(
            f"{found.label}: changed while it was read: wait until it is complete and try again"
        )


def _copy(store: Store, file: SourceFile, target: Store, address: str) -> None:
    digest = hashlib.sha256()
    with open_content(store, file) as stream, target.create(address) as copy:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
            copy.write(chunk)
    if digest.hexdigest() != file.content_hash:
        raise IngestError(
            f"{file.found.label}: changed while it was read: wait until it is complete and try "
            "again"
        )


def _not_unpacked(folder: str, file: SourceFile, error: OSError) -> IngestError:
    if error.errno not in NO_SPACE:
        return refusal(f"{folder}: unpacking {file.name}", error)
    return IngestError(
        f"{without_credentials(folder)}: no space to unpack {file.name}: make room or send it "
        "unpacked"
    )
