"""The bytes of a text, chunk by chunk: lines, and what is wrong at a place in them."""

import codecs
import itertools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import BinaryIO

from segspark.settings.formats import TextFormat

Reopen = Callable[[], AbstractContextManager[BinaryIO]]
"""Opens the unpacked content again, to find the line of what is wrong."""
_CHUNK_BYTES = 1 << 20


class FlawError(Exception):
    """What is wrong; `{line}` in it stands for the number of the line that the place is on."""

    def __init__(self, text: str, place: int = 0) -> None:
        super().__init__(text)
        self.text, self.place = text, place


def chunks_of(stream: BinaryIO) -> Iterator[bytes]:
    """The content, a mebibyte at a time."""
    while chunk := stream.read(_CHUNK_BYTES):
        yield chunk


def as_bytes(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """The chunks; of UTF-16 as UTF-8, so that what follows knows one kind of line end."""
    if encoding != "UTF-16":
        yield from chunks
        return
    first = next(chunks, b"")
    codec = "utf-16-be" if first.startswith(codecs.BOM_UTF16_BE) else "utf-16-le"
    decoder, place = codecs.getincrementaldecoder(codec)(), 0
    for chunk in itertools.chain([first[len(codecs.BOM_UTF16) :]], chunks, [b""]):
        try:
            good = decoder.decode(chunk, final=not chunk).encode()
        except UnicodeDecodeError as error:
            # What comes before it is given, so that a second pass gets as far as its line.
            yield (good := error.object[: error.start].decode(codec).encode())
            raise FlawError(not_in("UTF-16"), place + len(good)) from error
        yield good
        place += len(good)


def line_of(place: int, chunks: Iterator[bytes]) -> int:
    """The number, from 1, of the line that a place in the bytes is on."""
    number, before = 1, b""
    for chunk in chunks:
        part = chunk[:place]
        number += part.count(b"\n") + part.count(b"\r") - (before + part).count(b"\r\n")
        place, before = place - len(part), part[-1:]
        if not place:
            break
    return number


def first_end(part: bytes, start: int = 0) -> int | None:
    """Where the first line end is; many times quicker than an expression."""
    ends = [place for sign in (b"\n", b"\r") if (place := part.find(sign, start)) >= 0]
    return min(ends, default=None)


def codec_of(text_format: TextFormat) -> str:
    """Of the bytes that `as_bytes` gives."""
    return "UTF-8" if text_format.encoding == "UTF-16" else text_format.encoding


def not_in(encoding: str) -> str:
    """The sentence for bytes that an encoding does not have."""
    return (
        f"line {{line}}: has bytes that are not {encoding}: set format.encoding of the source to "
        f"what the file is in, or save it as {encoding}"
    )
