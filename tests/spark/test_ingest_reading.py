"""Rows know their file whatever it is called; files with other columns are other frames."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import orc
from pyspark.sql import SparkSession

from segspark.errors import IngestError
from segspark.ingest.reading.file_rows import require_columns
from segspark.ingest.reading.raw import (
    ADDED,
    BATCH_ID,
    DELIVERED_AT,
    FILE_NAME,
    MALFORMED,
    RAW_ROW,
    with_file,
)
from tests.builders import table
from tests.readables import (
    COLUMNS,
    csv_file,
    file_source,
    frames,
    only_frame,
    rows,
)
from tests.readables import (
    DELIVERED_AT as DELIVERED,
)


def test_each_row_knows_its_file_and_batch_whatever_the_name(
    spark: SparkSession, tmp_path: Path
) -> None:
    names = ["1.csv", "a b.csv", "a+b.csv", "50%.csv", "a%20b.csv", "a (1).csv", "[1].csv",
             "{2}.csv", "é.csv", "10:30.csv", "a\\b.csv", "a#b?.csv", "a,b.csv", "b*.csv",
             "plain.csv.gz"]  # fmt: skip
    for number, name in enumerate(names):
        csv_file(tmp_path / "all files" / name, f"{number},x,1")
    source = file_source(tmp_path / "all files", "csv")

    raw = only_frame(spark, source, tmp_path / "staging")

    expected = [(str(n), name, f"batch of {name}") for n, name in enumerate(names)]
    assert rows(raw, "who", FILE_NAME, BATCH_ID) == sorted(expected, key=repr)
    assert {row[0].timestamp() for row in rows(raw, DELIVERED_AT)} == {DELIVERED.timestamp()}


def test_files_at_addresses_know_their_names_too(spark: SparkSession, tmp_path: Path) -> None:
    for number, name in enumerate(["a b.csv", "50%.csv", "é+[1].csv"]):
        csv_file(tmp_path / "in" / name, f"{number},x,1")
    source = file_source(f"file://{tmp_path}/in", "csv")
    raw = only_frame(spark, source, tmp_path / "staging")
    assert rows(raw, "who", FILE_NAME) == [("0", "a b.csv"), ("1", "50%.csv"), ("2", "é+[1].csv")]


def test_a_single_file_with_signs_of_a_pattern_in_its_name_is_read(
    spark: SparkSession, tmp_path: Path
) -> None:
    source = file_source(csv_file(tmp_path / "sales[1].csv", "7,x,1"), "csv")
    raw = only_frame(spark, source, tmp_path / "staging")
    assert rows(raw, "who", FILE_NAME) == [("7", "sales[1].csv")]


@pytest.mark.parametrize("pack", [gzip.compress, bytes])
def test_equal_contents_in_two_folders_stay_two_files(
    spark: SparkSession, tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    for folder in ("day 1", "day 2"):
        path = csv_file(tmp_path / "in" / folder / "a.csv", "7,x,1")
        path.write_bytes(pack(path.read_bytes()))
    source = file_source(tmp_path / "in", "csv", one_batch_per="folder")
    raw = only_frame(spark, source, tmp_path / "staging")
    assert rows(raw, "who", FILE_NAME) == [("7", "day 1/a.csv"), ("7", "day 2/a.csv")]


@pytest.mark.parametrize("kind", ["csv", "parquet", "orc"])
def test_files_with_other_columns_are_frames_of_their_own(
    spark: SparkSession, tmp_path: Path, kind: str
) -> None:
    contents = {
        "a": ["who", "at", "paid"],
        "b": ["at", "who", "paid", "new"],
        "c": ["who", "at", "paid"],
    }
    for name, header in contents.items():
        path = tmp_path / "in" / f"{name}.{kind}"
        if kind == "csv":
            csv_file(
                path, ",".join(f"{column} {name}" for column in header), header=",".join(header)
            )
            continue
        path.parent.mkdir(exist_ok=True)
        arrow = pa.table({column: [f"{column} {name}"] for column in header})
        pq.write_table(arrow, path) if kind == "parquet" else orc.write_table(arrow, str(path))

    found = frames(spark, file_source(tmp_path / "in", kind), tmp_path / "staging")

    assert [frame.columns[: -len(ADDED)] for frame in found] == [contents["a"], contents["b"]]
    assert rows(found[0], "who", FILE_NAME) == [("who a", f"a.{kind}"), ("who c", f"c.{kind}")]
    assert rows(found[1], "who", "new", BATCH_ID) == [("who b", "new b", f"batch of b.{kind}")]


@pytest.mark.parametrize("kind", ["csv", "json", "parquet"])
def test_folders_that_name_a_column_become_one(
    spark: SparkSession, tmp_path: Path, kind: str
) -> None:
    for value in ("2026-01-01", "a%3Ab", "__HIVE_DEFAULT_PARTITION__"):
        path = tmp_path / "in" / f"day={value}" / "who=nobody" / f"a.{kind}"
        path.parent.mkdir(parents=True)
        if kind == "csv":
            csv_file(path, f"{value},x,1")
        elif kind == "json":
            path.write_text(f'{{"who":"{value}","at":"x","paid":1}}\n', encoding="utf-8")
        else:
            pq.write_table(pa.table({"who": [value], "at": ["x"], "paid": ["1"]}), path)
    source = file_source(tmp_path / "in", kind, columns={**COLUMNS, "store_id": "day"})

    raw = only_frame(spark, source, tmp_path / "staging")

    assert raw.columns == ["who", "at", "paid", "day", *ADDED]
    assert rows(raw, "who", "day") == [
        ("2026-01-01", "2026-01-01"),
        ("__HIVE_DEFAULT_PARTITION__", None),
        ("a%3Ab", "a:b"),
    ]


def test_a_table_becomes_a_raw_frame(spark: SparkSession) -> None:
    source = file_source("x.csv", "csv")
    df = table(spark, "who int, at string, paid double", (7, "x", 1.5))
    require_columns(df, source, name="shop")
    raw = with_file(df, batch_id="b", file_name="sales", delivered_at=DELIVERED)
    assert raw.columns == ["who", "at", "paid", *ADDED]
    assert rows(raw, "who", BATCH_ID, FILE_NAME, MALFORMED, RAW_ROW) == [
        (7, "b", "sales", None, None)
    ]
    with pytest.raises(IngestError, match="source shop: its table: there is no column paid; there"):
        require_columns(df.drop("paid"), source, name="shop")
