"""Refused rows can be repaired and taken in, and the books still tie out."""

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from segspark.errors import IngestError
from segspark.pipeline.ingest import current_batches, ingest
from segspark.pipeline.replay import export_refusals, replay
from segspark.pipeline.stage import Workspace
from segspark.tables.purchases import TRANSACTIONS
from tests.purchases import csv_file, source_document, values, workspace

GOOD = "7,2011-03-01 10:00:00,A1,mug,2,1.50"
BAD = "9,2011-03-0X,A2,cup,1,4"
WORSE = "9,2011-03-02,A3,cup,many,4"
SHORT = "9,2011-03-02,A4"
FILE = (GOOD, GOOD, BAD, BAD, WORSE, SHORT)


@pytest.fixture
def refused(spark: SparkSession, tmp_path: Path) -> Workspace:
    """A lake that refused four rows, of which two are equal."""
    path = csv_file(tmp_path / "march.csv", *FILE)
    shop = source_document(path, most_rejected_ratio=0.8, changed_file="replace")
    work = workspace(spark, tmp_path / "lake", {"shop": shop})
    ingest(work)
    return work


def exported(work: Workspace, folder: Path, name: str = "refused.jsonl") -> list[dict[str, Any]]:
    export_refusals(work, folder / name)
    return [json.loads(line) for line in (folder / name).read_text().splitlines()]


def repaired(folder: Path, rows: Sequence[dict[str, Any]], name: str = "repaired.jsonl") -> str:
    (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(folder / name)


def repair(row: dict[str, Any], **changed: str) -> dict[str, Any]:
    return {**row, "row": {**row["row"], **changed}}


def of_order(rows: list[dict[str, Any]], order: str) -> dict[str, Any]:
    return next(row for row in rows if order in json.dumps(row))


def test_refused_rows_come_out_once_each_with_their_reasons(
    refused: Workspace, tmp_path: Path
) -> None:
    rows = exported(refused, tmp_path)
    assert len(rows) == 3
    bad = of_order(rows, "A2")
    assert bad["copies_count"] == 2
    assert bad["reasons"] == ["transaction_at: not a date or time"]
    assert bad["row"] == {"who": "9", "at": "2011-03-0X", "order": "A2", "what": "cup",
                          "units": "1", "price": "4"}  # fmt: skip
    short = of_order(rows, "A4")
    assert short["line"] == SHORT
    assert set(short["row"].values()) == {None}
    with pytest.raises(IngestError, match=r"refused\.jsonl: cannot be written \(File exists\)"):
        export_refusals(refused, tmp_path / "refused.jsonl")


def test_repaired_rows_are_kept_as_often_as_they_came_and_the_books_tie_out(
    refused: Workspace, tmp_path: Path
) -> None:
    rows = exported(refused, tmp_path)
    file = repaired(tmp_path, [repair(of_order(rows, "A2"), at="2011-03-04"),
                               repair(of_order(rows, "A3"), units="5")])  # fmt: skip
    summary = replay(refused, file).summary

    lines = refused.lake.read(TRANSACTIONS)
    assert values(lines, "order_id", "line_amount", "copies_count") == [
        ("A1", Decimal(3), 2), ("A2", Decimal(4), 2), ("A3", Decimal(20), 1),
    ]  # fmt: skip
    assert summary.startswith("6 rows in = 3 kept + 2 duplicate + 1 refused; ")
    for batch in current_batches(refused):
        for unit in ("row_count", "amount"):
            parts = [batch[f"{kind}_{unit}"] for kind in ("kept", "duplicate", "rejected")]
            assert batch[f"in_{unit}"] == sum(parts)
    assert [row["file_name"] for row in exported(refused, tmp_path, "left.jsonl")] == ["march.csv"]


def test_a_row_that_is_still_wrong_stays_refused_and_the_others_are_taken(
    refused: Workspace, tmp_path: Path
) -> None:
    rows = exported(refused, tmp_path)
    replay(refused, repaired(tmp_path, [repair(of_order(rows, "A2"), at="2011-03-04"),
                                        of_order(rows, "A3")]))  # fmt: skip
    left = exported(refused, tmp_path, "left.jsonl")
    assert sorted(len(row["row"]) and row.get("line", "A3") for row in left) == [SHORT, "A3"]


def test_a_file_of_wrong_rows_only_changes_no_table(refused: Workspace, tmp_path: Path) -> None:
    before = refused.lake.version(TRANSACTIONS)
    rows = exported(refused, tmp_path)
    with pytest.raises(IngestError, match=r"refused\.jsonl: no row can be taken in"):
        replay(refused, repaired(tmp_path, [rows[0]], "refused.jsonl"))
    assert refused.lake.version(TRANSACTIONS) == before


def test_a_row_is_replayed_only_once(refused: Workspace, tmp_path: Path) -> None:
    rows = exported(refused, tmp_path)
    file = repaired(tmp_path, [repair(of_order(rows, "A2"), at="2011-03-04")])
    replay(refused, file)
    with pytest.raises(IngestError, match="waits to be repaired: it was replayed before"):
        replay(refused, file)


def test_a_replay_stops_counting_with_the_file_that_was_repaired(
    refused: Workspace, tmp_path: Path
) -> None:
    rows = exported(refused, tmp_path)
    replay(refused, repaired(tmp_path, [repair(of_order(rows, "A2"), at="2011-03-04")]))
    assert len(current_batches(refused)) == 2
    csv_file(tmp_path / "march.csv", GOOD)
    ingest(refused)
    assert [batch["in_row_count"] for batch in current_batches(refused)] == [1]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("no json", "is no JSON object with rejected_id, source and row"),
        ('{"rejected_id": "x", "source": "shop"}', "is no JSON object with rejected_id"),
        ('{"rejected_id": "x", "source": "shop", "row": {"who": "7"}}', "no row x of source shop"),
        (
            '{"rejected_id": "x", "source": "other", "row": {"who": "7"}}',
            "there is no source other",
        ),
    ],
)
def test_a_file_of_another_form_is_refused_in_one_sentence(
    refused: Workspace, tmp_path: Path, line: str, sentence: str
) -> None:
    path = tmp_path / "repaired.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(IngestError, match=sentence):
        replay(refused, str(path))


def test_the_same_row_twice_in_a_file_is_refused(refused: Workspace, tmp_path: Path) -> None:
    row = exported(refused, tmp_path)[0]
    with pytest.raises(IngestError, match="comes twice: keep one of them"):
        replay(refused, repaired(tmp_path, [row, row]))


def test_a_nested_json_field_is_found_again_in_a_repaired_row(
    spark: SparkSession, tmp_path: Path
) -> None:
    line = {"customer": {"id": 7}, "at": "soon", "amount": 4}
    (tmp_path / "web.jsonl").write_text("{'customer': 1}\n" + json.dumps(line) + "\n")
    web = source_document(
        tmp_path / "web.jsonl",
        format={"kind": "json"},
        columns={"customer_id": "customer.id", "transaction_at": "at", "line_amount": "amount"},
        most_rejected_ratio=1.0,
    )
    work = workspace(spark, tmp_path / "lake", {"web": web})
    ingest(work)
    rows = exported(work, tmp_path)
    assert len(rows) == 2
    replay(work, repaired(tmp_path, [repair(of_order(rows, "soon"), at="2026-03-01")]))
    assert values(work.lake.read(TRANSACTIONS), "customer_id", "line_amount") == [("7", Decimal(4))]
