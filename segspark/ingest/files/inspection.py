"""What a file's bytes tell about it, learnt in the one pass that also hashes them."""

import codecs
import hashlib
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from segspark.errors import IngestError
from segspark.ingest.files.archives import starts_as_workbook
from segspark.ingest.files.encoding_checks import Encoding
from segspark.ingest.files.line_checks import Lines
from segspark.ingest.files.text_bytes import FlawError, Reopen, as_bytes, chunks_of, line_of
from segspark.settings.formats import FileFormat, JsonLinesFormat, TextFormat

_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_UTF32_MARKS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_TEXT_ONLY = re.compile(rb"[^\x00-\x08]*")
_SIGNATURE_BYTES = 4096
_OLE, _OLE_NAME_BYTES = b"\xd0\xcf\x11\xe0", 64
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_OLE_NAMES = (_ENCRYPTED, "Workbook".encode("utf-16-le"), "Book".encode("utf-16-le"))
_TAR, _TAR_PLACE = b"ustar", 257
_SIGNATURES = (
    (b"PAR1", "a Parquet file"),
    (b"ORC", "an ORC file"),
    (b"SQLite format 3\0", "an SQLite database"),
    (_OLE, "an Excel workbook or other office document"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\xfd7zXZ\0", "an xz archive"),
    (b"BZh", "a bzip2 archive"),
)
_BINARY_KINDS = {
    "parquet": ("Parquet file", (b"PAR1",)),
    "orc": ("ORC file", (b"ORC",)),
    "sqlite": ("SQLite database", (b"SQLite format 3\0",)),
    "excel": ("workbook", (_OLE, b"PK\x03\x04")),
}


@dataclass(frozen=True, slots=True)
class Inspection:
    """What is known of a content that can be read.

    Attributes:
        content_hash: SHA-256 of the bytes, in hexadecimal digits.
        lacks_line_end: Whether it is a text of delimited or fixed fields that ends without one.
    """

    content_hash: str
    lacks_line_end: bool


def inspect_content(
    stream: BinaryIO, reopen: Reopen, *, name: str, file_format: FileFormat
) -> Inspection:
    """Look for what would stop a read, or make rows wrong or vanish without a word.

    Args:
        stream: The content, from its start.
        reopen: Opens it once more, where something is wrong.
        name: What the file is called, for messages.
        file_format: How the source says that it is to be read.

    Raises:
        IngestError: The content is not what the format says, is damaged, or ends early.
    """
    digest, lacks_line_end = hashlib.sha256(), False
    try:
        chunks = _noting(digest.update, chunks_of(stream))
        if isinstance(file_format, TextFormat):
            lacks_line_end = _inspect_text(chunks, file_format)
        else:
            _inspect_binary(chunks, file_format.kind)
    except FlawError as flaw:
        text = flaw.text
        if "{line}" in text and isinstance(file_format, TextFormat):
            with reopen() as again:
                line = line_of(flaw.place, as_bytes(chunks_of(again), file_format.encoding))
            text = text.replace("{line}", str(line))
        raise IngestError(f"{name}: {text}") from flaw
    return Inspection(digest.hexdigest(), lacks_line_end)


def _noting(note: Callable[[bytes], None], chunks: Iterator[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        note(chunk)
        yield chunk


def _inspect_binary(chunks: Iterator[bytes], kind: str) -> None:
    title, starts = _BINARY_KINDS[kind]
    first = next(chunks, b"")
    if not first:
        raise FlawError("is empty: send the file again")
    if kind == "parquet" and first.startswith(b"PARE"):
        raise FlawError("is an encrypted Parquet file: send it without encryption")
    if not first.startswith(starts):
        other = _other_kind(first)
        known = f"is {other} and no {title}" if other else f"is no {title}"
        raise FlawError(f"{known}: send the file itself, or correct format.kind of the source")
    names, tail = set[bytes](), b""
    for chunk in itertools.chain([first], chunks):
        if first.startswith(_OLE):
            names.update(name for name in _OLE_NAMES if name in tail + chunk)
        tail = (tail + chunk[-_OLE_NAME_BYTES:])[-_OLE_NAME_BYTES:]
    if kind == "parquet" and not tail.endswith(b"PAR1"):
        raise FlawError("ends early, without its footer: send it again, whole")
    if first.startswith(_OLE) and _ENCRYPTED in names:
        raise FlawError("is an encrypted workbook: save it without a password")
    if first.startswith(_OLE) and not names:
        raise FlawError("is an office document and no workbook: send the workbook")


def _other_kind(first: bytes) -> str | None:
    """What bytes that begin so are, where they have a name."""
    text = first.removeprefix(codecs.BOM_UTF8).lstrip()[:_SIGNATURE_BYTES].lower()
    if text.startswith((b"<!doctype html", b"<html")):
        return "a web page (HTML), such as a portal sends for an error,"
    if first.startswith(b"%PDF-"):
        return "a PDF"
    # A first column's name may begin like a signature; but text has no control signs.
    if _TEXT_ONLY.fullmatch(first[:_SIGNATURE_BYTES]):
        return None
    if starts_as_workbook(first):
        return "an Excel workbook or other office document"
    if first.startswith(_TAR, _TAR_PLACE):
        return "a tar archive"
    return next((title for sign, title in _SIGNATURES if first.startswith(sign)), None)


def _inspect_text(chunks: Iterator[bytes], file_format: TextFormat) -> bool:
    """Whether the text lacks a last line end that would tell that it is whole."""
    first = next(chunks, b"")
    _check_start(first, file_format.encoding)
    encoding, lines = Encoding(file_format.encoding), Lines(file_format)
    for chunk in as_bytes(itertools.chain([first], chunks), file_format.encoding):
        if b"\0" in chunk:
            place = lines.place + chunk.index(b"\0")
            raise FlawError("line {line}: holds a NUL byte: send the file again, as text", place)
        encoding.feed(chunk)
        lines.feed(chunk)
    encoding.finish()
    lines.finish()
    # An object of JSON tells its end itself.
    return not lines.is_ended and not isinstance(file_format, JsonLinesFormat)


def _check_start(first: bytes, encoding: str) -> None:
    """Refuse what is no text at all, or marks itself as text of another encoding."""
    other = _other_kind(first)
    if other:
        raise FlawError(
            f"is {other} and no text: send the file itself, or correct format.kind of the source"
        )
    if first.startswith(_UTF32_MARKS):
        raise FlawError("is UTF-32, which is not read here: save it as UTF-8")
    if first.startswith(_UTF16_MARKS) and encoding != "UTF-16":
        raise FlawError("is UTF-16: set format.encoding of the source to UTF-16")
    if first.startswith(codecs.BOM_UTF8) and encoding != "UTF-8":
        raise FlawError("is UTF-8: set format.encoding of the source to UTF-8")
    if first.strip() and encoding == "UTF-16" and not first.startswith(_UTF16_MARKS):
        # Without it Java takes the high byte to come first, and Python the low one.
        raise FlawError(
            "does not start with the mark of UTF-16: save it with one, or set format.encoding of "
            "the source to what the file is in"
        )
