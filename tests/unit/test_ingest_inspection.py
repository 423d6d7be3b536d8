"""A file that is not what its source says is refused by name, line and remedy, before Spark."""

import hashlib
import io
from contextlib import nullcontext
from typing import BinaryIO, cast

import pytest

from segspark.errors import IngestError
from segspark.ingest.files.inspection import inspect_content
from segspark.settings.formats import (
    CsvFormat,
    ExcelFormat,
    FileFormat,
    FixedWidthFormat,
    JsonLinesFormat,
    OrcFormat,
    ParquetFormat,
    SqliteFormat,
)

CSV = CsvFormat(kind="csv")
MULTILINE = CsvFormat(kind="csv", multiline=True)
JSON = JsonLinesFormat(kind="json")
FIXED = FixedWidthFormat(kind="fixed_width", fields={"who": (1, 2)})
EXCEL = ExcelFormat(kind="excel")
MIB = 1 << 20
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


def csv_in(encoding: str) -> CsvFormat:
    return CsvFormat.model_validate({"kind": "csv", "encoding": encoding})


def inspect(content: bytes, file_format: FileFormat = CSV) -> str:
    def reopen() -> nullcontext[io.BytesIO]:
        return nullcontext(io.BytesIO(content))

    return inspect_content(io.BytesIO(content), reopen, name="a.csv", file_format=file_format)


def refusal(content: bytes, file_format: FileFormat = CSV) -> str:
    with pytest.raises(IngestError) as caught:
        inspect(content, file_format)
    return str(caught.value)


def test_the_hash_is_sha_256_of_the_bytes() -> None:
    content = b"who,at\n" * 300_000
    assert inspect(content) == hashlib.sha256(content).hexdigest()
    assert inspect(b"PAR1" + content + b"PAR1", ParquetFormat(kind="parquet"))


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("UTF-8", "who,at\né€😀,2\n"),
        ("UTF-8", "\ufeffwho,at\né,2\n"),
        ("US-ASCII", "who,at\n1,2\n"),
        ("ISO-8859-1", "who,at\né,2\n"),
        ("windows-1252", "who,at\n€,2\n"),
        ("UTF-16", "who,at\né€😀\u010a,2\n"),
    ],
)
def test_text_in_its_declared_encoding_passes(encoding: str, text: str) -> None:
    assert inspect(text.encode(encoding), csv_in(encoding))


def test_utf_16_passes_with_either_byte_first() -> None:
    text = "\ufeffwho,at\né,\u0a0d\n"
    for codec in ("utf-16-le", "utf-16-be"):
        assert inspect(text.encode(codec), csv_in("UTF-16"))


def test_bytes_that_are_not_utf_8_are_refused_with_their_line() -> None:
    assert refusal("who,at\n1,2\né,3\n".encode("ISO-8859-1")) == (
        "a.csv: line 3: has bytes that are not UTF-8: set format.encoding of the source to what "
        "the file is in, or save it as UTF-8"
    )


@pytest.mark.parametrize("before", [MIB - 2, MIB - 1, MIB, MIB + 1])
def test_a_sign_across_two_reads_is_whole(before: int) -> None:
    text = b"x" * (before - 1) + b"\n" + "€".encode()
    assert inspect(text + b"\n")
    assert "line 2: has bytes that are not UTF-8" in refusal(text[:-1] + b"\n")
    assert "line 2: has bytes that are not UTF-8" in refusal(text[:-1])


def test_line_ends_of_all_kinds_count_as_one_line_each() -> None:
    assert "line 4: " in refusal(b"who\r\n1\r2\n\xff\n")
    split = b"x" * (MIB - 1) + b"\r" + b"\n\xff\n"
    assert "line 2: " in refusal(split)


def test_bytes_that_are_not_ascii_are_refused_with_their_line() -> None:
    assert "line 2: has bytes that are not US-ASCII" in refusal(
        "who\né\n".encode(), csv_in("US-ASCII")
    )


def test_a_byte_that_windows_1252_lacks_is_refused_with_its_line() -> None:
    assert "line 2: has bytes that are not windows-1252" in refusal(
        b"who\n\x81\xe9\n", csv_in("windows-1252")
    )


