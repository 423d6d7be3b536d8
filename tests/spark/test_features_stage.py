"""The ledger's two tables are written one after the other and are whole or made again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from segspark.errors import StageError
from segspark.pipeline.features import build_features
from segspark.pipeline.ingest import ingest
from segspark.pipeline.stage import StageResult, Workspace
from segspark.tables.contract import TableContract
from segspark.tables.lake import Lake
from segspark.tables.operations import STAGE_RUNS
from segspark.tables.purchases import CUSTOMER_DAYS
from segspark.tables.returns import RETURN_MATCHES
from segspark.tables.slices import Slice
from tests.histories import day
from tests.purchases import csv_file, source_document, values, workspace

OLD = ("7,2011-01-02 10:00:00,A1,mug,2,1.50", "7,2011-01-03 10:00:00,R1,mug,-3,1.50")
NEW = ("7,2011-01-02 10:00:00,A1,mug,4,1.50", "7,2011-01-03 10:00:00,R1,mug,-3,1.50")
TABLES = (RETURN_MATCHES, CUSTOMER_DAYS)

Replace = Callable[[Lake, TableContract, DataFrame, Slice], None]


class Killed(BaseException):
    """Nobody handles it, as nobody handles a kill."""


@pytest.fixture
def work(
    spark: SparkSession, tmp_path: Path, lake_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Workspace:
    # The snapshot is another stage, and costs as much again.
    monkeypatch.setattr("segspark.pipeline.features._build_snapshot", lambda *_: None)
    source = source_document(tmp_path / "lines.csv", changed_file="replace")
    return workspace(spark, lake_folder, {"shop": source})


def build(work: Workspace, *lines: str) -> StageResult:
    """The ledger of a file of these lines."""
    csv_file(Path(work.settings.sources["shop"].location), *lines)
    ingest(work)
    return build_features(work, as_of=day(9))[0]


def rows(work: Workspace) -> dict[str, list[tuple[Any, ...]]]:
    tables = {contract.name: work.lake.read(contract) for contract in TABLES}
    return {name: values(table, *table.columns) for name, table in tables.items()}


def killed_after_the_matches(replace: Replace) -> Replace:
    def killed(lake: Lake, contract: TableContract, df: DataFrame, where: Slice) -> None:
        replace(lake, contract, df, where)
        if contract is RETURN_MATCHES:
            raise Killed

    return killed


def clearing_the_matches(replace: Replace) -> Replace:
    """As another process does whose ledger takes the place of this one."""

    def cleared(lake: Lake, contract: TableContract, df: DataFrame, where: Slice) -> None:
        replace(lake, contract, df, where)
        if contract is RETURN_MATCHES:
            replace(lake, contract, df.limit(0), where)

    return cleared


def test_both_tables_hold_a_ledger_or_it_is_made_again(
    work: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = build(work, *OLD)
    before = rows(work)
    assert [len(before[contract.name]) for contract in TABLES] == [2, 3]

    with monkeypatch.context() as patch:
        patch.setattr(Lake, "replace", killed_after_the_matches(Lake.replace))
        with pytest.raises(Killed):
            build(work, *NEW)
    assert rows(work) != before
    again = build(work, *OLD)
    assert (again.stage_id, again.was_done) == (first.stage_id, False)
    assert rows(work) == before
    assert build(work, *OLD).was_done

    build(work, *NEW)
    after = rows(work)
    assert [len(after[contract.name]) for contract in TABLES] == [1, 2]


def test_a_ledger_without_returns_is_not_made_again(work: Workspace) -> None:
    build(work, OLD[0])
    assert build(work, OLD[0]).was_done


def test_a_ledger_whose_money_is_not_that_of_the_lines_is_refused(
    work: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Lake, "replace", clearing_the_matches(Lake.replace))
        with pytest.raises(StageError, match=r"returned_amount of customer_days is 0\.0000 and"):
            build(work, *OLD)
    assert not build(work, *OLD).was_done
    run = work.lake.read(STAGE_RUNS).filter(F.col("stage") == "ledger").collect()[0]
    assert run["rows_out"] == {"return_matches": 2, "customer_days": 3}
    assert '"returned_amount": "4.5000"' in run["audit_json"]
    assert '"unmatched_returned_amount": "1.5000"' in run["audit_json"]
