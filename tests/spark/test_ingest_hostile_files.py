"""A file that is not what its source says ends in one sentence, and no table changes."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from segspark.pipeline.stage import Workspace
from tests.hostile import LINE, line, refusal, text
from tests.hostile_contents import (
    GOOD_FILES,
    arrow_table,
    locked_xls,
    locked_xlsx,
    locked_zip,
    orc_file,
    parquet_file,
    sqlite_file,
    xls,
    xlsx,
)
from tests.packed import zipped
from tests.purchases import HEADER, source_document

GOOD = text(LINE)
JSON = {"format": {"kind": "json"}}
PARQUET = {"format": {"kind": "parquet"}}
ORC = {"format": {"kind": "orc"}}
SQLITE = {"format": {"kind": "sqlite", "table": "lines"}}
EXCEL = {"format": {"kind": "excel"}}
MULTILINE = {"format": {"kind": "csv", "multiline": True}}
NOT_THERE = "source new: in: there is no column who, at, order, what, units, price; there are"
NOT_UTF8 = (
    "has bytes that are not UTF-8: set format.encoding of the source to what the file is in, or "
    "save it as UTF-8"
)
NOT_WITHIN = "does not stay within a folder: pack it again with plain relative names"
LONG_RECORD = (
    "a record of more than 16 MiB starts here: close or double the quote that is open in it, or "
    "send the file again, with line ends"
)
CORRECT = "correct sources.new.columns or the file"


def _wrapped(before: bytes, after: bytes, sign: bytes, mebibytes: int) -> bytes:
    return before + sign * (mebibytes << 20) + after


BY_ITS_ROWS = "an open quote in a line"
REFUSED: dict[str, tuple[Callable[[], bytes], dict[str, Any], str]] = {
    "a CSV cut short": (
        lambda: GOOD + b"8,2026-03-01 10",
        {},
        "in: ends in the middle of line 3: send it again, whole",
    ),
    "JSON lines cut short": (
        lambda: b'{"who":"1"}\n{"who":',
        JSON,
        "in: ends in the middle of line 2: send it again, whole",
    ),
    "a gzip cut short": (
        lambda: gzip.compress(GOOD)[:-9],
        {},
        "in: is damaged (Compressed file ended before the end-of-stream marker was reached): send "
        "the file again",
    ),
    "a ZIP cut short": (
        lambda: zipped(("a.csv", GOOD))[:-30],
        {},
        "in: is damaged (File is not a zip file): send the file again",
    ),
    "a Parquet file cut short": (
        lambda: b"PAR1" + bytes(99),
        PARQUET,
        "in: ends early, without its footer: send it again, whole",
    ),
    "an ORC file cut short": (
        lambda: orc_file()[:-20],
        ORC,
        "in: cannot be read as orc (Failed to parse the postscript from ArrowInputFile): send the "
        "file again, or correct format.kind of the source",
    ),
    "an SQLite file cut at the end of a page": (
        lambda: sqlite_file()[:-4096],
        SQLITE,
        "in: cannot be read as an SQLite database (database disk image is malformed): send the "
        "file again",
    ),
    "an SQLite file cut within a page": (
        lambda: sqlite_file()[:-20],
        SQLITE,
        "in: ends within a page of the database: send it again, whole",
    ),
    "an xlsx cut short": (
        lambda: xlsx()[:-30],
        EXCEL,
        "in: is damaged (File is not a zip file): send the file again",
    ),
    "an xls cut short": (
        lambda: xls()[:-8],
        EXCEL,
        "in: cannot be read as an Excel workbook (unpack requires a buffer of 8 bytes): save it "
        "anew as .xlsx, without a password",
    ),
    "a wrong delimiter": (
        lambda: GOOD.replace(b",", b";"),
        {},
        f"{NOT_THERE} who;at;order;what;units;price; it looks delimited by ';': set "
        f"format.delimiter of the source: {CORRECT}",
    ),
    "a wrong delimiter in the settings": (
        lambda: GOOD,
        {"format": {"kind": "csv", "delimiter": "\\t"}},
        f"{NOT_THERE} who,at,order,what,units,price; it looks delimited by ',': set "
        f"format.delimiter of the source: {CORRECT}",
    ),
    "a missing column": (
        lambda: text(LINE.rpartition(",")[0], header=HEADER.rpartition(",")[0]),
        {},
        "source new: in: there is no column price; there are who, at, order, what, units: "
        f"{CORRECT}",
    ),
    "a missing key in JSON lines": (
        lambda: b'{"who":"7","when":"2026-03-01 10:00:00"}\n',
        JSON,
        f"source new: in: there is no column at; there are who, when: {CORRECT}",
    ),
    "a doubled column": (
        lambda: text(f"{LINE},2", header=f"{HEADER},units"),
        {},
        "in: names the column units twice: rename one",
    ),
    "a column doubled but for its case": (
        lambda: text(f"{LINE},2", header=f"{HEADER},Units"),
        {},
        "in: names the columns units and Units, which differ by case only: rename one",
    ),
    "an empty file": (lambda: b"", {}, "in: is empty: send the file again"),
    "nothing but a BOM": (lambda: b"\xef\xbb\xbf\r\n", {}, "in: is empty: send the file again"),
    "only a header": (
        text,
        {},
        "source new: in holds no rows but its header: send it again, or take it away",
    ),
    "a Parquet file without rows": (
        lambda: parquet_file(arrow_table().slice(0, 0)),
        PARQUET,
        "source new: in holds no rows but its header: send it again, or take it away",
    ),
    "a ZIP bomb": (
        lambda: zipped(("a.csv", _wrapped(GOOD, b"", b"\n", 101))),
        {},
        "in/a.csv: unpacks to more than 200 times its size, as an archive made to fill a disk "
        "does: send it unpacked",
    ),
    "a path that climbs out of the archive": (
        lambda: zipped(("../a.csv", GOOD)),
        {},
        f"in: its member '../a.csv' {NOT_WITHIN}",
    ),
    "a path from the root in the archive": (
        lambda: zipped(("/etc/a.csv", GOOD)),
        {},
        f"in: its member '/etc/a.csv' {NOT_WITHIN}",
    ),
    "an encrypted workbook": (
        locked_xlsx,
        EXCEL,
        "in: is an encrypted workbook: save it without a password",
    ),
    "an encrypted xls": (
        locked_xls,
        EXCEL,
        "in: cannot be read as an Excel workbook (Workbook is encrypted): save it anew as .xlsx, "
        "without a password",
    ),
    "a ZIP with a password": (
        locked_zip,
        {},
        "in/a.csv: is protected by a password: send it without",
    ),
    "a wrong encoding": (
        lambda: text(line(what="Müg")).decode().encode("ISO-8859-1"),
        {},
        f"in: line 2: {NOT_UTF8}",
    ),
    "another encoding by its mark": (
        lambda: GOOD.decode().encode("UTF-16"),
        {},
        "in: is UTF-16: set format.encoding of the source to UTF-16",
    ),
    "mixed encodings": (
        lambda: text(line(what="Müg")) + line(what="Müg").encode("ISO-8859-1") + b"\n",
        {},
        f"in: line 3: {NOT_UTF8}",
    ),
    "NUL bytes": (
        lambda: text(LINE, line(what="m\0g")),
        {},
        "in: line 3: holds a NUL byte: send the file again, as text",
    ),
    "a line of 100 MB": (
        lambda: _wrapped(GOOD, b"\n", b"x", 100),
        {},
        "in: line 3: is longer than 16 MiB: send the file again, with line ends",
    ),
    "an object of 100 MB": (
        lambda: _wrapped(b'{"who":"1"}\n{"who":"', b'"}\n', b"x", 100),
        JSON,
        "in: line 2: is longer than 16 MiB: send the file again, with line ends",
    ),
    "an open quote among line breaks": (
        lambda: text(LINE, line(what='"mug'), LINE),
        MULTILINE,
        "in: a quote opened on line 3 is never closed: close or double the quote, or send the "
        "file again, whole",
    ),
    "an open quote at the top of a large file": (
        lambda: b'"' + GOOD * 300_000,
        MULTILINE,
        f"in: line 1: {LONG_RECORD}",
    ),
    "a record of 100 MB": (
        lambda: _wrapped(GOOD + line(what='"').encode(), b'"\n', b"x\n", 50),
        MULTILINE,
        f"in: line 3: {LONG_RECORD}",
    ),
    BY_ITS_ROWS: (
        lambda: text(LINE, line(what='"mug')),
        {},
        "source new: in: 1 of 2 rows are refused, above the 5.0% allowed (row: does not have the "
        "columns of its file, or holds an open quote or a line break (1); quantity: missing (1); "
        "unit_price: missing (1)): correct the mapping of sources.new or the file",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_that_is_not_what_its_source_says_changes_no_table(
    one_good_batch: Workspace, tmp_path: Path, case: str
) -> None:
    content, changed, sentence = REFUSED[case]
    path = tmp_path / "in"
    path.write_bytes(content())
    assert refusal(one_good_batch, source_document(path, **changed)) == sentence


@pytest.mark.parametrize("case", [case for case in REFUSED if case != BY_ITS_ROWS])
def test_nothing_before_such_a_file_is_taken_in_neither_of_its_source_nor_of_others(
    one_good_batch: Workspace, tmp_path: Path, case: str
) -> None:
    content, changed, sentence = REFUSED[case]
    document = source_document(tmp_path / "new", **changed)
    good = GOOD_FILES[document["format"]["kind"]]()
    if "delimiter" in document["format"]:
        good = good.replace(b",", b"\t")
    for folder, name, written in (
        ("before", "a", GOOD), ("new", "a", good), ("new", "in", content())
    ):  # fmt: skip
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / name).write_bytes(written)
    others = {"before": source_document(tmp_path / "before")}
    assert refusal(one_good_batch, document, others=others) == sentence
