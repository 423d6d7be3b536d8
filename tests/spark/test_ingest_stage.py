"""The same rows in any wrapping give the same tables, and the books tie out."""

import gzip
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from segspark.errors import IngestError
from segspark.ingest.books.tying_out import Delivery, Entry, Written, imbalance
from segspark.pipeline.holdings import current_batches
from segspark.pipeline.ingest import ingest
from segspark.pipeline.stage import Workspace
from segspark.tables.ingested import INGEST_BATCHES
from segspark.tables.operations import STAGE_RUNS
from segspark.tables.purchases import REJECTED_TRANSACTIONS, TRANSACTIONS
from tests.builders import table
from tests.purchases import HEADER, csv_file, source_document, values, workspace

TABLES = (TRANSACTIONS, REJECTED_TRANSACTIONS, INGEST_BATCHES, STAGE_RUNS)
ROWS = [
    ("7", "2011-03-01 10:00:00", "A1", "mug", "2", "1.50"),
    ("7", "2011-03-01 10:00:00", "A1", "mug", "2", "1.50"),
    ("7", "2011-03-01 10:00:00", "A1", "mug", "2", "1.50"),
    ("8", "2011-03-02 10:00:00", "A2", "cup", "1", "4"),
    ("8", "2011-03-05 10:00:00", "C2", "cup", "-1", "4"),
    (None, "2011-03-02 10:00:00", "A3", "cup", "5", "4"),
    ("9", "soon", "A4", "cup", "5", "1"),
    ("9", "soon", "A4", "cup", "5", "1"),
    ("9", "2011-03-02 10:00:00", "A5", "cup", "many", "1"),
]
LINES = [",".join(value or "" for value in row) for row in ROWS]
WRAPPINGS = ["csv", "folder", "gzip", "parquet", "delta", "zip"]


def _write(spark: SparkSession, folder: Path) -> dict[str, Any]:
    """The rows in every wrapping; the sources by the wrapping's name."""
    plain = csv_file(folder / "lines.csv", *LINES)
    (folder / "packed").write_bytes(gzip.compress(plain.read_bytes()))
    with zipfile.ZipFile(folder / "all.zip", "w") as archive:
        archive.write(plain, "deep/lines.csv")
    # Equal rows of one file are copies; of two files, they are purchases of two batches.
    csv_file(folder / "days" / "1 March.csv", *LINES[:3])
    csv_file(folder / "days" / "later days.csv", *LINES[3:])
    rows = table(spark, ", ".join(f"{name} string" for name in HEADER.split(",")), *ROWS)
    rows.coalesce(1).write.parquet(str(folder / "parquet"))
    rows.write.format("delta").save(str(folder / "delta"))
    places = {"csv": plain, "folder": folder / "days", "gzip": folder / "packed"}
    sources = {name: source_document(place) for name, place in places.items()}
    sources["zip"] = source_document(folder / "all.zip")
    for kind in ("parquet", "delta"):
        sources[kind] = source_document(folder / kind, format={"kind": kind})
    return {
        name: {**document, "most_rejected_ratio": 0.8} for name, document in sorted(sources.items())
    }


