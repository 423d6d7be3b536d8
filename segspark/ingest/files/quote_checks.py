"""Which line ends of a CSV end a record, and which stand within quotes."""

import re

from segspark.ingest.files.text_bytes import codec_of
from segspark.settings.formats import CsvFormat

_MASK = b"x"


class Quotes:
    """The quotes of a CSV whose fields may hold line breaks.

    As for Spark, a quote opens a field only where the field begins, and the next one that no escape
    goes with closes it.
    """

    def __init__(self, csv_format: CsvFormat) -> None:
        codec = codec_of(csv_format)
        self._quote = csv_format.quote.encode(codec)
        escape = (csv_format.escape or csv_format.quote).encode(codec)
        delimiter = csv_format.delimiter.replace("\\t", "\t").encode(codec)
        self._field = _field(self._quote, escape, delimiter) if self._quote else None

    def masked(self, text: bytes) -> bytes:
        """The text, with other signs for what stands in quotes, up to the end if one stays open.

        Args:
            text: From the start of a record.

        Returns:
            As many bytes, among which every line end is one between records.
        """
        if self._field is None:
            return text
        return self._field.sub(lambda found: _MASK * (found.end() - found.start()), text)

    def open_place(self, text: bytes) -> int | None:
        """Where the quote stands that is not closed until the end; None where all are.

        Args:
            text: From the start of a record.
        """
        fields = self._field.finditer(text) if self._field else ()
        return next((found.start() for found in fields if not found["end"]), None)


def _field(quote: bytes, escape: bytes, delimiter: bytes) -> re.Pattern[bytes]:
    """A field in quotes, with these; the closing one is the group `end`, empty if there is none."""
    signs = re.escape(quote[:1] + escape[:1])
    quote, escape, delimiter = re.escape(quote), re.escape(escape), re.escape(delimiter)
    begins = rb"(?:(?<=\A%b)|(?<=%b%b)|(?<=[\r\n]%b))" % (quote, delimiter, quote, quote)
    inner = rb"(?:[^%b]++|%b%b|%b%b|(?!%b).)*+" % (signs, escape, quote, escape, escape, quote)
    return re.compile(quote + begins + inner + rb"(?P<end>%b|\Z)" % quote, re.DOTALL)
