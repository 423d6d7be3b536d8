"""Whether the lines of a text are whole and of a length that can be read."""

import codecs
import csv
import io
import json
import re
from collections.abc import Iterator

from segspark.ingest.files.quote_checks import Quotes
from segspark.ingest.files.text_bytes import FlawError, codec_of, first_end
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

    def feed(self, chunk: bytes) -> None:
        """Take in the next bytes."""
        if not self.place:
            self.place = len(chunk) - len(chunk.removeprefix(codecs.BOM_UTF8))
            self._head = chunk = chunk[self.place :]
        body = self._tail + chunk
        lines = self._quotes.masked(body) if self._quotes else body
        self._check_length(lines, len(self._tail))
        self.place += len(chunk)
        if self._widths:
            self._widths.feed(chunk)
        self._keep_last(body, lines)

    def finish(self) -> None:
        """Take in the end."""
        if not self._has_text:
            raise FlawError("is empty: send the file again")
        if isinstance(self._format, JsonLinesFormat):
            self._check_object(self._format)
        elif self._widths:
            self._widths.check(self.place)
        elif isinstance(self._format, CsvFormat) and not self.is_ended:
            self._check_quotes()
            self._check_fields(self._format)

    def _check_length(self, lines: bytes, kept: int) -> None:
        """Refuse the first line that ends behind the kept bytes if it is too long.

        Those behind it lie within one chunk, but for the last, which is looked at again.
        """
        start = lines.rfind(b"\n", 0, kept) + 1
        end = first_end(lines, kept)
        if (len(lines) if end is None else end) - start <= _MOST_LINE_BYTES:
            return
        place, most = self.place - (kept - start), f"{_MOST_LINE_BYTES >> 20} MiB"
        if self._quotes:
            raise FlawError(
                f"line {{line}}: a record of more than {most} starts here: close or double the "
                "quote that is open in it, or send the file again, with line ends",
                place,
            )
        raise FlawError(
            f"line {{line}}: is longer than {most}: send the file again, with line ends", place
        )

    def _keep_last(self, body: bytes, lines: bytes) -> None:
        end = len(lines.rstrip())
        start = max(lines.rfind(b"\n", 0, end), lines.rfind(b"\r", 0, end)) + 1
        if start:
            self._tail_place = self.place - (len(body) - start)
        ended = first_end(lines, end)
        self._tail = body[start:]
        if ended is not None:
            behind = max(lines.rfind(b"\n", end), lines.rfind(b"\r", end)) + 1
            self._tail = body[start:ended] + b"\n" + body[behind:]
        self._has_text |= end > 0
        self.is_ended = ended is not None

    def _check_quotes(self) -> None:
        opened = self._quotes.open_place(self._tail) if self._quotes else None
        if opened is not None:
            raise FlawError(
                "a quote opened on line {line} is never closed: close or double the quote, or send "
                "the file again, whole",
                self._tail_place + opened,
            )

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
