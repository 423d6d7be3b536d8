"""Whether every quote of a CSV is closed."""

import re
from collections.abc import Iterator

from segspark.ingest.files.text_bytes import FlawError, codec_of, split_lines
from segspark.settings.formats import CsvFormat


class Quotes:
    """The quotes of a CSV whose fields may hold line breaks."""

    def __init__(self, csv_format: CsvFormat) -> None:
        codec = codec_of(csv_format)
        self._quote = csv_format.quote.encode(codec)
        self._escape = (csv_format.escape or csv_format.quote).encode(codec)
        self._delimiter = csv_format.delimiter.replace("\\t", "\t").encode(codec)
        self._last = b""
        self.is_odd = False

    def feed(self, chunk: bytes) -> None:
        """Take in the next bytes."""
        begins_escaped = self._last + chunk[:1] == self._escape + self._quote
        self.is_odd ^= (self.count(chunk) - (self._is_other_escape and begins_escaped)) % 2 == 1
        self._last = chunk[-1:]

    def count(self, part: bytes) -> int:
        """How many quotes open or close a field; doubled ones do both."""
        if not self._quote:
            return 0
        escaped = part.count(self._escape + self._quote) if self._is_other_escape else 0
        return part.count(self._quote) - escaped

    def check(self, chunks: Iterator[bytes]) -> None:
        """Look for the field that is still open at the end; quotes within fields open none."""
        opening, quotes = self._expressions()
        opened: int | None = None
        for number, line in enumerate(split_lines(chunks), start=1):
            at = 0
            while found := (
                opening.search(line, at) if opened is None else self._closing(quotes, line, at)
            ):
                at, opened = found.end(), number if opened is None else None
        if opened is not None:
            raise FlawError(
                f"a quote opened on line {opened} is never closed: close or double the quote, or "
                "send the file again, whole"
            )

    @property
    def _is_other_escape(self) -> bool:
        return self._escape != self._quote

    def _closing(self, quotes: re.Pattern[bytes], line: bytes, at: int) -> re.Match[bytes] | None:
        """The quote that closes a field: the first one that no escape goes with."""
        return next((each for each in quotes.finditer(line, at) if each[0] == self._quote), None)

    def _expressions(self) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
        """What opens a field, and what may look like its end: escapes in pairs, and quotes."""
        quote, escape = re.escape(self._quote), re.escape(self._escape)
        opening = rb"(?:\A|" + re.escape(self._delimiter) + rb")" + quote
        return re.compile(opening), re.compile(rb"|".join((escape + quote, escape + escape, quote)))
