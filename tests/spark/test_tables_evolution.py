"""Tables get the nullable columns that a contract has and they do not, and nothing else."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from delta.tables import DeltaTable
from pyspark.sql import SparkSession
from pyspark.sql import types as T

from segspark.errors import StorageError
from segspark.settings.lake import LakeSettings
from segspark.tables.changes import row_changes
from segspark.tables.contract import Column, TableContract
from segspark.tables.features import FEATURE_CATALOGUE
from segspark.tables.lake import Lake
from tests.builders import table

VISITS = TableContract(
    name="visits",
    meaning="One visit.",
    grain=("batch_id",),
    columns=(
        Column("batch_id", T.StringType(), "Where it came from."),
        Column("minutes", T.LongType(), "How long."),
    ),
)
SPEND = Column("spend_amount", T.DecimalType(28, 4), "What 'it' cost.", nullable=True)


def wider(*columns: Column) -> TableContract:
    return replace(VISITS, columns=(*VISITS.columns, *columns))


def numbered(number: int) -> Column:
    return Column(f"visits_{number}_days_count", T.LongType(), "Visits.", nullable=True)


@pytest.fixture
def settings(lake_folder: Path) -> LakeSettings:
    return LakeSettings(location=str(lake_folder))


@pytest.fixture
def lake(spark: SparkSession, settings: LakeSettings) -> Lake:
    """A lake whose table of visits is that of the narrow contract."""
    made = Lake.open(spark, settings)
    put(made, VISITS, "b1", 5)
    return made


def put(lake: Lake, contract: TableContract, *row: object) -> None:
    rows = {contract.columns[0].name: str(row[0])}
    lake.replace(contract, table(lake.spark, contract.schema, row), rows)


def stored(lake: Lake, contract: TableContract) -> list[tuple[Any, ...]]:
    return sorted(tuple(row) for row in lake.read(contract).collect())


def test_a_column_that_the_table_lacks_reads_as_null_and_reading_changes_nothing(
    lake: Lake,
) -> None:
    assert stored(lake, wider(SPEND)) == [("b1", 5, None)]
    assert lake.differences(wider(SPEND)) == []
    assert lake.version(VISITS) == 1


def test_writing_adds_the_column_with_its_comment_and_keeps_the_rows(lake: Lake) -> None:
    both = wider(SPEND, numbered(7))

    put(lake, both, "b2", 6, None, 3)

    assert stored(lake, both) == [("b1", 5, None, None), ("b2", 6, None, 3)]
    field = DeltaTable.forPath(lake.spark, lake.address(VISITS)).toDF().schema["spend_amount"]
    assert (field.dataType, field.metadata["comment"]) == (SPEND.dtype, SPEND.comment)


def test_contracts_that_differ_in_nullable_columns_share_a_table(lake: Lake) -> None:
    weekly, monthly = wider(numbered(7)), wider(numbered(30))

    put(lake, weekly, "b2", 6, 1)
    put(lake, monthly, "b3", 7, 2)
    put(lake, weekly, "b4", 8, 3)

    assert stored(lake, weekly) == [("b1", 5, None), ("b2", 6, 1), ("b3", 7, None), ("b4", 8, 3)]
    assert stored(lake, monthly) == [
        ("b1", 5, None),
        ("b2", 6, None),
        ("b3", 7, 2),
        ("b4", 8, None),
    ]


def test_single_rows_are_changed_in_a_table_that_was_made_narrower(lake: Lake) -> None:
    contract = wider(numbered(7))
    after = table(lake.spark, contract.schema, ("b1", 5, 4))

    lake.amend(
        contract,
        row_changes(contract, before=lake.read(contract), after=after),
        {"batch_id": "b1"},
    )

    assert stored(lake, contract) == [("b1", 5, 4)]


def test_a_column_that_became_nullable_or_went_may_be_missing_from_then_on(lake: Lake) -> None:
    minutes = replace(VISITS.columns[1], nullable=True)
    put(lake, replace(VISITS, columns=(VISITS.columns[0], minutes)), "b2", None)
    put(lake, replace(VISITS, columns=VISITS.columns[:1]), "b3")

    assert stored(lake, VISITS) == [("b1", 5), ("b2", None), ("b3", None)]


def test_a_catalogue_of_before_there_were_several_tables_takes_those_of_all_tables(
    lake: Lake,
) -> None:
    def told(contract: TableContract, **known: str) -> tuple[object, ...]:
        return tuple(known.get(c.name, 1 if c.name == "position_number" else "")
                     for c in contract.columns)  # fmt: skip

    columns = tuple(c for c in FEATURE_CATALOGUE.columns if c.name != "feature_table")
    before = replace(FEATURE_CATALOGUE, columns=columns)
    put(lake, before, *told(before, snapshot_id="s1", feature_name="order_count"))
    fresh = Lake.open(lake.spark, lake.settings)
    rows = [
        told(FEATURE_CATALOGUE, snapshot_id="s2", feature_name="order_count", feature_table=name)
        for name in ("customer_categories", "customer_seasons")
    ]

    fresh.replace(
        FEATURE_CATALOGUE, table(lake.spark, FEATURE_CATALOGUE.schema, *rows), {"snapshot_id": "s2"}
    )

    found = fresh.read(FEATURE_CATALOGUE).select("snapshot_id", "feature_table", "feature_name")
    assert sorted(tuple(row) for row in found.collect()) == [
        ("s1", None, "order_count"),
        ("s2", "customer_categories", "order_count"),
        ("s2", "customer_seasons", "order_count"),
    ]


@pytest.mark.parametrize(
    ("column", "problem"),
    [
        (replace(SPEND, nullable=False), "spend_amount should be decimal(28,4) and is missing"),
        (
            Column("minutes", T.DoubleType(), "How long.", nullable=True),
            "minutes should be double and is bigint",
        ),
    ],
)
def test_a_column_that_is_never_missing_or_has_another_type_is_refused(
    lake: Lake, column: Column, problem: str
) -> None:
    contract = replace(VISITS, columns=(VISITS.columns[0], column))

    with pytest.raises(StorageError) as refused:
        put(lake, contract, "b2", None if column.nullable else Decimal(1))

    assert problem in str(refused.value)
    assert "name another lake.location or move it away" in str(refused.value)
    assert lake.version(VISITS) == 1


@contextmanager
def _unlocked(*_: object) -> Iterator[None]:
    """As in an object store, where only Delta keeps writers apart."""
    yield


@pytest.mark.parametrize("locks", [{}, {"table_lock": _unlocked, "engine_lock": _unlocked}])
def test_writers_that_add_columns_at_the_same_time_all_succeed(
    lake: Lake, settings: LakeSettings, monkeypatch: pytest.MonkeyPatch, locks: Mapping[str, object]
) -> None:
    for name, lock in locks.items():
        monkeypatch.setattr(f"segspark.tables.lake.{name}", lock)
    # Two of them add the same column.
    days = (7, 30, 30)

    def write(number: int) -> None:
        contract = wider(numbered(days[number]))
        put(Lake.open(lake.spark, settings), contract, f"c{number}", number, number)

    with ThreadPoolExecutor(len(days)) as pool:
        list(pool.map(write, range(len(days))))

    assert stored(lake, wider(numbered(7), numbered(30))) == [
        ("b1", 5, None, None), ("c0", 0, 0, None), ("c1", 1, None, 1), ("c2", 2, None, 2)
    ]  # fmt: skip
