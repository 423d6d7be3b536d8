"""Files that are packed: what is inside, and the bytes of it, without trusting who packed them."""

import gzip
import io
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, BinaryIO, Literal, cast

import pyarrow as pa

from segspark.errors import IngestError
from segspark.ingest.files.allowances import Allowance
from segspark.ingest.files.stores import (
    NoteSkipped,
    but_for,
    is_hidden,
    note_hidden,
    refusal,
    unnoted,
)

Packing = Literal["none", "gzip", "zstd", "zip"]

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
# A member, an empty archive, the first part of a split one.
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_CONTENT_TYPES = "[Content_Types].xml"
_WORKBOOK_MEMBERS = frozenset({"xl/workbook.xml", "xl/workbook.bin"})
_WORKBOOK_STARTS = (b"[Content_Types].xml", b"xl/", b"_rels/", b"docProps/")
_LOCAL_HEADER_BYTES = 30
_ESCAPES = re.compile(r"^/|^[A-Za-z]:|\\|\0|(^|/)\.\.(/|$)")
_ENCRYPTED_FLAG = 1
# zipfile unpacks the other methods it knows without a bound on what it holds in memory.
_KNOWN_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_MOST_MEMBERS = 10_000
_BUFFER_BYTES = 1 << 20
# NotImplementedError is a RuntimeError; pyarrow's errors are ValueErrors or OSErrors.
_DAMAGE = (
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
)


def packing_of(packed: BinaryIO, *, kind: str, name: str) -> Packing:
    """How a file is packed, by its first bytes; a workbook is not, although it is a ZIP.

    Args:
        packed: The file's bytes; they are read from the start.
        kind: The kind of format that the source expects.
        name: What the file is called, for messages.

    Raises:
        IngestError: It is a ZIP that cannot be listed, or an office document of another kind.
    """
    with damage_told(name):
        packed.seek(0)
        start = packed.read(len(_ZSTD))
        packed.seek(0)
    if start.startswith(_GZIP):
        return "gzip"
    if start == _ZSTD:
        return "zstd"
    if start not in _ZIP:
        return "none"
    if kind != "excel":
        return "zip"
    with damage_told(name), zipfile.ZipFile(packed) as archive:
        members = set(archive.namelist())
    if _CONTENT_TYPES in members and not _WORKBOOK_MEMBERS & members:
        raise IngestError(f"{name}: is an office document but no workbook: send the workbook")
    return "none" if _CONTENT_TYPES in members else "zip"


def starts_as_workbook(start: bytes) -> bool:
    """Whether bytes begin as the ZIP that a workbook is, told by the name of its first member."""
    member = start[_LOCAL_HEADER_BYTES:]
    return start.startswith(_ZIP) and member.startswith(_WORKBOOK_STARTS)


