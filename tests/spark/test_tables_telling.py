"""Few keys are told to every task, more are joined.

The rows that have one of them are the same, however they are looked for.
"""

import pytest
from pyspark.sql import SparkSession

from segspark.tables import telling
from segspark.tables.telling import told
from tests.builders import table
from tests.purchases import values


@pytest.mark.parametrize(
    ("columns", "keys", "is_told"),
    [
        ("key string", [("a",), ("b",)], True),
        ("key string", [("a",), ("b",), ("c",)], False),
        ("key string, day int", [("a", 1)], True),
        ("key string, day int", [("a", 1), ("b", 1)], False),
    ],
)
def test_keys_are_told_up_to_a_limit_of_their_values(
    spark: SparkSession,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    columns: str,
    keys: list[tuple[object, ...]],
    *,
    is_told: bool,
) -> None:
    monkeypatch.setattr(telling, "_MOST", 2)

    with told(table(spark, columns, *keys)) as found:
        found.keys.explain(extended=True)

    assert found.count == len(keys)
    assert ("strategy=broadcast" in capsys.readouterr().out) == is_told


@pytest.mark.parametrize(("most", "is_listed"), [(2, True), (1, False)])
def test_rows_with_one_of_the_keys_are_found_by_a_list_as_by_a_join(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch, *, most: int, is_listed: bool
) -> None:
    monkeypatch.setattr(telling, "_MOST_LISTED", most)
    rows = table(spark, "key string, n int", ("a", 1), ("b", 2), ("c", 3), ("a", 4), (None, 5))

    with told(table(spark, "key string", ("a",), ("c",))) as found:
        among = values(found.among(rows), "n")

    assert (found.is_listed is not None) == is_listed
    assert among == [(1,), (3,), (4,)]


def test_where_there_is_no_key_nothing_is_read_to_find_its_rows(
    spark: SparkSession, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = spark.range(10).withColumnRenamed("id", "key")

    with told(table(spark, "key long")) as found:
        rows.join(found.keys, on="key").explain()

    assert "Range" not in capsys.readouterr().out
