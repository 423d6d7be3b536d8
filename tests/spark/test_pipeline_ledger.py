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
    Step(("b1", "b2")),
    Step(("b1", "b3", "b4")),
    Step(("b1", "b2", "b5"), is_killed=True),
    Step(("b3", "b4", "b5")),
)
"""One comes while another is corrected; a run is killed; the next one holds other batches, of which
one goes while late lines come."""
FIRST_BATCHES = ("b1", "b2", "b3", "b5")
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


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + examples(2)))
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
            build(work, step.batches)
            assert held(work) == whole[step.batches]
            reached = step.batches
    assert build(work, reached).was_done


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
    """Random lines in batches, of which `b4` corrects `b2`, and `b5` has late ones.

    Some lines came several times, some are in two batches, and no batch has lines of everybody.
    """
    random = Random(seed)  # noqa: S311 - the same every time
    lines = random_histories(60, seed=seed)
    mine = {line.customer: random.sample(FIRST_BATCHES, random.randint(1, 3)) for line in lines}
    first = [
        replace(line, batch=random.choice(mine[line.customer]), copies=random.choice((1, 1, 3)))
        for line in lines
    ]
    again = [
        replace(line, batch="b3") for line in first if line.batch == "b1" and random.random() < 0.1
    ]
    corrected = [
        replace(line, batch="b4", day=random.choice((line.day, 4)), price=random.choice((3, 7)))
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
