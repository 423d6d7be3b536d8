"""Whether the last line of a text with fixed columns is as long as the others."""

from segspark.ingest.files.text_bytes import FlawError, codec_of
from segspark.settings.formats import FixedWidthFormat


class Widths:
    """Lengths of the lines in characters, as far as all that are ended have the same.

    Where they have not, blanks are cut off their ends, and a short line tells nothing.
    """

    def __init__(self, fixed_format: FixedWidthFormat) -> None:
        self._codec = codec_of(fixed_format)
        self._fields_end = max(last for _, last in fixed_format.fields.values())
        self._usual: int | None = None
        self._is_even = True
        self._rest = b""

    def feed(self, chunk: bytes) -> None:
        """Take in the next bytes."""
        if not self._is_even:
            return
        body = self._rest + chunk
        end = max(body.rfind(b"\n"), body.rfind(b"\r")) + 1
        self._rest = body[end:]
        lengths = {self._length(line) for line in body[:end].splitlines() if line.strip()}
        lengths |= set() if self._usual is None else {self._usual}
        self._is_even = len(lengths) <= 1
        self._usual = next(iter(lengths), None)

    def check(self, place: int) -> None:
        """Take in the end, which is at `place`, and look at what no line end follows."""
        if not self._is_even or self._usual is None or not self._rest.strip():
            return
        if self._length(self._rest) < min(self._usual, self._fields_end):
            raise FlawError("ends in the middle of line {line}: send it again, whole", place)

    def _length(self, line: bytes) -> int:
        return len(line) if line.isascii() else len(line.decode(self._codec, errors="replace"))
