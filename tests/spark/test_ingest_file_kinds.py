"""Files of every kind, packed or not, become the same raw rows."""

import sqlite3
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlwt
from pyarrow import orc
from pyspark.sql import SparkSession

from segspark.errors import IngestError
from segspark.ingest.reading.raw import ADDED, BATCH_ID, FILE_NAME, MALFORMED
from tests.packed import gzipped, zipped, zstd
from tests.readables import csv_file, file_source, frames, only_frame, prepared, rows

NOON = datetime.fromisoformat("2011-03-13 12:00")
KINDS = ("csv", "json", "fixed_width", "parquet", "orc", "sqlite", "xlsx", "xls")
HEADER = ("who", "at", "paid", "note")
ROWS = [
    ("7", "2011-03-01 10:00:00", "2.55", "größe, \"L\""),
    ("8", "2011-03-02 10:00:00", "-1", None),
]  # fmt: skip


def same_rows_as(kind: str, folder: Path) -> dict[str, Any]:
    """Write ROWS as a file of this kind; return the format that reads it."""
    columns = [list(values) for values in zip(*ROWS, strict=True)]
    arrow = pa.table(dict(zip(HEADER, columns, strict=True)))
    if kind == "csv":
        lines = ['7,2011-03-01 10:00:00,2.55,"größe, ""L"""', "8,2011-03-02 10:00:00,-1,"]
        csv_file(folder / "a.csv", *lines, header=",".join(HEADER))
    elif kind == "json":
        (folder / "a.json").write_text(
            '{"who":"7","at":"2011-03-01 10:00:00","paid":2.55,"note":"größe, \\"L\\""}\n'
            '{"who":8,"at":"2011-03-02 10:00:00","paid":"-1"}\n',
            encoding="utf-8",
        )
    elif kind == "fixed_width":
        (folder / "a.txt").write_bytes(
            'x 7 2011-03-01 10:00:00  2.55 größe, "L"\r\nx 8 2011-03-02 10:00:00    -1\r\n'.encode()
        )
        places = {"who": [1, 4], "at": [5, 23], "paid": [24, 29], "note": [31, 50]}
        return {"kind": kind, "fields": {**places, "who": [2, 4]}}
    elif kind == "parquet":
        pq.write_table(arrow, folder / "a.parquet")
    elif kind == "orc":
        orc.write_table(arrow, str(folder / "a.orc"))
    elif kind == "sqlite":
        connection = sqlite3.connect(folder / "a.db")
        connection.execute("CREATE TABLE lines (who, at, paid REAL, note)")
        connection.execute("ALTER TABLE lines RENAME COLUMN paid TO real_paid")
        connection.execute("CREATE TABLE sales (who, at, paid, note)")
        data = [(int(who), at, float(paid) if "." in paid else int(paid), note)
                for who, at, paid, note in ROWS]  # fmt: skip
        connection.executemany("INSERT INTO sales VALUES (?, ?, ?, ?)", data)
        connection.commit()
        connection.close()
        return {"kind": kind, "table": "sales"}
    else:
        workbook(kind, folder / f"a.{kind}")
        return {"kind": "excel"}
    return {"kind": kind}


def workbook(kind: str, path: Path) -> None:
    cells = [HEADER, *((float(who), at, float(paid), note) for who, at, paid, note in ROWS)]
    if kind == "xlsx":
        book = openpyxl.Workbook()
        for row in cells:
            book.worksheets[0].append(list(row))
        book.save(path)
        return
    old = xlwt.Workbook()
    sheet = old.add_sheet("one")
    for place, row in enumerate(cells):
        for column, value in enumerate(row):
            sheet.write(place, column, value)
    old.save(str(path))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_file_gives_the_same_rows(
    spark: SparkSession, tmp_path: Path, kind: str
) -> None:
    (tmp_path / "in").mkdir()
    source = file_source(tmp_path / "in", same_rows_as(kind, tmp_path / "in"))

    raw = only_frame(spark, source, tmp_path / "staging")

    assert raw.columns == [*HEADER, *ADDED]
    assert {dtype for _, dtype in raw.dtypes} == {"string", "timestamp"}
    assert rows(raw, *HEADER, MALFORMED) == [(*row, None) for row in ROWS]
    name = next((tmp_path / "in").iterdir()).name
    assert rows(raw, FILE_NAME, BATCH_ID) == [(name, f"batch of {name}")] * 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("packing", ["gzip", "zstd", "zip"])
def test_packed_files_give_the_same_rows(
    spark: SparkSession, tmp_path: Path, kind: str, packing: str
) -> None:
    for folder in ("plain", "in"):
        (tmp_path / folder).mkdir()
    source_format = same_rows_as(kind, tmp_path / "plain")
    plain = next((tmp_path / "plain").iterdir())
    content = plain.read_bytes()
    packed = {
        "gzip": gzipped(content),
        "zstd": zstd(content),
        "zip": zipped((plain.name, content), method=zipfile.ZIP_STORED),
    }
    name = "a.zip" if packing == "zip" else plain.name
    (tmp_path / "in" / name).write_bytes(packed[packing])
    source = file_source(tmp_path / "in", source_format)

    assert rows(only_frame(spark, source, tmp_path / "staging"), *HEADER) == ROWS


