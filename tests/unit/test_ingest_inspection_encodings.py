"""Text that is not in the declared encoding is refused with line and remedy."""

import pytest

from segspark.settings.formats import FileFormat
from tests.inspecting import CSV, FIXED, JSON, MIB, csv_in, inspect, refusal


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


@pytest.mark.parametrize(
    ("encoding", "content"),
    [
        ("US-ASCII", "who\n1\né\n".encode()),
        ("windows-1252", b"who\n1\n\x81\xe9\n"),
        ("UTF-16", "\ufeffwho\n1\n😀".encode("utf-16-be")[:-1]),
        ("UTF-16", "\ufeffwho\n1\n😀".encode("utf-16-be")[:-2]),
    ],
)
def test_bytes_that_an_encoding_lacks_are_refused_with_their_line(
    encoding: str, content: bytes
) -> None:
    assert f"line 3: has bytes that are not {encoding}" in refusal(content, csv_in(encoding))


@pytest.mark.parametrize("encoding", ["ISO-8859-1", "windows-1252"])
def test_utf_8_under_a_single_byte_encoding_is_named(encoding: str) -> None:
    assert refusal("who\nÁé\n".encode(), csv_in(encoding)) == (
        f"a.csv: line 2: is UTF-8, where the source says {encoding}: "
        "set format.encoding of the source to UTF-8"
    )


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
