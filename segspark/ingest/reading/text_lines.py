"""Lines of text files in whatever encoding, in parallel."""

import codecs
import re
from collections.abc import Sequence
from typing import BinaryIO

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from segspark.errors import IngestError
from segspark.ingest.files.source_files import SourceFile, open_content
from segspark.ingest.files.stores import Store
from segspark.settings.formats import Encoding

SAMPLE_BYTES = 1 << 20
"""How much of a file's start is read to learn its columns."""
LINE = "value"
"""The column of a frame of lines."""
_CHUNK_BYTES = 1 << 20
_LINE_ENDS = re.compile(r"\r\n|\r|\n")


def read_lines(spark: SparkSession, addresses: Sequence[str], encoding: Encoding) -> DataFrame:
    """The lines of prepared files as `LINE`; those of blanks only are none.

    Args:
        spark: The session.
        addresses: As Spark takes them; a file in UTF-16 has been made UTF-8 by `write_as_utf8`.
        encoding: How the source's files are encoded.
    """
    lines = spark.read.text(list(addresses))
    is_latin = encoding in {"ISO-8859-1", "windows-1252"}
    # Spark takes the bytes as they are; what is no UTF-8 would fail much later.
    text = (
        F.decode(F.col(LINE).cast("binary"), "ISO-8859-1") if is_latin else F.make_valid_utf8(LINE)
    )
    lines = lines.withColumn(LINE, from_windows(text) if encoding == "windows-1252" else text)
    return lines.filter(F.col(LINE).rlike(r"\S"))


def from_windows(text: Column) -> Column:
    """A text of windows-1252, which Spark does not know, that was read as ISO-8859-1."""
    theirs = bytes(range(0x80, 0xA0)).decode("ISO-8859-1")
    ours = bytes(range(0x80, 0xA0)).decode("windows-1252", errors="replace")
    pairs = [(a, b) for a, b in zip(theirs, ours, strict=True) if b != "\ufffd"]
    old, new = ("".join(side) for side in zip(*pairs, strict=True))
    return F.translate(text, old, new)


def sample_text(store: Store, file: SourceFile, encoding: Encoding) -> tuple[str, bool]:
    """The start of a file's text without byte order mark, and whether that is all of it.

    Raises:
        IngestError: The file holds nothing but blanks, or cannot be read.
    """
    with open_content(store, file) as stream:
        start = stream.read(SAMPLE_BYTES)
    text = start.decode(encoding, errors="replace").lstrip("\ufeff")
    if not text.strip():
        raise IngestError(f"{file.name}: is empty: send the file again")
    return text, len(start) < SAMPLE_BYTES


def whole_lines(text: str, *, is_all: bool) -> list[str]:
    """The lines as Spark tells them apart, without a last one that is cut off."""
    lines = _LINE_ENDS.split(text)
    return lines if is_all else lines[:-1]


def write_as_utf8(content: BinaryIO, target: BinaryIO, *, name: str) -> None:
    """Copy a text from UTF-16, whose lines Spark cannot split, to UTF-8 without a mark.

    Raises:
        IngestError: The text is no UTF-16.
    """
    decoder = codecs.getincrementaldecoder("UTF-16")()
    try:
        while chunk := content.read(_CHUNK_BYTES):
            target.write(decoder.decode(chunk).encode())
        target.write(decoder.decode(b"", final=True).encode())
    except UnicodeError as error:
        raise IngestError(
            f"{name}: is no text in UTF-16 ({error}): correct format.encoding of the source"
        ) from error
