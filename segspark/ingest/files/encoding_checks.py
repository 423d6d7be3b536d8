"""Whether bytes are in the encoding that the source declares."""

import codecs
import re

from segspark.ingest.files.text_bytes import FlawError, not_in

_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_NOT_WINDOWS = (b"\x81", b"\x8d", b"\x8f", b"\x90", b"\x9d")


class Encoding:
    """Whether bytes, chunk by chunk, are in the encoding that the source declares."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._place = 0
        self._not_ascii: int | None = None
        self._not_windows: int | None = None
        self._not_utf8: int | None = None
        self._begun = b""
        """First bytes of a sign of UTF-8 whose others are in the next chunk."""

    def feed(self, chunk: bytes) -> None:
        """Take in the next bytes."""
        if self._begun or not chunk.isascii():
            self._note_eight_bits(chunk)
            self._note_utf8(chunk)
            self._refuse()
        self._place += len(chunk)

    def finish(self) -> None:
        """Take in the end."""
        if self._begun:
            self._not_utf8 = self._place - len(self._begun)
        self._refuse()
        is_single_byte = self._encoding in {"ISO-8859-1", "windows-1252"}
        if is_single_byte and self._not_ascii is not None and self._not_utf8 is None:
            raise FlawError(
                f"line {{line}}: is UTF-8, where the source says {self._encoding}: "
                "set format.encoding of the source to UTF-8",
                self._not_ascii,
            )

    def _note_eight_bits(self, chunk: bytes) -> None:
        if self._not_ascii is None and (sign := _NOT_ASCII.search(chunk)):
            self._not_ascii = self._place + sign.start()
        if self._not_windows is None and self._encoding == "windows-1252":
            places = [place for sign in _NOT_WINDOWS if (place := chunk.find(sign)) >= 0]
            self._not_windows = self._place + min(places) if places else None

    def _note_utf8(self, chunk: bytes) -> None:
        if self._not_utf8 is not None:
            return
        both = self._begun + chunk
        try:
            _, used = codecs.utf_8_decode(both, "strict", False)  # noqa: FBT003 - no keyword
            self._begun = both[used:]
        except UnicodeDecodeError as error:
            self._not_utf8 = self._place - len(self._begun) + error.start
            self._begun = b""

    def _refuse(self) -> None:
        place = {"UTF-8": self._not_utf8, "US-ASCII": self._not_ascii}.get(self._encoding)
        # Signs that windows-1252 lacks are mostly half of one of UTF-8, which is the better advice.
        if self._not_utf8 is not None and self._encoding == "windows-1252":
            place = self._not_windows
        if place is not None:
            raise FlawError(not_in(self._encoding), place)