def test_parquet_keeps_its_types_and_files_with_others_are_frames_of_their_own(
    spark: SparkSession, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    for name, kind in (("a", pa.int32()), ("b", pa.string()), ("c", pa.int32())):
        values = pa.array(["7"]).cast(kind)
        arrow = pa.table({"who": values, "at": ["x"], "paid": pa.array([1.5])})
        pq.write_table(arrow, tmp_path / "in" / f"{name}.parquet")
    found = frames(spark, file_source(tmp_path / "in", "parquet"), tmp_path / "staging")
    assert [dict(frame.dtypes)["who"] for frame in found] == ["int", "string"]
    assert [frame.count() for frame in found] == [2, 1]


def test_stamps_in_nanoseconds_as_pandas_writes_them_are_read(
    spark: SparkSession, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    for name, unit in (("a", "ns"), ("b", "us")):
        stamps = pa.array([1_300_000_000_123_456_000]).cast(pa.timestamp("ns"))
        arrow = pa.table({"who": ["7"], "at": stamps.cast(pa.timestamp(unit)), "paid": [1.5]})
        pq.write_table(arrow, tmp_path / "in" / f"{name}.parquet")
    found = frames(spark, file_source(tmp_path / "in", "parquet"), tmp_path / "staging")
    stamps = [str(row[0]) for frame in found for row in rows(frame, "at")]
    assert stamps == ["2011-03-13 07:06:40.123456"] * 2


@pytest.mark.parametrize("kind", ["parquet", "orc"])
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin"])
def test_only_a_stamp_that_states_its_zone_is_an_instant(
    spark: SparkSession, tmp_path: Path, kind: str, zone: str | None
) -> None:
    stamps = pa.array([NOON], pa.timestamp("us", zone))
    write = pq.write_table if kind == "parquet" else orc.write_table
    write(pa.table({"who": ["7"], "at": stamps, "paid": [1.5]}), tmp_path / f"a.{kind}")

    raw = only_frame(spark, file_source(tmp_path / f"a.{kind}", kind), tmp_path / "staging")

    assert dict(raw.dtypes)["at"] == ("timestamp" if zone else "timestamp_ntz")
    assert [str(row[0]) for row in rows(raw, "at")] == ["2011-03-13 12:00:00"]


def test_a_stamp_of_96_bits_says_nothing_of_a_zone_and_is_a_clock_time(
    spark: SparkSession, tmp_path: Path
) -> None:
    stamps = pa.array([NOON], pa.timestamp("us"))
    arrow = pa.table({"who": ["7"], "at": stamps, "paid": [1.5]})
    pq.write_table(arrow, tmp_path / "a.parquet", use_deprecated_int96_timestamps=True)
    raw = only_frame(spark, file_source(tmp_path / "a.parquet", "parquet"), tmp_path / "staging")
    assert dict(raw.dtypes)["at"] == "timestamp_ntz"
    assert [str(row[0]) for row in rows(raw, "at")] == ["2011-03-13 12:00:00"]


def test_lines_of_fixed_places_as_cdnow_writes_them(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "cdnow.txt").write_bytes(
        b" 00001 19970101  1   11.77\r\n 00002 19970112  1   12.00\r\n\r\n 00003 199\r\n 000"
    )
    places = {"who": [2, 6], "at": [8, 15], "units": [16, 18], "paid": [19, 26]}
    source_format = {"kind": "fixed_width", "fields": places}
    source = file_source(tmp_path / "cdnow.txt", source_format)

    raw = only_frame(spark, source, tmp_path / "staging")

    assert rows(raw, *places, MALFORMED) == [
        ("000", None, None, None, " 000"),
        ("00001", "19970101", "1", "11.77", None),
        ("00002", "19970112", "1", "12.00", None),
        ("00003", "199", None, None, " 00003 199"),
    ]


@pytest.mark.parametrize("kind", ["parquet", "orc"])
def test_a_damaged_file_is_refused_in_a_sentence(
    spark: SparkSession, tmp_path: Path, kind: str
) -> None:
    (tmp_path / "in").mkdir()
    same_rows_as(kind, tmp_path / "in")
    path = tmp_path / "in" / f"a.{kind}"
    whole = path.read_bytes()
    path.write_bytes(whole[:-20] + whole[-4:])
    with pytest.raises(IngestError, match=rf"a\.{kind}: cannot be read as {kind} \(.*\): send"):
        prepared(spark, file_source(tmp_path / "in", kind), tmp_path / "staging")


def test_only_what_spark_cannot_read_in_place_is_copied(
    spark: SparkSession, tmp_path: Path
) -> None:
    for kind in ("csv", "json", "fixed_width", "parquet", "orc"):
        folder = tmp_path / kind
        folder.mkdir()
        source = file_source(folder, same_rows_as(kind, folder))
        (readable,) = prepared(spark, source, tmp_path / "staging")
        assert readable.address == readable.file.found.address
    assert not (tmp_path / "staging").exists()


@pytest.mark.parametrize("kind", ["parquet", "orc", "sqlite", "xlsx"])
def test_files_at_addresses_are_read_too(spark: SparkSession, tmp_path: Path, kind: str) -> None:
    (tmp_path / "in put").mkdir()
    source_format = same_rows_as(kind, tmp_path / "in put")
    source = file_source(f"file://{tmp_path}/in put", source_format)
    assert rows(only_frame(spark, source, tmp_path / "staging"), *HEADER) == ROWS
