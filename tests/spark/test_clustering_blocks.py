from typing import Any

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession

from segspark.clustering import blocks
from segspark.clustering.block import Block
from segspark.clustering.blocks import point_blocks
from segspark.errors import ClusteringError
from tests.clustering_data import points_frame
from tests.embeddings import any_encoder


def vectors_frame(spark: SparkSession, *vectors: list[float | None] | None) -> DataFrame:
    rows = [(f"c{order}", vector) for order, vector in enumerate(vectors)]
    return spark.createDataFrame(rows, "customer_id string, vector array<double>")


def refusal_of(points: DataFrame) -> str:
    with pytest.raises(ClusteringError) as caught, point_blocks(points):
        pass
    return str(caught.value)


MISSING = (
    "laying out the customers' points: a customer's vector holds a value that is missing or "
    "infinite: say in training.vector.missing_values what a missing one counts as"
)


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_a_value_that_is_missing_is_refused_in_one_sentence(
    spark: SparkSession, value: float | None
) -> None:
    assert refusal_of(vectors_frame(spark, [1.0, 2.0], [3.0, value], [5.0, 6.0])) == MISSING


@pytest.mark.parametrize(
    ("vectors", "widths"),
    [
        (([1.0, 2.0], [3.0, 4.0], [5.0]), "1 or 2"),
        (([1.0, 2.0], [3.0, 4.0, 5.0, 6.0]), "2 or 4"),
        (([1.0, 2.0], None), "0 or 2"),
    ],
)
def test_vectors_of_several_lengths_are_refused_in_one_sentence(
    spark: SparkSession, vectors: tuple[list[float | None] | None, ...], widths: str
) -> None:
    assert refusal_of(vectors_frame(spark, *vectors)) == (
        f"laying out the customers' points: customers' vectors have {widths} coordinates: "
        "give every customer a number for each of the same columns"
    )


def test_vectors_whose_lengths_differ_between_blocks_only_are_refused(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "ROWS_PER_BLOCK", 1)
    vectors: list[list[float | None]] = [[float(order)] for order in range(6)]
    with point_blocks(vectors_frame(spark, *vectors)) as held:
        members = [np.frombuffer(row["points"]) for row in held.frame.collect()]
    alone = next(int(own[0]) for own in members if len(own) == 1)

    vectors[alone] = [1.0, 2.0]

    assert refusal_of(vectors_frame(spark, *vectors)) == (
        "customers' vectors have 1 or 2 coordinates: "
        "give every customer a number for each of the same columns"
    )


def test_blocks_of_some_customers_at_other_points_are_blocks_like_any(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "ROWS_PER_BLOCK", 5)
    values = np.arange(200.0).reshape(100, 2)

    def halved_beyond_60(block: Block) -> Block:
        is_kept = block.points[:, 0] > 60
        return Block(block.places[is_kept], block.points[is_kept] / 2)

    with (
        point_blocks(points_frame(spark, values)) as held,
        held.changed(halved_beyond_60, row_count=69) as some,
    ):
        order = [row["vector"] for row in held.rows().collect() if row["vector"][0] > 60]
        total = some.add_up([lambda points: points.sum(axis=0)])[0]
        found = [row["vector"] for row in some.rows().collect()]
        sample = some.sample(10)
        before = held.sample(100)

    expected = np.array(order) / 2
    assert len(expected) == some.row_count == 69
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(total, expected.sum(axis=0))
    np.testing.assert_array_equal(sample, before[before[:, 0] > 60][:10] / 2)


def test_embedded_blocks_are_of_the_same_customers_and_released(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "ROWS_PER_BLOCK", 20)
    values = np.random.default_rng(1).normal(size=(100, 2))
    java: Any = spark.sparkContext._jsc  # noqa: SLF001 - PySpark does not list what it holds

    with point_blocks(points_frame(spark, values)) as plain:
        before = len(java.getPersistentRDDs())
        with plain.embedded(any_encoder()) as embedded:
            (total,) = embedded.add_up([lambda points: points.sum(axis=0)])
            one_by_one = [row["vector"] for row in embedded.rows().collect()]
            held = len(java.getPersistentRDDs())
        after = len(java.getPersistentRDDs())
        in_order = np.array([row["vector"] for row in plain.rows().collect()])

    expected = any_encoder().embed(in_order)
    np.testing.assert_array_equal(one_by_one, expected)
    np.testing.assert_allclose(total, expected.sum(axis=0), rtol=1e-12)
    np.testing.assert_array_equal(embedded.sample(100), any_encoder().embed(plain.sample(100)))
    assert (embedded.row_count, embedded.width) == (100, 2)
    assert (held - before, after - before) == (1, 0)


def test_blocks_hold_every_point_once(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "ROWS_PER_BLOCK", 20)
    values = np.arange(200.0).reshape(100, 2)

    with point_blocks(points_frame(spark, values)) as held:
        rows, total = held.add_up([len, lambda points: points.sum(axis=0)])
        one_by_one = [row["vector"] for row in held.rows().collect()]

    assert (held.row_count, held.width, rows) == (100, 2, 100)
    np.testing.assert_array_equal(total, values.sum(axis=0))
    assert sorted(one_by_one) == values.tolist()
