"""Refused rows can be repaired and taken in, and the books still tie out."""

import json
import shutil
from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from segspark.errors import IngestError
from segspark.ingest.parsing.rows import REASONS
from segspark.ingest.reading.raw import RawRows
from segspark.pipeline.holdings import current_batches
from segspark.pipeline.ingest import ingest
from segspark.pipeline.intake import Intake
from segspark.pipeline.replay import export_refusals, replay
from segspark.pipeline.stage import Workspace
from segspark.pipeline.taking_in import parse_intake, take_in
from segspark.tables.ingested import INGEST_BATCHES
from segspark.tables.purchases import REJECTED_TRANSACTIONS, TRANSACTIONS
from tests.purchases import csv_file, source_document, values, workspace

GOOD = "7,2011-03-01 10:00:00,A1,mug,2,1.50"
BAD = "9,2011-03-0X,A2,cup,1,4"
WORSE = "9,2011-03-02,A3,cup,many,4"
SHORT = "9,2011-03-02,A4"
FILE = (GOOD, GOOD, BAD, BAD, WORSE, SHORT)


@pytest.fixture(scope="module")
def delivered(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a lake that refused four rows, of which two are equal, and with their file."""
    folder = tmp_path_factory.mktemp("refused")
    csv_file(folder / "march.csv", *FILE)
    ingest(shop(spark, folder))
    return folder


@pytest.fixture
def refused(spark: SparkSession, delivered: Path, tmp_path: Path) -> Workspace:
    """A copy of that lake."""
    shutil.copytree(delivered, tmp_path, dirs_exist_ok=True)
    return shop(spark, tmp_path)


def shop(spark: SparkSession, folder: Path, **changed: object) -> Workspace:
    lenient = source_document(
        folder / "march.csv", most_rejected_ratio=0.8, changed_file="replace", **changed
    )
    return workspace(spark, folder / "lake", {"shop": lenient})


def web_shop(
    spark: SparkSession, location: Path, *, customer: str, kind: str = "json", **columns: str
) -> Workspace:
    """A lake with what a shop sent; all of it may be refused."""
    mapped = {"customer_id": customer, "transaction_at": "at", "line_amount": "amount", **columns}
    web = source_document(location, format={"kind": kind}, columns=mapped, most_rejected_ratio=1.0)
    work = workspace(spark, location.parent / "lake", {"web": web})
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
    # The money of the rows that could not be read as a date is that of the repaired ones.
    assert summary == ("6 rows in = 3 kept + 2 duplicate + 1 refused; 34.0000 in money ties out")
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
    first = current_batches(refused)
    assert replay(refused, file).was_done
    assert current_batches(refused) == first


def test_a_replay_that_was_killed_between_two_batches_goes_on(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same row in two files of one name: each file's row is repaired by itself."""
    for year in ("2010", "2011"):
        csv_file(tmp_path / "in" / year / "march.csv", GOOD.replace("2011", year), BAD)
    source = source_document(tmp_path / "in", most_rejected_ratio=0.8)
    work = workspace(spark, tmp_path / "lake", {"shop": source})
    ingest(work)
    rows = exported(work, tmp_path)
    assert len(rows) == 2
    file = repaired(tmp_path, [repair(row, at="2011-03-04") for row in rows])

    with monkeypatch.context() as patch:
        patch.setattr("segspark.pipeline.replay.take_in", only_once(take_in))
        with pytest.raises(Killed):
            replay(work, file)
    assert len(current_batches(work)) == 3
    replay(work, file)
    assert [row["replays_batch_id"] is None for row in by_time(work)] == [True, True, False, False]
    assert exported(work, tmp_path, "left.jsonl") == []
    assert values(work.lake.read(TRANSACTIONS), "order_id") == [("A1",), ("A1",), ("A2",), ("A2",)]


class Killed(BaseException):
    """Nobody handles it, as nobody handles a kill."""


def only_once(function: Callable[..., Any]) -> Callable[..., Any]:
    calls: list[object] = []

    def once(*arguments: object) -> object:
        calls.append(arguments)
        if len(calls) > 1:
            raise Killed
        return function(*arguments)

    return once


def by_time(work: Workspace) -> list[Row]:
    return sorted(current_batches(work), key=lambda row: row["batch_number"])


def test_a_replayed_row_is_judged_by_the_day_on_which_its_file_came(
    refused: Workspace, tmp_path: Path
) -> None:
    (delivery,) = current_batches(refused)
    future = (delivery["delivered_at"] + timedelta(days=30)).date().isoformat()
    row = of_order(exported(refused, tmp_path), "A2")
    with pytest.raises(IngestError, match="no row can be taken in"):
        replay(refused, repaired(tmp_path, [repair(row, at=future)]))
    replay(refused, repaired(tmp_path, [repair(row, at="2011-03-04")]))
    assert {row["delivered_at"] for row in current_batches(refused)} == {delivery["delivered_at"]}


def test_refused_rows_that_a_killed_ingest_left_give_way_to_a_file_without_any(
    spark: SparkSession, refused: Workspace, tmp_path: Path
) -> None:
    """Killed before the books were written, and then told to take every row."""
    (killed,) = current_batches(refused)
    refused.lake.replace(INGEST_BATCHES, refused.lake.read(INGEST_BATCHES).limit(0),
                         {"batch_id": killed["batch_id"]})  # fmt: skip
    again = shop(spark, tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        # The file is the same, and its rows are read as good ones this time.
        patch.setattr("segspark.pipeline.taking_in.parse_intake", without_reasons)
        ingest(again)
    assert again.lake.read(REJECTED_TRANSACTIONS).count() == 0
    assert [row["rejected_row_count"] for row in current_batches(again)] == [0]


def without_reasons(
    workspace: Workspace, intake: Intake, raws: Sequence[RawRows]
) -> list[DataFrame]:
    parsed = parse_intake(workspace, intake, raws)
    return [frame.filter(F.size(REASONS) == 0) for frame in parsed]


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
    work = web_shop(spark, tmp_path / "web.jsonl", customer="customer.id")
    rows = exported(work, tmp_path)
    assert len(rows) == 2
    replay(work, repaired(tmp_path, [repair(of_order(rows, "soon"), at="2026-03-01")]))
    assert values(work.lake.read(TRANSACTIONS), "customer_id", "line_amount") == [("7", Decimal(4))]


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("web.jsonl", '{"id": "7", "at": "soon", "amount": 4}\n', "json"),
        ("web.csv", "id,at,amount\n7,soon\n7,2026-03-01,5\n", "csv"),
    ],
)
def test_a_repaired_row_keeps_what_the_folders_of_its_file_say(
    spark: SparkSession, tmp_path: Path, name: str, text: str, kind: str
) -> None:
    folder = tmp_path / "web" / "land=Norway"
    folder.mkdir(parents=True)
    (folder / name).write_text(text)
    work = web_shop(spark, tmp_path / "web", kind=kind, customer="id", country="land")
    (row,) = exported(work, tmp_path)
    replay(work, repaired(tmp_path, [repair(row, id="7", at="2026-03-01", amount="4")]))
    assert set(values(work.lake.read(TRANSACTIONS), "country")) == {("Norway",)}


def test_a_row_with_a_key_twice_comes_out_as_its_line_and_is_taken_in_only_when_filled_in(
    spark: SparkSession, tmp_path: Path
) -> None:
    line = '{"who": 7, "at": "2026-03-01", "amount": 4, "amount": 5}'
    (tmp_path / "web.jsonl").write_text(line + "\n")
    work = web_shop(spark, tmp_path / "web.jsonl", customer="who")
    (row,) = exported(work, tmp_path)
    assert row["reasons"] == ["row: the key amount stands twice"]
    assert (row["line"], set(row["row"].values())) == (line, {None})
    filled = {"who": "7", "at": "2026-03-01", "amount": "5"}
    replay(work, repaired(tmp_path, [repair(row, **filled)]))
    assert values(work.lake.read(TRANSACTIONS), "customer_id", "line_amount") == [("7", Decimal(5))]
