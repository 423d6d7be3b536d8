"""A sieve lets every row pass that has one of the hashes, and hardly any other."""

import random

import pytest
from pyspark.sql import DataFrame, SparkSession

from segspark.tables import sieve as sieves
from segspark.tables.sieve import sieve
from tests.builders import table
from tests.purchases import values

LEAST, MOST = -(2**63), 2**63 - 1


def passed(rows: DataFrame, hashes: DataFrame) -> set[int | None]:
    with sieve(hashes) as found:
        marked = found.marked(rows, mark="is_there").filter("is_there")
        return {row[0] for row in values(marked, "key")}


def drawn(count: int, *, seed: int) -> list[int]:
    numbers = random.Random(seed)  # noqa: S311 - the same every time
    return [numbers.randint(LEAST, MOST) for _ in range(count)]


def longs(spark: SparkSession, keys: list[int]) -> DataFrame:
    return table(spark, "key long", *((key,) for key in keys))


@pytest.mark.parametrize("count", [1, 2, 3, 64, 1000])
def test_every_row_with_one_of_the_hashes_passes_and_few_of_the_others(
    spark: SparkSession, count: int
) -> None:
    hashes = drawn(count, seed=1)
    others = drawn(2000, seed=2)

    found = passed(longs(spark, hashes + others), longs(spark, hashes))

    assert found >= set(hashes)
    assert len(found) - len(hashes) < 0.03 * len(others)


def test_the_ends_of_what_a_hash_can_be_pass(spark: SparkSession) -> None:
    ends = [LEAST, -1, 0, 1, MOST]

    assert passed(longs(spark, [*ends, 12345]), longs(spark, ends)) >= set(ends)


def test_a_row_without_a_hash_does_not_pass(spark: SparkSession) -> None:
    rows = table(spark, "key long", (None,), (7,))

    assert passed(rows, longs(spark, [7])) == {7}


def test_more_hashes_than_an_array_is_made_of_are_joined_with(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes, others = drawn(4, seed=3), drawn(300, seed=4)
    monkeypatch.setattr(sieves, "_MOST_HASHES", 3)

    with sieve(longs(spark, hashes)) as found:
        assert found.bits is None

    assert passed(longs(spark, hashes + others), longs(spark, hashes)) == set(hashes)


def test_where_spark_generates_no_code_rows_are_joined_with_the_hashes(
    spark: SparkSession,
) -> None:
    spark.conf.set("spark.sql.codegen.wholeStage", "false")
    try:
        with sieve(longs(spark, [7])) as found:
            assert found.bits is None
    finally:
        spark.conf.unset("spark.sql.codegen.wholeStage")


def test_where_there_is_no_hash_nothing_is_read_to_find_its_rows(
    spark: SparkSession, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = spark.range(10).withColumnRenamed("id", "key")

    with sieve(longs(spark, [])) as found:
        found.marked(rows, mark="is_there").filter("is_there").explain()

    assert "Range" not in capsys.readouterr().out
