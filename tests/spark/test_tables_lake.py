import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from delta.tables import DeltaTable
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from segspark.errors import StorageError
from segspark.settings.lake import LakeSettings
from segspark.tables.contract import Column, TableContract
from segspark.tables.lake import Lake
from segspark.tables.purchases import TRANSACTIONS
from segspark.tables.slices import Slice
from tests.builders import table

VISITS = TableContract(
    name="visits",
    meaning="One visit.",
    grain=("batch_id", "customer_id"),
    columns=(
        Column("batch_id", T.StringType(), "Where it came from."),
        Column("customer_id", T.StringType(), "Who came.", personal=True),
        Column("minutes", T.LongType(), "How long.", nullable=True),
    ),
)
QUOTED = ("o'clock", 'say "hi"', "back\\slash", "`tick`", "\\'", "Zürich", "a' OR '1'='1")


# Java's locks are those of POSIX.
HELD_BY_JAVA = """
import fcntl, sys, time
with open(sys.argv[1], "r+") as file:
    fcntl.lockf(file, fcntl.LOCK_EX)
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def lake(spark: SparkSession, lake_folder: Path) -> Lake:
    return Lake.open(spark, LakeSettings(location=str(lake_folder)))


def visits(spark: SparkSession, *rows: tuple[str, str, int | None]) -> DataFrame:
    return table(spark, VISITS.schema, *rows)


def stored(lake: Lake) -> set[tuple[Any, ...]]:
    return {tuple(row) for row in lake.read(VISITS).collect()}


def log_entries(lake: Lake) -> list[dict[str, Any]]:
    """Every action in the table's Delta log."""
    files = sorted((Path(lake.address(VISITS)) / "_delta_log").glob("*.json"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def test_a_table_never_written_has_no_rows_and_no_folder(lake: Lake) -> None:
    assert lake.read(VISITS).schema == VISITS.schema
    assert lake.read(VISITS).isEmpty()
    assert lake.version(VISITS) == -1
    assert lake.differences(VISITS) == []
    assert not Path(lake.address(VISITS)).exists()


def test_reading_a_table_never_written_starts_no_job(lake: Lake, spark: SparkSession) -> None:
    spark.sparkContext.setJobGroup("nothing there", "reading")
    try:
        assert lake.read(VISITS).filter(F.col("minutes") > 1).collect() == []
    finally:
        spark.sparkContext.setJobGroup("other tests", "")
    assert len(spark.sparkContext.statusTracker().getJobIdsForGroup("nothing there")) == 0


def test_replacing_a_slice_leaves_the_rest(lake: Lake, spark: SparkSession) -> None:
    lake.replace(VISITS, visits(spark, ("b1", "ann", 1), ("b1", "bob", 2)), {"batch_id": "b1"})
    lake.replace(VISITS, visits(spark, ("b2", "ann", 3)), {"batch_id": "b2"})

    lake.replace(VISITS, visits(spark, ("b1", "cem", None)), {"batch_id": "b1"})

    assert stored(lake) == {("b1", "cem", None), ("b2", "ann", 3)}


def test_writing_the_same_slice_twice_leaves_the_same_rows(lake: Lake, spark: SparkSession) -> None:
    rows = visits(spark, ("b1", "ann", 1), ("b1", "bob", 2))

    for _ in range(2):
        lake.replace(VISITS, rows, {"batch_id": "b1"})

    assert stored(lake) == {("b1", "ann", 1), ("b1", "bob", 2)}
    assert lake.read(VISITS).count() == 2


def test_a_slice_of_several_values_gives_way_as_a_whole(lake: Lake, spark: SparkSession) -> None:
    for batch in ("b1", "b2", "b3"):
        lake.replace(VISITS, visits(spark, (batch, "ann", 1)), {"batch_id": batch})

    lake.replace(VISITS, visits(spark, ("b2", "bob", 2)), {"batch_id": ["b1", "b2"]})

    assert stored(lake) == {("b2", "bob", 2), ("b3", "ann", 1)}


def test_rows_outside_the_slice_are_refused_and_nothing_changes(
    lake: Lake, spark: SparkSession
) -> None:
    lake.replace(VISITS, visits(spark, ("b1", "ann", 1)), {"batch_id": "b1"})

    with pytest.raises(StorageError) as refused:
        lake.replace(VISITS, visits(spark, ("b1", "bob", 2), ("b9", "bob", 2)), {"batch_id": "b1"})

    assert "DELTA_REPLACE_WHERE_MISMATCH" in str(refused.value)
    assert_is_one_sentence(refused.value)
    assert stored(lake) == {("b1", "ann", 1)}


@pytest.mark.parametrize(
    ("batch", "minutes", "slice_of"),
    [
        ("b9", 2, {"batch_id": "b1"}),
        ("b1", None, {"minutes": "1"}),
        ("b1", 2, {"batch_id": ["b1", "b2"], "customer_id": "ann"}),
    ],
    ids=["another value", "no value", "another value of the second column"],
)
def test_rows_outside_an_empty_slice_are_refused_and_nothing_changes(
    lake: Lake, spark: SparkSession, batch: str, minutes: int | None, slice_of: Slice
) -> None:
    with pytest.raises(StorageError) as refused:
        lake.replace(VISITS, visits(spark, ("b1", "ann", 1), (batch, "bob", minutes)), slice_of)

    assert f"a row is outside of the slice of {', '.join(slice_of)}" in str(refused.value)
    assert_is_one_sentence(refused.value)
    assert stored(lake) == set()


def test_rows_of_one_value_are_refused_by_another_slice(lake: Lake, spark: SparkSession) -> None:
    rows = visits(spark, ("b1", "ann", 1)).withColumn("batch_id", F.lit("b9"))

    with pytest.raises(StorageError, match="a row is outside of the slice of batch_id"):
        lake.replace(VISITS, rows, {"batch_id": "b1"})
    lake.replace(VISITS, rows.limit(0), {"batch_id": "b1"})

    assert stored(lake) == set()


def test_only_rows_that_are_there_are_replaced(lake: Lake, spark: SparkSession) -> None:
    for batch in ("b1", "b2", "b1"):
        lake.replace(VISITS, visits(spark, (batch, "ann", 1)), {"batch_id": batch})

    done = [entry["commitInfo"] for entry in log_entries(lake) if "commitInfo" in entry]
    modes = [commit["operationParameters"].get("mode") for commit in done]
    assert modes == [None, "Append", "Append", "Overwrite"]


def test_a_table_is_looked_at_for_rows_only_where_it_was_there_before(
    lake: Lake, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[Slice] = []
    is_empty = Lake.is_empty

    def asked(lake: Lake, contract: TableContract, rows: Slice) -> bool:
        looked_at.append(rows)
        return is_empty(lake, contract, rows)

    monkeypatch.setattr(Lake, "is_empty", asked)
    slices: list[Slice] = [{"batch_id": "b1"}, {"batch_id": "b2"}]

    with pytest.raises(StorageError, match="writing"):
        lake.replace(VISITS, visits(spark, ("b2", "ann", 1)), slices[0])
    for rows in slices:
        lake.replace(VISITS, visits(spark, (str(rows["batch_id"]), "ann", 1)), rows)

    assert looked_at == slices
    assert stored(lake) == {("b1", "ann", 1), ("b2", "ann", 1)}


@pytest.mark.parametrize("rows", [{}, {"batch": "b1"}])
def test_a_slice_names_columns_of_the_table(
    lake: Lake, spark: SparkSession, rows: dict[str, str]
) -> None:
    with pytest.raises(StorageError, match="visits: a slice names columns of the table"):
        lake.replace(VISITS, visits(spark, ("b1", "ann", 1)), rows)


def test_values_with_quotes_name_exactly_their_slice(lake: Lake, spark: SparkSession) -> None:
    everyone = visits(spark, *((value, "ann", 1) for value in QUOTED))
    lake.replace(VISITS, everyone, {"batch_id": QUOTED})

    for value in QUOTED:
        lake.replace(VISITS, visits(spark, (value, "bob", 2)), {"batch_id": value})

    assert stored(lake) == {(value, "bob", 2) for value in QUOTED}


def test_a_frame_that_breaks_the_contract_is_refused_with_all_differences(
    lake: Lake, spark: SparkSession
) -> None:
    wrong = table(spark, "customer_id int, minutes long", (1, 5))

    with pytest.raises(StorageError) as refused:
        lake.replace(VISITS, wrong, {"batch_id": "b1"})

    assert str(refused.value) == (
        "visits breaks its contract: batch_id should be string and is missing; "
        "customer_id should be string and is int"
    )
    assert lake.version(VISITS) == -1


def test_extra_columns_stay_out_and_the_order_of_columns_is_the_contracts(
    lake: Lake, spark: SparkSession
) -> None:
    shuffled = visits(spark, ("b1", "ann", 1)).select(
        "minutes", F.lit("rain").alias("weather"), "customer_id", "batch_id"
    )

    lake.replace(VISITS, shuffled, {"batch_id": "b1"})

    assert lake.read(VISITS).columns == ["batch_id", "customer_id", "minutes"]
    assert stored(lake) == {("b1", "ann", 1)}


def test_a_table_of_another_schema_is_refused_when_read_and_when_written(
    lake: Lake, spark: SparkSession
) -> None:
    foreign = table(spark, "batch_id long", (1,))
    foreign.write.format("delta").save(lake.address(VISITS))
    sentence = (
        "was made by another version of segspark or another tool (batch_id should be string and "
        "is bigint; customer_id should be string and is missing)"
    )

    for use in (
        lambda: lake.read(VISITS),
        lambda: lake.replace(VISITS, visits(spark, ("b1", "ann", 1)), {"batch_id": "b1"}),
    ):
        with pytest.raises(StorageError) as refused:
            use()
        assert sentence in str(refused.value)
        assert "name another lake.location or move it away" in str(refused.value)
    assert len(lake.differences(VISITS)) == 2
    assert lake.version(VISITS) == 0


def test_the_log_keeps_no_values_of_personal_columns(lake: Lake, spark: SparkSession) -> None:
    lake.replace(VISITS, visits(spark, ("b1", "ann.secret", 7)), {"batch_id": "b1"})

    entries = log_entries(lake)

    statistics = [json.loads(e["add"]["stats"]) for e in entries if "add" in e]
    assert [each["maxValues"] for each in statistics] == [{"batch_id": "b1", "minutes": 7}]
    assert set(statistics[0]["nullCount"]) == {"batch_id", "minutes"}
    assert "ann.secret" not in json.dumps(entries)


@pytest.mark.parametrize("contract", [VISITS, TRANSACTIONS], ids=lambda contract: contract.name)
def test_every_reader_of_delta_can_read_the_tables(
    lake: Lake, spark: SparkSession, contract: TableContract
) -> None:
    empty = spark.createDataFrame([], contract.schema)

    lake.replace(contract, empty, {"batch_id": "b1"})

    detail = DeltaTable.forPath(spark, lake.address(contract)).detail().collect()[0]
    assert (detail["minReaderVersion"], detail["minWriterVersion"]) == (1, 2)
    assert detail["description"] == contract.meaning
    assert detail["properties"]["delta.deletedFileRetentionDuration"] == "interval 30 days"
    assert detail["properties"]["delta.logRetentionDuration"] == "interval 365 days"


def test_two_writers_of_one_slice_both_succeed(spark: SparkSession, lake_folder: Path) -> None:
    settings = LakeSettings(location=str(lake_folder))

    def write(minutes: int) -> None:
        lake = Lake.open(spark, settings)
        lake.replace(VISITS, visits(spark, ("b1", "ann", minutes)), {"batch_id": "b1"})

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(write, minutes) for minutes in range(4)]:
            done.result()

    assert len(stored(Lake.open(spark, settings))) == 1
    assert Lake.open(spark, settings).version(VISITS) == 4


def test_a_writer_waits_for_the_java_of_one_that_was_killed(
    lake: Lake, spark: SparkSession
) -> None:
    lake.replace(VISITS, visits(spark, ("b1", "ann", 1)), {"batch_id": "b1"})
    lock = Path(lake.root) / "_locks" / "visits.lock"
    words = [sys.executable, "-c", HELD_BY_JAVA, str(lock)]
    with (
        subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process,
        ThreadPoolExecutor(1) as pool,
    ):
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        second = visits(spark, ("b2", "ann", 2))
        written = pool.submit(lake.replace, VISITS, second, {"batch_id": "b2"})
        with pytest.raises(TimeoutError):
            written.result(timeout=2)
        process.kill()
        written.result(timeout=60)

    assert stored(lake) == {("b1", "ann", 1), ("b2", "ann", 2)}


def test_of_two_who_append_the_second_sees_the_first(
    spark: SparkSession, lake_folder: Path
) -> None:
    settings = LakeSettings(location=str(lake_folder))

    def append(_: int) -> None:
        lake = Lake.open(spark, settings)
        lake.append_after(
            VISITS, lambda rows: visits(spark, ("b1", f"c{rows.count()}", rows.count()))
        )

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(append, range(4)))

    assert stored(Lake.open(spark, settings)) == {("b1", f"c{n}", n) for n in range(4)}


def test_what_the_engine_throws_becomes_one_sentence(lake: Lake, spark: SparkSession) -> None:
    broken = visits(spark, ("b1", "ann", 1)).withColumn(
        "minutes", F.raise_error(F.lit("the clock stopped")).cast("long")
    )

    with pytest.raises(StorageError) as refused:
        lake.replace(VISITS, broken, {"batch_id": "b1"})

    assert "the clock stopped" in str(refused.value)
    assert str(refused.value).startswith(f"writing {lake.address(VISITS)}: ")
    assert_is_one_sentence(refused.value)


def test_a_folder_that_cannot_be_written_is_named(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "lake").write_text("a file, not a folder")
    lake = Lake.open(spark, LakeSettings(location=str(tmp_path / "lake")))

    with pytest.raises(StorageError, match=r"lake/_locks: cannot be written \(Not a directory\)"):
        lake.replace(VISITS, visits(spark, ("b1", "ann", 1)), {"batch_id": "b1"})


def assert_is_one_sentence(error: Exception) -> None:
    text = str(error)
    assert not [part for part in ("\n", "\tat ", "at org.apache", "Traceback") if part in text]
