"""A ledger that is kept up to date equals one that is worked out whole, row for row."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import reduce
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
from segspark.tables.ingested import INGEST_BATCHES
from segspark.tables.lake import Lake
from segspark.tables.purchases import CUSTOMER_DAYS, LEDGER_BATCHES, TRANSACTIONS
from segspark.tables.returns import RETURN_MATCHES
from segspark.tables.slices import Slice
from tests.builders import deliver, table
from tests.examples import examples
from tests.histories import Line, random_histories, transactions
from tests.purchases import source_document, values, workspace

Rows = dict[str, list[tuple[Any, ...]]]
Batches = tuple[str, ...]


@dataclass(frozen=True)
class Step:
    """The batches that count from here on, and whether the run that is to say so is killed."""

    batches: Batches
    is_killed: bool = False


STEPS = (
    Step(("b1", "b2", "b3")),
    Step(("b1", "b2", "b3", "b5"), is_killed=True),
    Step(("b1", "b3", "b4", "b5")),
)
"""A run is killed; the next one holds other batches: one is corrected, and one has late lines.
The batches with the first days stay, so days before those of the others need not be looked at."""
FIRST_BATCHES = {"b1": 0, "b2": 5, "b3": 0, "b5": 8}
"""And the first day of each."""
FIRST_SEED = 7
_SET = re.compile(r"^\d+: ")
"""Before ids of lines that are worked out for several sets of batches at once."""


class Killed(BaseException):
    """Nobody handles it, as nobody handles a kill."""


@pytest.fixture
def work(spark: SparkSession, lake_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace whose ledger never finds that all of it had better be worked out."""
    monkeypatch.setattr(ledgers, "_MOST_CHANGED_SHARE", 100.0)
    return workspace(
        spark,
        lake_folder,
        {"shop": source_document()},
        ledger={"exact_duplicates": "all"},
    )


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + examples(1)))
def test_whatever_comes_goes_is_corrected_or_killed_the_ledger_is_that_of_its_lines(
    work: Workspace, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    deliver(work.lake, TRANSACTIONS, of(work, random_batches(seed=seed)))
    steps = STEPS if seed == FIRST_SEED else random_steps(seed=seed)
    whole = worked_out_at_once(work, [step.batches for step in steps])
    reached: Batches = ()
    for step in steps:
        if step.is_killed:
            with monkeypatch.context() as patch:
                patch.setattr(Lake, "amend", killed_after_the_matches)
                with pytest.raises(Killed):
                    build(work, step.batches)
            assert held(work) != whole[reached]
        else:
            summary = build(work, step.batches).summary
            assert held(work) == whole[step.batches]
            # The day before the first line of `b2` and `b4`.
            assert seed != FIRST_SEED or not reached or "from 2011-01-05 on" in summary
            reached = step.batches
    assert build(work, reached).was_done


def test_only_days_that_differ_are_written(work: Workspace) -> None:
    old = Line("7", "A1", 2, day=1)
    other = Line("8", "B1", 1, day=1)
    late = Line("7", "A2", 1, day=3, batch="b2")
    lines = [replace(old, batch="b1"), replace(other, batch="b1"), late]
    deliver(work.lake, TRANSACTIONS, of(work, lines))
    assert build(work, ("b1",)).summary == "2 days"
    one = "worked out anew from 2011-01-03 on: 1 days of 1 customers"
    assert build(work, ("b1", "b2")).summary == one
    last = DeltaTable.forPath(work.lake.spark, work.lake.address(CUSTOMER_DAYS)).history(1)
    metrics = last.collect()[0]["operationMetrics"]
    touched = ("numTargetRowsInserted", "numTargetRowsUpdated", "numTargetRowsDeleted")
    assert [metrics[name] for name in touched] == ["1", "0", "0"]


def test_where_the_books_lack_a_batch_that_went_all_days_are_looked_at(work: Workspace) -> None:
    days = {"b1": 1, "b2": 4, "b3": 9}
    lines = [Line("7", name, 1, day=day, batch=name) for name, day in days.items()]
    deliver(work.lake, TRANSACTIONS, of(work, lines))
    build(work, tuple(days))
    books = DeltaTable.forPath(work.lake.spark, work.lake.address(INGEST_BATCHES))
    books.delete(F.col("batch_id") == "b2")

    assert build(work, ("b1",)).summary == "worked out anew: 1 days of 1 customers"

    assert held(work) == worked_out_at_once(work, [("b1",)])["b1",]


def test_a_month_of_the_ledger_is_in_one_file(work: Workspace) -> None:
    bought = [Line(str(who), "A", 2, day=day) for who in range(20) for day in (1, 40)]
    returned = [Line(str(who), "R", -1, day=day) for who in range(20) for day in (9, 49)]
    deliver(work.lake, TRANSACTIONS, of(work, [*bought, *returned]))
    small_tasks_become_one = "spark.sql.adaptive.coalescePartitions.enabled"
    work.lake.spark.conf.set(small_tasks_become_one, "false")
    try:
        build(work, ("batch-1",))
    finally:
        work.lake.spark.conf.unset(small_tasks_become_one)
    for contract in (CUSTOMER_DAYS, RETURN_MATCHES):
        month = F.trunc(str(contract.apart_by), "month").alias("month")
        rows = work.lake.read(contract).select(month, F.input_file_name().alias("file"))
        counted = rows.groupBy("month").agg(F.count_distinct("file").alias("files"))
        assert [row["files"] for row in counted.collect()] == [1, 1]


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
    """Random lines in batches, of which `b4` corrects `b2`, and `b5` has late ones.

    Some lines came several times, some are in two batches, and no batch has lines of everybody, or
    of the days before its first.
    """
    random = Random(seed)  # noqa: S311 - the same every time
    lines = random_histories(60, seed=seed)
    names = list(FIRST_BATCHES)
    mine = {line.customer: random.sample(names, random.randint(1, 3)) for line in lines}
    drawn = [
        replace(line, batch=random.choice(mine[line.customer]), copies=random.choice((1, 1, 3)))
        for line in lines
    ]
    first = [
        line if line.day >= FIRST_BATCHES[line.batch] else replace(line, batch="b1")
        for line in drawn
    ]
    again = [
        replace(line, batch="b3") for line in first if line.batch == "b1" and random.random() < 0.1
    ]
    corrected = [
        replace(line, batch="b4", day=random.choice((line.day, 6)), price=random.choice((3, 7)))
        for line in first
        if line.batch == "b2" and random.random() < 0.9
    ]
    return [*first, *again, *corrected]


def random_steps(*, seed: int) -> list[Step]:
    """As many steps as `STEPS`, each of other batches than the one before."""
    random = Random(seed)  # noqa: S311 - the same every time
    steps: list[Step] = []
    while len(steps) < len(STEPS):
        drawn = random.sample((*FIRST_BATCHES, "b4"), random.randint(1, 5))
        if not steps or set(steps[-1].batches) != set(drawn):
            steps.append(replace(STEPS[len(steps)], batches=tuple(drawn)))
    return steps


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
    return {
        contract.name: values(work.lake.read(contract), *_names(contract))
        for contract in (RETURN_MATCHES, CUSTOMER_DAYS)
    }


def worked_out_at_once(work: Workspace, sets: Sequence[Batches]) -> dict[Batches, Rows]:
    """What the tables would hold for each set of batches, worked out whole.

    Each set has customers and batches of its own, so that one query answers for all.
    """
    everything = work.lake.read(TRANSACTIONS)
    lines = [
        everything.filter(F.col("batch_id").isin(list(batches))).withColumns(
            {name: F.concat(F.lit(f"{number}: "), name) for name in ("customer_id", "batch_id")}
        )
        for number, batches in enumerate(sets)
    ]
    told = ledger_lines(reduce(DataFrame.unionByName, lines), settings=work.settings.ledger)
    matches = return_matches(told, ledger_id="any").persist()
    days = customer_days(told, ledger_id="any", matches=matches)
    found = {RETURN_MATCHES: matches, CUSTOMER_DAYS: days}
    rows = {contract: values(df, *_names(contract)) for contract, df in found.items()}
    return {
        batches: {
            contract.name: _of_set(number, rows[contract], at=_names(contract).index("customer_id"))
            for contract in found
        }
        for number, batches in enumerate(sets)
    }


def _of_set(number: int, rows: list[tuple[Any, ...]], *, at: int) -> list[tuple[Any, ...]]:
    """The rows whose customer is of a set, with the ids that they have in the lake."""
    mine = [row for row in rows if row[at].startswith(f"{number}: ")]
    bare = [tuple(_SET.sub("", v) if isinstance(v, str) else v for v in row) for row in mine]
    return sorted(bare, key=repr)


def _names(contract: TableContract) -> list[str]:
    return [c.name for c in contract.columns if c.name != "ledger_id"]
