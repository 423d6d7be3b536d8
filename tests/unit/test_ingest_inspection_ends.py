"""A file that ends too early, or a line or quote that never ends, is refused by its line."""

import io
from contextlib import nullcontext
from typing import BinaryIO, cast

import pytest

from segspark.errors import IngestError
from segspark.ingest.files.inspection import inspect_content
from segspark.settings.formats import CsvFormat, FixedWidthFormat
from tests.inspecting import (
    CSV,
    FIXED,
    JSON,
    MIB,
    MULTILINE,
    csv_in,
    inspect,
    inspection,
    refusal,
)

CUT = "a.csv: ends in the middle of line 3: send it again, whole"


def test_a_line_may_have_16_mib_and_no_more() -> None:
    line = b"x" * 16 * MIB
    assert inspect(b"who\n" + line + b"\n1\n")
    assert refusal(b"who\n" + line + b"x\n1\n") == (
        "a.csv: line 2: is longer than 16 MiB: send the file again, with line ends"
    )


RECORD_ABOVE_16_MIB = (
    "a record of more than 16 MiB starts here: close or double the quote that is open in it, or "
    "send the file again, with line ends"
)


@pytest.mark.parametrize("fill", [b"x", b"x\n", b'""', b",\r\n"])
def test_a_record_of_a_multiline_csv_may_have_16_mib_and_no_more(fill: bytes) -> None:
    start, end = b'1,"', b'"'
    inside = 16 * MIB - len(start + end)
    fields = start + (b"." * (inside % len(fill)) + fill * (inside // len(fill))) + end
    assert len(fields) == 16 * MIB
    assert inspect(b"who,at\n" + fields + b"\n2,3\n", MULTILINE)
    assert refusal(b"who,at\n" + fields + b"x\n2,3\n", MULTILINE) == (
        f"a.csv: line 2: {RECORD_ABOVE_16_MIB}"
    )


def test_a_line_of_a_multiline_csv_is_measured_like_a_record_in_quotes() -> None:
    assert inspect(b"who,at\n1," + b"x" * 15 * MIB, MULTILINE)
    assert refusal(b"who,at\n1," + b"x" * 16 * MIB, MULTILINE) == (
        f"a.csv: line 2: {RECORD_ABOVE_16_MIB}"
    )


def test_many_records_across_lines_may_have_more_than_16_mib_together() -> None:
    record = b'1,"' + b"two\nlines " * MIB + b'"\n'
    assert inspect(b"who,at\n" + record * 3, MULTILINE)


@pytest.mark.parametrize(
    ("file_format", "start", "line", "what"),
    [
        (CSV, b"", b"x", "is longer than 16 MiB"),
        (MULTILINE, b"", b"x", "a record of more than 16 MiB starts here"),
        (MULTILINE, b'1,"', b"2,3\n", "a record of more than 16 MiB starts here"),
    ],
)
def test_a_long_line_or_record_is_not_held_in_memory(
    file_format: CsvFormat, start: bytes, line: bytes, what: str
) -> None:
    class Endless(io.RawIOBase):
        read_bytes = 0

        def readable(self) -> bool:
            return True

        def read(self, size: int = -1) -> bytes:
            begun = b"" if self.read_bytes else start
            self.read_bytes += size
            return (begun + line * size)[:size]

    content = Endless()
    with pytest.raises(IngestError, match=f"line 1: {what}"):
        inspect_content(
            cast(BinaryIO, content),
            lambda: nullcontext(io.BytesIO()),
            name="a.csv",
            file_format=file_format,
        )
    assert content.read_bytes < 20 * MIB


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"2", b'2,"x,y"', b"2,3  ", b'2,"'])
def test_a_csv_whose_last_line_lacks_fields_and_an_end_is_cut_short(
    start: bytes, end: bytes
) -> None:
    assert refusal(start + b"who,at,what\n1,2,3\n" + end) == CUT


@pytest.mark.parametrize("end", [b"2,3,", b"2,3,4", b'2,3,"x', b"2,3\n", b"2\r", b"\n \n", b"2\n "])
def test_a_csv_that_may_be_whole_passes(end: bytes) -> None:
    assert inspect(b"who,at,what\n1,2,3\n" + end)


def test_a_line_of_tabs_across_two_reads_is_whole() -> None:
    csv_format = CsvFormat(kind="csv", delimiter="\\t")
    start = b"who\tat\twhat\n"
    for tabs_before in (0, 1, 2):
        filler = b"x\ty\t" + b"z" * (MIB - len(start) - 5 - tabs_before) + b"\n"
        assert inspect(start + filler + b"\t\tvalue", csv_format)


@pytest.mark.parametrize("delimiter", [";", "\\t", "||"])
def test_a_cut_is_seen_with_every_delimiter(delimiter: str) -> None:
    csv_format = CsvFormat(kind="csv", delimiter=delimiter)
    text = "who|at|what\n1|2|3\n4|5".replace("|", delimiter.replace("\\t", "\t"))
    assert refusal(text.encode(), csv_format) == CUT
    assert inspect(text.encode() + text[1:2].encode() * len(delimiter) + b"\n", csv_format)