@pytest.fixture(scope="module")
def taken_in(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """One lake that has taken in all wrappings."""
    folder = tmp_path_factory.mktemp("wrappings")
    made = workspace(spark, folder / "lake", _write(spark, folder))
    assert not ingest(made).was_done
    return made


def _of(work: Workspace, name: str) -> DataFrame:
    lines = work.lake.read(TRANSACTIONS).filter(F.col("source") == name)
    return lines.drop("batch_id", "line_id", "source")


def _versions(work: Workspace) -> list[int]:
    return [work.lake.version(contract) for contract in TABLES]


def test_lines_are_kept_once_with_their_copies(taken_in: Workspace) -> None:
    found = values(_of(taken_in, "csv"), "customer_id", "line_kind", "line_amount", "copies_count")
    assert found == [
        ("7", "sale", Decimal(3), 3),
        ("8", "return", Decimal(-4), 1),
        ("8", "sale", Decimal(4), 1),
        (None, "sale", Decimal(20), 1),
    ]


@pytest.mark.parametrize("wrapping", [name for name in WRAPPINGS if name != "csv"])
def test_any_wrapping_gives_the_transactions_of_the_plain_file(
    taken_in: Workspace, wrapping: str
) -> None:
    plain = _of(taken_in, "csv")
    assert values(_of(taken_in, wrapping), *plain.columns) == values(plain, *plain.columns)


def test_refused_rows_are_the_same_in_any_wrapping(taken_in: Workspace) -> None:
    found = values(
        taken_in.lake.read(REJECTED_TRANSACTIONS), "source", "copies_count", "line_amount"
    )
    expected = [(name, copies, money) for name in WRAPPINGS for copies, money in
                ((1, None), (2, Decimal(5)))]  # fmt: skip
    assert sorted(found, key=repr) == sorted(expected, key=repr)


def test_the_books_of_every_batch_tie_out_in_rows_and_money(taken_in: Workspace) -> None:
    for row in current_batches(taken_in):
        kinds = ("kept", "duplicate", "rejected")
        assert row["in_row_count"] == sum(row[f"{kind}_row_count"] for kind in kinds)
        assert row["in_amount"] == sum(row[f"{kind}_amount"] for kind in kinds)
    plain = next(row for row in current_batches(taken_in) if row["source"] == "csv")
    assert (plain["in_row_count"], plain["in_amount"]) == (len(ROWS), Decimal(39))
    assert (plain["kept_row_count"], plain["kept_amount"]) == (4, Decimal(23))
    assert (plain["duplicate_row_count"], plain["duplicate_amount"]) == (2, Decimal(6))
    assert (plain["rejected_row_count"], plain["rejected_amount"]) == (3, Decimal(10))
    assert plain["guest_row_count"] == 1


def test_each_file_of_a_folder_has_its_own_books(taken_in: Workspace) -> None:
    found = [row for row in current_batches(taken_in) if row["source"] == "folder"]
    assert sorted((row["file_name"], row["in_row_count"]) for row in found) == [
        ("1 March.csv", 3),
        ("later days.csv", 6),
    ]


def test_the_same_input_again_adds_nothing(taken_in: Workspace) -> None:
    before = _versions(taken_in)
    again = ingest(taken_in)
    assert again.was_done
    assert "ties out" in again.summary
    assert _versions(taken_in) == before


def test_nothing_is_left_in_the_staging_folder(taken_in: Workspace) -> None:
    folder = taken_in.lake.local_folder
    assert folder is not None
    assert not (folder / "_staging").exists()


def test_what_the_tables_cannot_tell_of_the_files_is_said(
    spark: SparkSession, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.csv").write_text(f"{HEADER}\n{LINES[0]}")
    csv_file(tmp_path / "in" / "_2024.csv", LINES[3])
    with caplog.at_level("INFO"):
        ingest(workspace(spark, tmp_path / "lake", {"shop": source_document(tmp_path / "in")}))
    assert [line for line in caplog.messages if "data" in line or "cut" in line] == [
        "ingest: left out of shop, as _ or . in front of a name marks no data: _2024.csv",
        "ingest: 1 new file(s) of shop end without a line end, so that a cut within the last field "
        "would not be seen: a.csv",
    ]


def test_a_file_that_is_named_itself_is_taken_in_whatever_its_name(
    spark: SparkSession, tmp_path: Path
) -> None:
    path = csv_file(tmp_path / "_2024.csv", LINES[3])
    work = workspace(spark, tmp_path / "lake", {"shop": source_document(path)})
    assert "1 rows in = 1 kept" in ingest(work).summary


def test_a_lake_whose_folder_looks_like_a_glob_takes_rows_in(
    spark: SparkSession, tmp_path: Path
) -> None:
    path = csv_file(tmp_path / "a.csv", LINES[0])
    work = workspace(spark, tmp_path / "lake[1]{eu}", {"shop": source_document(path)})
    assert "1 rows in = 1 kept" in ingest(work).summary


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (LINES, r"3 of 9 rows are refused, above the 5.0% allowed \(transaction_at: not a date"),
        ([], "bad.csv holds no rows but its header: send it again"),
    ],
    ids=["bad rows", "only a header"],
)
def test_a_refused_source_changes_no_table(
    spark: SparkSession, taken_in: Workspace, tmp_path: Path, lines: list[str], sentence: str
) -> None:
    path = csv_file(tmp_path / "bad.csv", *lines)
    before = _versions(taken_in)
    work = workspace(spark, Path(taken_in.lake.root), {"new": source_document(path)})

    with pytest.raises(IngestError, match=rf"source new: .*{sentence}"):
        ingest(work)

    assert _versions(work) == before


def test_a_source_in_another_currency_is_refused(taken_in: Workspace, spark: SparkSession) -> None:
    document = source_document("x.csv", currency="USD")
    with pytest.raises(IngestError, match="is in USD and the lake in EUR"):
        ingest(workspace(spark, Path(taken_in.lake.root), {"new": document}))


def test_a_delta_table_that_is_not_there_is_refused_in_a_sentence(
    taken_in: Workspace, spark: SparkSession, tmp_path: Path
) -> None:
    document = source_document(tmp_path / "none", format={"kind": "delta"})
    with pytest.raises(
        IngestError, match=r"source new: table .*/none: .*: check sources\.new"
    ) as refused:
        ingest(workspace(spark, Path(taken_in.lake.root), {"new": document}))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "written",
    [
        Written(kept=Entry(2, Decimal(5))),
        Written(kept=Entry(3, Decimal(5)), duplicate=Entry(0, Decimal(1))),
        Written(kept=Entry(2, Decimal(6)), rejected=Entry(1, Decimal(0))),
        Written(kept=Entry(2, Decimal(3)), duplicate=Entry(1, Decimal(3))),
    ],
)
def test_books_that_differ_in_a_row_or_a_penny_do_not_tie_out(written: Written) -> None:
    delivery = Delivery(total=Entry(3, Decimal("5.0001")))
    right = Written(kept=Entry(3, Decimal("5.0001")))
    assert imbalance(delivery, right) is None
    assert "3 rows with 5.0001 came in" in str(imbalance(delivery, written))