@pytest.mark.parametrize("encoding", ["ISO-8859-1", "windows-1252"])
def test_utf_8_under_a_single_byte_encoding_is_named(encoding: str) -> None:
    assert refusal("who\nÁé\n".encode(), csv_in(encoding)) == (
        f"a.csv: line 2: is UTF-8, where the source says {encoding}: "
        "set format.encoding of the source to UTF-8"
    )


@pytest.mark.parametrize("cut", [1, 2])
def test_utf_16_that_breaks_within_a_sign_is_refused_with_its_line(cut: int) -> None:
    content = "\ufeffwho\n1\n😀".encode("utf-16-be")[:-cut]
    assert "line 3: has bytes that are not UTF-16" in refusal(content, csv_in("UTF-16"))


def test_utf_16_without_its_mark_is_refused() -> None:
    for content in (b"who,at\n", "who,at\n".encode("utf-16-le")):
        assert "does not start with the mark of UTF-16" in refusal(content, csv_in("UTF-16"))


@pytest.mark.parametrize("encoding", ["UTF-8", "US-ASCII", "ISO-8859-1", "windows-1252"])
def test_the_mark_of_another_encoding_is_named(encoding: str) -> None:
    text, declared = "\ufeffwho\n", csv_in(encoding)
    for codec in ("utf-16-le", "utf-16-be"):
        told = refusal(text.encode(codec), declared)
        assert told == "a.csv: is UTF-16: set format.encoding of the source to UTF-16"
    for codec in ("utf-32-le", "utf-32-be"):
        assert "is UTF-32, which is not read here: save it as UTF-8" in refusal(
            text.encode(codec), declared
        )
    if encoding != "UTF-8":
        assert refusal(text.encode(), declared) == (
            "a.csv: is UTF-8: set format.encoding of the source to UTF-8"
        )


@pytest.mark.parametrize("file_format", [CSV, JSON, FIXED])
def test_a_nul_byte_is_refused_with_its_line(file_format: FileFormat) -> None:
    assert refusal(b"{}\n{}\n{}\0\n", file_format) == (
        "a.csv: line 3: holds a NUL byte: send the file again, as text"
    )
    assert "line 2: holds a NUL byte" in refusal(b"x" * 2 * MIB + b"\n\0\n")


def test_a_line_may_have_16_mib_and_no_more() -> None:
    line = b"x" * 16 * MIB
    assert inspect(b"who\n" + line + b"\n1\n")
    assert refusal(b"who\n" + line + b"x\n1\n") == (
        "a.csv: line 2: is longer than 16 MiB: send the file again, with line ends"
    )


def test_a_long_line_is_not_held_in_memory() -> None:
    class Endless(io.RawIOBase):
        read_bytes = 0

        def readable(self) -> bool:
            return True

        def read(self, size: int = -1) -> bytes:
            self.read_bytes += size
            return b"x" * size

    content = Endless()
    with pytest.raises(IngestError, match="line 1: is longer than 16 MiB"):
        inspect_content(
            cast(BinaryIO, content),
            lambda: nullcontext(io.BytesIO()),
            name="a.csv",
            file_format=CSV,
        )
    assert content.read_bytes < 20 * MIB


def test_a_long_record_of_a_multiline_csv_passes() -> None:
    assert inspect(b'who,at\n1,"' + b"x" * 20 * MIB + b'"\n2,3', MULTILINE)
    assert inspect(b"who,at\n1," + b"x" * 20 * MIB, MULTILINE)


@pytest.mark.parametrize("content", [b"", b" \r\n\t\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"])
@pytest.mark.parametrize("file_format", [CSV, MULTILINE, JSON, FIXED])
def test_a_file_of_nothing_but_white_space_is_empty(
    content: bytes, file_format: FileFormat
) -> None:
    assert refusal(content, file_format) == "a.csv: is empty: send the file again"


def test_an_empty_utf_16_file_is_empty() -> None:
    for content in (b"", "\ufeff \n".encode("utf-16-le")):
        assert "is empty" in refusal(content, csv_in("UTF-16"))


@pytest.mark.parametrize("file_format", [ParquetFormat(kind="parquet"), EXCEL])
def test_a_binary_file_without_bytes_is_empty(file_format: FileFormat) -> None:
    assert refusal(b"", file_format) == "a.csv: is empty: send the file again"


CUT = "a.csv: ends in the middle of line 3: send it again, whole"


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


