"""Whether the lines of a text are whole and of a length that can be read."""

import codecs
import csv
import io
import json
import re
from collections.abc import Iterator

from segspark.ingest.files.quote_checks import Quotes
from segspark.ingest.files.text_bytes import (
    CHUNK_BYTES,
    FlawError,
    Reopen,
    as_bytes,
    chunks_of,
    codec_of,
    first_end,
)
from segspark.ingest.files.width_checks import Widths
from segspark.settings.formats import CsvFormat, FixedWidthFormat, JsonLinesFormat, TextFormat

_MOST_LINE_BYTES = 16 << 20
_UNIT_SEPARATOR = "\x1f"
_ONLY_CLOSES = re.compile(rb"[\s\]}]+")


class Lines:
    """Lines of text, chunk by chunk: none too long, and the last one whole.

    Of all lines only the last that is not blank is kept, with what follows it; of a CSV with line
    breaks within quotes, the last record.
    """

    def __init__(self, file_format: TextFormat) -> None:
        self._format = file_format
        self._quotes: Quotes | None = None
        if isinstance(file_format, CsvFormat) and file_format.multiline:
            self._quotes = Quotes(file_format)
        self._widths: Widths | None = None
        if isinstance(file_format, FixedWidthFormat):
            self._widths = Widths(file_format)
        self.place = 0
        """How many bytes were taken in."""
        self._head = self._tail = b""
        self._tail_place = 0
        self._has_text = False
        self.is_ended = False
        """Whether the last line with text has its end."""
        self._has_start = True

    def feed(self, chunk: bytes) -> None:
        """Take in the next bytes."""
        if not self.place:
            self.place = len(chunk) - len(chunk.removeprefix(codecs.BOM_UTF8))
            self._head = chunk = chunk[self.place :]
        self._check_length(chunk)
        self.place += len(chunk)
        if self._quotes:
            self._quotes.feed(chunk)
        if self._widths:
            self._widths.feed(chunk)
        self._keep_last(self._tail + chunk)

    def finish(self, reopen: Reopen) -> None:
        """Take in the end; the content is read again where a quote may be open."""
        if not self._has_text:
            raise FlawError("is empty: send the file again")
        if isinstance(self._format, JsonLinesFormat):
            self._check_object(self._format)
        elif self._widths:
            self._widths.check(self.place)
        elif self._quotes and self._quotes.is_odd:
            with reopen() as stream:
                self._quotes.check(as_bytes(chunks_of(stream), self._format.encoding))
        elif isinstance(self._format, CsvFormat) and self._has_start and not self.is_ended:
            self._check_fields(self._format)

    def _check_length(self, chunk: bytes) -> None:
        if self._quotes:
            return
        open_bytes = len(self._tail) - self._tail.rfind(b"\n") - 1
        end = first_end(chunk)
        if open_bytes + (len(chunk) if end is None else end) > _MOST_LINE_BYTES:
            raise FlawError(
                f"line {{line}}: is longer than {_MOST_LINE_BYTES >> 20} MiB: send the file again, "
                "with line ends",
                self.place - open_bytes,
            )

    def _keep_last(self, body: bytes) -> None:
        end = len(body.rstrip())
        start = self._last_start(body, end)
        if start:
            self._tail_place, self._has_start = self.place - (len(body) - start), True
        ended = first_end(body, end)
        self._tail = body[start:]
        if ended is not None:
            behind = max(body.rfind(b"\n", end), body.rfind(b"\r", end)) + 1
            self._tail = body[start:ended] + b"\n" + body[behind:]
        self._has_text |= end > 0
        self.is_ended = ended is not None
        if not self._has_start or len(self._tail) > _MOST_LINE_BYTES + CHUNK_BYTES:
            self._tail, self._has_start = b"", False

    def _last_start(self, body: bytes, end: int) -> int:
        """Where the last line or record starts of a text that ends, but for blanks, at `end`."""
        ends = (b"\n", b"\r") if b"\r" in body else (b"\n",)
        is_odd, behind = bool(self._quotes and self._quotes.is_odd), len(body)
        while True:
            start = max(body.rfind(sign, 0, end) for sign in ends) + 1
            if self._quotes:
                is_odd ^= self._quotes.count(body[start:behind]) % 2 == 1
            if not is_odd or not start:
                return start
            end, behind = start - 1, start

    def _check_object(self, json_format: JsonLinesFormat) -> None:
        line = self._tail.partition(b"\n")[0]
        try:
            json.loads(line.decode(codec_of(json_format)))
        except (ValueError, RecursionError) as error:
            if _ONLY_CLOSES.fullmatch(line):
                raise FlawError("is not one JSON object a line: send it as JSON Lines") from error
            raise FlawError(
                "ends in the middle of line {line}: send it again, whole", self._tail_place
            ) from error

    def _check_fields(self, csv_format: CsvFormat) -> None:
        wanted = len(csv_format.column_names) or next(_field_counts(self._head, csv_format), 0)
        *_, last = (wanted, *_field_counts(self._tail, csv_format))
        if last < wanted:
            raise FlawError("ends in the middle of line {line}: send it again, whole", self.place)


def _field_counts(part: bytes, csv_format: CsvFormat) -> Iterator[int]:
    """How many fields each record has, as far as Python's reader gets."""
    text = part.decode(codec_of(csv_format), errors="replace")
    delimiter = csv_format.delimiter.replace("\\t", "\t")
    if len(delimiter) > 1:  # more than the csv module can
        text, delimiter = text.replace(delimiter, _UNIT_SEPARATOR), _UNIT_SEPARATOR
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter,
        quotechar=csv_format.quote or None,
        quoting=csv.QUOTE_MINIMAL if csv_format.quote else csv.QUOTE_NONE,
        doublequote=csv_format.escape in {csv_format.quote, ""},
        escapechar=csv_format.escape if csv_format.escape not in {csv_format.quote, ""} else None,
    )
    try:
        yield from (len(row) for row in reader if row)
    except csv.Error:  # a field longer than it takes
        return
