"""A ledger that is kept up to date equals one that is worked out whole, row for row."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from delta.tables import DeltaTable
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from segspark.features.ledger import customer_days
from segspark.features.lines import ledger_lines
from segspark.features.returns import return_matches
from segspark.pipeline import ledgers
from segspark.pipeline.ledger import build_ledger
from segspark.pipeline.stage import StageResult, Workspace
from segspark.tables.changes import IS_GONE, row_changes
from segspark.tables.contract import TableContract
from segspark.tables.lake import Lake
from segspark.tables.purchases import CUSTOMER_DAYS, LEDGER_BATCHES, TRANSACTIONS
from segspark.tables.returns import RETURN_MATCHES
from segspark.tables.slices import Slice
from tests.builders import deliver, table
from tests.histories import Line, random_histories, transactions
from tests.purchases import source_document, values, workspace

Rows = dict[str, list[tuple[Any, ...]]]
STEPS = (("b1", "b2"), ("b1", "b2", "b3"), ("b1", "b3", "b4"), ("b3", "b4", "b5"))
"""A batch comes, one is corrected, one goes while late lines come."""


class Killed(BaseException):
    """Nobody handles it, as nobody handles a kill."""


@pytest.fixture
def work(spark: SparkSession, lake_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace whose ledger never finds that all of it had better be worked out."""
    monkeypatch.setattr(ledgers, "_MOST_CHANGED_SHARE", 100.0)
    return workspace(spark, lake_folder, {"shop": source_document()})


def test_whatever_comes_goes_or_is_corrected_the_ledger_is_that_of_its_lines(
    work: Workspace,
) -> None:
    deliver(work.lake, TRANSACTIONS, of(work, random_batches(seed=7)))
    for step in STEPS:
        build(work, step)
        assert held(work) == whole(work, step)
    assert build(work, STEPS[-1]).was_done


def test_a_ledger_that_was_killed_within_is_mended_by_the_next_one_whatever_that_holds(
    work: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(work.lake, TRANSACTIONS, of(work, random_batches(seed=8)))
    build(work, ("b1",))
    with monkeypatch.context() as patch:
        patch.setattr(Lake, "amend", killed_after_the_matches)
        with pytest.raises(Killed):
            build(work, ("b1", "b2", "b5"))
    assert held(work) != whole(work, ("b1",))
    build(work, ("b1", "b3"))
    assert held(work) == whole(work, ("b1", "b3"))


def test_only_days_that_differ_are_written(work: Workspace) -> None:
    old = Line("7", "A1", 2, day=1)
    other = Line("8", "B1", 1, day=1)
    late = Line("7", "A2", 1, day=3, batch="b2")
    lines = [replace(old, batch="b1"), replace(other, batch="b1"), late]
    deliver(work.lake, TRANSACTIONS, of(work, lines))
    build(work, ("b1",))
    build(work, ("b1", "b2"))
    last = DeltaTable.forPath(work.lake.spark, work.lake.address(CUSTOMER_DAYS)).history(1)
    metrics = last.collect()[0]["operationMetrics"]
    touched = ("numTargetRowsInserted", "numTargetRowsUpdated", "numTargetRowsDeleted")
    assert [metrics[name] for name in touched] == ["1", "0", "0"]


def test_a_row_is_written_where_it_comes_goes_or_has_other_values(spark: SparkSession) -> None:
    def rows(*found: tuple[str, int | None]) -> DataFrame:
        return table(spark, "ledger_id string, batch_id string, is_settled boolean", *(
            (key, key, None if value is None else bool(value)) for key, value in found
        ))  # fmt: skip

    before = rows(("same", 1), ("changed", 1), ("gone", 1))
    after = rows(("same", 1), ("changed", 0), ("new", 1))
    changes = row_changes(LEDGER_BATCHES, before=before, after=after)
    assert values(changes, "batch_id", "is_settled", IS_GONE) == [
        ("changed", False, False),
        ("gone", True, True),
        ("new", True, False),
    ]


def random_batches(*, seed: int) -> list[Line]:
    """Random lines in three batches, of which `b4` corrects the second; `b5` has late ones."""
    random = Random(seed)  # noqa: S311 - the same every time
    first = [
        replace(line, batch=random.choice(("b1", "b2", "b3", "b5")))
        for line in random_histories(60, seed=seed)
    ]
    second = [line for line in first if line.batch == "b2"]
    corrected = [
        replace(line, batch="b4", day=random.choice((line.day, 4)), price=random.choice((3, 7)))
        for line in second
        if random.random() < 0.9
    ]
    return first + corrected


def of(work: Workspace, lines: Sequence[Line]) -> DataFrame:
    return transactions(work.lake.spark, lines)


def build(work: Workspace, batches: Collection[str]) -> StageResult:
    return build_ledger(work, [Row(batch_id=name, kept_row_count=1) for name in batches])


def killed_after_the_matches(
    lake: Lake, contract: TableContract, changes: DataFrame, rows: Slice
) -> None:
    AMEND(lake, contract, changes, rows)
    if contract is RETURN_MATCHES:
        raise Killed


AMEND = Lake.amend


def held(work: Workspace) -> Rows:
    found = {c: work.lake.read(c) for c in (RETURN_MATCHES, CUSTOMER_DAYS)}
    return {contract.name: _rows(df, contract) for contract, df in found.items()}


def whole(work: Workspace, batches: Collection[str]) -> Rows:
    """What the tables would hold, worked out at once."""
    lines = work.lake.read(TRANSACTIONS).filter(F.col("batch_id").isin(list(batches)))
    settings = work.settings.ledger
    found = {
        RETURN_MATCHES: return_matches(ledger_lines(lines, settings=settings), ledger_id="any"),
        CUSTOMER_DAYS: customer_days(ledger_lines(lines, settings=settings), ledger_id="any"),
    }
    return {contract.name: _rows(df, contract) for contract, df in found.items()}


def _rows(df: DataFrame, contract: TableContract) -> list[tuple[Any, ...]]:
    return values(df, *(c.name for c in contract.columns if c.name != "ledger_id"))