@pytest.mark.parametrize("quote", ['"', ""])
def test_a_csv_without_a_header_is_measured_by_its_names(quote: str) -> None:
    names = ("who", "at", "what")
    csv_format = CsvFormat(kind="csv", header=False, column_names=names, quote=quote)
    assert refusal(b"1,2,3\n1,2,3\n4,5", csv_format) == CUT


def test_a_cut_is_seen_in_utf_16() -> None:
    assert refusal("\ufeffwho,at\n1,2\n3".encode("utf-16-be"), csv_in("UTF-16")) == CUT


def test_a_multiline_csv_is_measured_by_its_last_record() -> None:
    start = b'who,"at\nall",what\n1,2,3\n'
    assert inspect(start + b'4,"a\nb",5', MULTILINE)
    assert inspect(start + b'4,"' + b"a\n" * MIB + b'b",5', MULTILINE)
    assert refusal(start + b'4,"a\nb"', MULTILINE) == (
        "a.csv: ends in the middle of line 5: send it again, whole"
    )


def test_json_whose_last_line_does_not_parse_is_cut_short() -> None:
    assert inspect(b'{"a": 1}\n{"a": {"b": 2}}', JSON)
    assert inspect(b'{"a": 1}\n{"a": 2}\n \n\n', JSON)
    for end in (b"", b"\n", b"\n\n  \n"):
        assert refusal(b'{"a": 1}\n{"a": 1}\n{"a": {"b": 2}' + end, JSON) == CUT


FIELDS = FixedWidthFormat(kind="fixed_width", fields={"who": (1, 2), "paid": (4, 10)})


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("cut", ["2", "2 ", "2   129", "2   129."])
def test_a_last_line_that_is_shorter_than_all_others_and_has_no_end_is_cut_short(
    end: str, cut: str
) -> None:
    text = f"1   129.33{end}2   129.33{end}{cut}"
    assert refusal(text.encode(), FIELDS) == CUT


@pytest.mark.parametrize(
    "text",
    [
        "1   129.33\n2   129.33",
        "1   129.33\n2   129.\n",
        "1   129.33\n2   129.33\n  ",
        "1   129.33 and more\n2   129.33",
        "1   129.33\n2   9.33\n3   1",
        "1   129.33\n\n  \n2   129.33",
        "2   129.",
    ],
)
def test_text_of_fixed_width_that_may_be_whole_passes(text: str) -> None:
    assert inspect(text.encode(), FIELDS)


def test_fixed_width_is_counted_in_characters() -> None:
    for encoding in ("UTF-8", "UTF-16", "ISO-8859-1"):
        file_format = FIELDS.model_copy(update={"encoding": encoding})
        assert inspect("é    29.33\n2   129.33".encode(encoding), file_format)
        assert refusal("e    29.33\né   129.3".encode(encoding), file_format).endswith(
            "line 2: send it again, whole"
        )


def test_a_cut_of_fixed_width_is_seen_across_reads() -> None:
    line = "1   129.33 and more\r\n"
    lines = (line * (2 * MIB // len(line) + 1)).encode()
    assert inspect(lines + line[:10].encode(), FIELDS)
    assert "ends in the middle" in refusal(lines + line[:9].encode(), FIELDS)


def test_a_text_without_a_last_line_end_is_known_as_one_that_may_be_cut() -> None:
    for text in (b"who,paid\n7,15", b"who,paid\n7,15\n8,1"):
        assert inspection(text).lacks_line_end
        assert not inspection(text + b"\n").lacks_line_end
        assert not inspection(text + b"\r\n \n").lacks_line_end
    assert inspection(b"12\n34", FIXED).lacks_line_end
    assert not inspection(b'{"a": 1}', JSON).lacks_line_end


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b'who,at\n1,"2\n3,4\n', 2),
        (b'who,at\n"1\n1","2\n3,4', 3),
        (b'who,at\n1,2\n3,"4"",5\n6', 3),
        (b'who,at\n"a ""b""\nc', 2),
        (b'who,at\n1,5" pipe\n2,"3\n4,5\n', 3),
        (b'who,at\n1,"2"" x" y\n3,4\n"5\n\n\n', 4),
    ],
)
def test_a_quote_that_is_never_closed_is_refused_with_its_line(content: bytes, line: int) -> None:
    assert f"a.csv: a quote opened on line {line} is never closed: " in refusal(content, MULTILINE)


def test_an_odd_quote_within_a_field_opens_none() -> None:
    assert inspect(b'who,at\n1,5" pipe\n2,3\n', MULTILINE)


def test_an_escaped_quote_opens_and_closes_none() -> None:
    escaped = CsvFormat(kind="csv", multiline=True, escape="\\")
    assert inspect(b'who,at\n1,"5\\" pipe\n"\n', escaped)
    assert "opened on line 2 " in refusal(b'who,at\n1,"5 pipe\\"\n2,3\n', escaped)
    across_two_reads = b'who,at\n1,"' + b"x" * (MIB - 11) + b'\\"\n2,3\n'
    assert across_two_reads[MIB - 1 : MIB + 1] == b'\\"'
    assert "opened on line 2 " in refusal(across_two_reads, escaped)