def test_a_csv_without_a_header_is_measured_by_its_names() -> None:
    csv_format = CsvFormat(kind="csv", header=False, column_names=("who", "at", "what"))
    assert refusal(b"1,2,3\n1,2,3\n4,5", csv_format) == CUT
    assert refusal(b"1,2,3\n1,2,3\n4,5", csv_format.model_copy(update={"quote": ""})) == CUT


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


def test_json_that_is_spread_over_lines_is_named() -> None:
    assert refusal(b'[\n{"a": 1},\n{"a": 2}\n]\n', JSON) == (
        "a.csv: is not one JSON object a line: send it as JSON Lines"
    )


def test_text_of_fixed_width_may_end_anywhere() -> None:
    assert inspect(b"ab12\ncd", FIXED)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b'who,at\n1,"2\n3,4\n', 2),
        (b'who,at\n"1\n1","2\n3,4', 3),
        (b'who,at\n1,2\n3,"4"",5\n6', 3),
        (b'who,at\n"a ""b""\nc', 2),
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


@pytest.mark.parametrize(
    ("content", "title"),
    [
        (b"PAR1\x15\x04", "a Parquet file"),
        (b"ORC\x0a\x03\x00", "an ORC file"),
        (b"SQLite format 3\0\x10", "an SQLite database"),
        (OLE, "an Excel workbook or other office document"),
        (b"PK\x03\x04" + bytes(26) + b"xl/workbook.xml", "an Excel workbook or other office"),
        (b"%PDF-1.7\n", "a PDF"),
        (b"\n<!DOCTYPE html>\n<html>", "a web page (HTML), such as a portal sends for an error,"),
        (b"\xef\xbb\xbf<HTML>", "a web page (HTML), such as a portal sends for an error,"),
        (bytes(257) + b"ustar", "a tar archive"),
        (b"7z\xbc\xaf\x27\x1c\0", "a 7z archive"),
    ],
)
def test_a_file_that_is_no_text_at_all_is_named(content: bytes, title: str) -> None:
    assert f"a.csv: is {title}" in refusal(content)
    assert "and no text: send the file itself" in refusal(content)


@pytest.mark.parametrize("header", [b"ORCHARD,PRICE\n", b"PAR1,B\n", b"BZh,B\n"])
def test_a_column_may_be_called_like_a_signature(header: bytes) -> None:
    assert inspect(header + b"1,2\n")


@pytest.mark.parametrize(
    ("file_format", "content", "told"),
    [
        (ParquetFormat(kind="parquet"), b"who,at\n", "is no Parquet file"),
        (ParquetFormat(kind="parquet"), b"PAR1" + bytes(9), "ends early, without its footer"),
        (ParquetFormat(kind="parquet"), b"PARE" + bytes(9), "is an encrypted Parquet file"),
        (OrcFormat(kind="orc"), b"%PDF-1.7", "is a PDF and no ORC file"),
        (SqliteFormat(kind="sqlite", table="t"), b"SQLite 2", "is no SQLite database"),
        (EXCEL, b"who,at\n", "is no workbook"),
        (EXCEL, OLE, "is an office document and no workbook"),
        (EXCEL, OLE + "EncryptedPackage".encode("utf-16-le"), "is an encrypted workbook"),
    ],
)
def test_a_binary_file_of_another_kind_is_refused(
    file_format: FileFormat, content: bytes, told: str
) -> None:
    assert f"a.csv: {told}" in refusal(content, file_format)


@pytest.mark.parametrize("before", [0, MIB - len(OLE) - 7])
def test_a_name_in_a_workbook_is_found_across_two_reads(before: int) -> None:
    start = OLE + bytes(before)
    assert inspect(start + "Workbook".encode("utf-16-le"), EXCEL)
    assert "without a password" in refusal(start + "EncryptedPackage".encode("utf-16-le"), EXCEL)


@pytest.mark.parametrize(
    ("file_format", "content"),
    [
        (ParquetFormat(kind="parquet"), b"PAR1" + bytes(9) + b"PAR1"),
        (OrcFormat(kind="orc"), b"ORC" + bytes(9)),
        (SqliteFormat(kind="sqlite", table="t"), b"SQLite format 3\0"),
        (EXCEL, b"PK\x03\x04" + bytes(9)),
    ],
)
def test_a_binary_file_of_its_kind_passes(file_format: FileFormat, content: bytes) -> None:
    assert inspect(content, file_format) == hashlib.sha256(content).hexdigest()
