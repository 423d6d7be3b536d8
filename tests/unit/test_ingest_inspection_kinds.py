"""A file of another kind than its source says, or of none, is refused by name."""

import hashlib

import pytest

from segspark.settings.formats import FileFormat, OrcFormat, ParquetFormat, SqliteFormat
from tests.inspecting import CSV, EXCEL, FIXED, JSON, MIB, MULTILINE, csv_in, inspect, refusal

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


def test_the_hash_is_sha_256_of_the_bytes() -> None:
    content = b"who,at\n" * 300_000
    assert inspect(content) == hashlib.sha256(content).hexdigest()
    assert inspect(b"PAR1" + content + b"PAR1", ParquetFormat(kind="parquet"))


@pytest.mark.parametrize("content", [b"", b" \r\n\t\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"])
@pytest.mark.parametrize("file_format", [CSV, MULTILINE, JSON, FIXED])
def test_a_file_of_nothing_but_white_space_is_empty(
    content: bytes, file_format: FileFormat
) -> None:
    assert refusal(content, file_format) == "a.csv: is empty: send the file again"


@pytest.mark.parametrize(
    ("content", "file_format"),
    [
        (b"", csv_in("UTF-16")),
        ("\ufeff \n".encode("utf-16-le"), csv_in("UTF-16")),
        (b"", ParquetFormat(kind="parquet")),
        (b"", EXCEL),
    ],
)
def test_a_utf_16_or_binary_file_of_nothing_is_empty(
    content: bytes, file_format: FileFormat
) -> None:
    assert refusal(content, file_format) == "a.csv: is empty: send the file again"


def test_json_that_is_spread_over_lines_is_named() -> None:
    assert refusal(b'[\n{"a": 1},\n{"a": 2}\n]\n', JSON) == (
        "a.csv: is not one JSON object a line: send it as JSON Lines"
    )


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