class Package:
    """One file, opened to unpack what is in it; all of that within one allowance.

    Args:
        packed: The file's bytes, to be read from any place; the caller closes them.
        packing: How it is packed.
        name: What the file is called, for messages.
    """

    def __init__(self, packed: BinaryIO, packing: Packing, *, name: str) -> None:
        self._packed, self._packing, self._name = packed, packing, name
        with damage_told(name):
            self._zip = zipfile.ZipFile(packed) if packing == "zip" else None
            self._allowance = Allowance(packed.seek(0, io.SEEK_END))
            packed.seek(0)

    def members(self, *, note_skipped: NoteSkipped = unnoted) -> list[str | None]:
        """The files inside in order of their names; a single None where it is no ZIP.

        Names that start with `_` or `.` are noted and left out: so are what a Mac or a job adds.

        Raises:
            IngestError: The ZIP has a member that is hostile, or not to be unpacked, or none.
        """
        if self._zip is None:
            return [None]
        infos = self._zip.infolist()
        if len(infos) > _MOST_MEMBERS:
            raise IngestError(
                f"{self._name}: holds {len(infos)} members, above the {_MOST_MEMBERS} allowed: "
                "send it in several archives"
            )
        for info in infos:
            self._check_path(info)
        names = sorted(info.filename for info in self._kept(infos, note_skipped))
        for name, following in pairwise(names):
            if name == following:
                raise IngestError(f"{self._name}/{name}: is in the archive twice: send it once")
        return list(names)

    @contextmanager
    def content(self, member: str | None) -> Iterator[BinaryIO]:
        """The unpacked bytes of a member, or of the whole file; damage is told as they are read."""
        name = f"{self._name}/{member}" if member else self._name
        allowances = [self._allowance] if self._packing != "none" else []
        with damage_told(name):
            if self._zip is not None:
                info = self._zip.getinfo(cast(str, member))
                allowances.append(Allowance(info.compress_size))
                inner: Any = self._zip.open(info)
            else:
                self._packed.seek(0)
                inner = _opened(self._packed, self._packing)
        raw = _Content(inner, name=name, allowances=allowances)
        with io.BufferedReader(raw, _BUFFER_BYTES) as stream:
            if self._packing != "none":
                _refuse_archive_within(stream.peek(), name=name)
            yield cast(BinaryIO, stream)

    def _kept(
        self, infos: Sequence[zipfile.ZipInfo], note_skipped: NoteSkipped
    ) -> list[zipfile.ZipInfo]:
        files = [info for info in infos if not info.is_dir()]
        kept = [info for info in files if not is_hidden(info.filename)]
        for info in kept:
            self._check_member(info)
        skipped: list[str] = []
        for info in files:
            if is_hidden(info.filename):
                note_hidden(info.filename, skipped.append)
        if not kept:
            raise IngestError(f"{self._name}: holds no file{but_for(skipped)}: send it again")
        for label in skipped:
            note_skipped(f"{self._name}/{label}")
        return kept

    def _check_path(self, info: zipfile.ZipInfo) -> None:
        if _ESCAPES.search(info.orig_filename):
            raise IngestError(
                f"{self._name}: its member {info.orig_filename!r} does not stay within a folder: "
                "pack it again with plain relative names"
            )

    def _check_member(self, info: zipfile.ZipInfo) -> None:
        name = f"{self._name}/{info.filename}"
        if info.flag_bits & _ENCRYPTED_FLAG:
            raise IngestError(f"{name}: is protected by a password: send it without")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise IngestError(f"{name}: is a link: pack the file that it leads to")
        if info.compress_type not in _KNOWN_METHODS:
            raise IngestError(
                f"{name}: is packed by a method that is not known here ({info.compress_type}): "
                "pack it by deflate, or send it as gzip"
            )


@contextmanager
def damage_told(name: str) -> Iterator[None]:
    """Raise what reading and unpacking throw as a sentence: damage, or what the storage says."""
    try:
        yield
    except _DAMAGE as error:
        # Only the operating system's errors have a number; the others say that bytes are wrong.
        if isinstance(error, OSError) and error.errno is not None:
            raise refusal(name, error) from error
        reason = str(error) or type(error).__name__
        raise IngestError(f"{name}: is damaged ({reason}): send the file again") from error


class _Content(io.RawIOBase):
    """Bytes as they are unpacked: counted, and whatever goes wrong told in a sentence."""

    def __init__(self, inner: Any, *, name: str, allowances: Sequence[Allowance]) -> None:  # noqa: ANN401 - gzip, zstd, ZIP and files share no type
        self._inner, self._name, self._allowances = inner, name, allowances

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - as typeshed has it
        with damage_told(self._name):
            data = self._inner.read(len(buffer))
        for allowance in self._allowances:
            allowance.take(len(data), name=self._name)
        buffer[: len(data)] = data
        return len(data)

    def seekable(self) -> bool:
        # Going back would unpack again, and count again.
        return not self._allowances

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if not self.seekable():
            raise io.UnsupportedOperation("seek")
        with damage_told(self._name):
            return int(self._inner.seek(offset, whence))

    def tell(self) -> int:
        return int(self._inner.tell())

    def close(self) -> None:
        if not self.closed and self._allowances:
            self._inner.close()
        super().close()


def _opened(packed: BinaryIO, packing: Packing) -> Any:  # noqa: ANN401 - see _Content
    if packing == "gzip":
        return gzip.GzipFile(fileobj=packed)
    if packing == "zstd":
        return pa.CompressedInputStream(pa.PythonFile(packed, mode="r"), "zstd")
    return packed


def _refuse_archive_within(start: bytes, *, name: str) -> None:
    is_zip = start.startswith(_ZIP) and not starts_as_workbook(start)
    if is_zip or start.startswith((_GZIP, _ZSTD)):
        raise IngestError(f"{name}: is an archive within an archive: unpack once and send that")
