from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segspark.clustering import blocks
from segspark.clustering.block import points_of
from segspark.errors import ClusteringError
from segspark.model.scores import Floats
from tests.point_blocks import memory_blocks


def batch_of(*vectors: Sequence[float | None] | None) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({"vector": pa.array(vectors, pa.list_(pa.float64()))})


def numbered(rows: int) -> Floats:
    return np.arange(2.0 * rows).reshape(rows, 2)


def test_vectors_become_rows() -> None:
    np.testing.assert_array_equal(
        points_of(batch_of([1.0, 2.0], [3.0, 4.0], [5.0, 6.0])), [[1, 2], [3, 4], [5, 6]]
    )


def test_a_part_of_a_batch_gives_its_own_rows_only() -> None:
    part = batch_of([1.0, 2.0], [3.0, 4.0], [5.0, 6.0]).slice(1, 2)

    np.testing.assert_array_equal(points_of(part), [[3, 4], [5, 6]])


def test_no_vectors_give_no_rows() -> None:
    assert points_of(batch_of()).shape == (0, 0)


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), -float("inf")])
def test_a_value_that_is_missing_or_infinite_is_refused(value: float | None) -> None:
    with pytest.raises(ClusteringError, match="a customer's vector holds a value that is missing"):
        points_of(batch_of([1.0, 2.0], [3.0, value]))


@pytest.mark.parametrize(
    ("vectors", "widths"),
    [
        (([1.0, 2.0], [3.0]), "1 or 2"),
        # As many numbers as three coordinates each would have.
        (([1.0, 2.0], [3.0, 4.0, 5.0, 6.0]), "2 or 4"),
        (([1.0, 2.0], None), "0 or 2"),
        (([], []), "0"),
        ((None,), "0"),
    ],
)
def test_vectors_of_several_lengths_are_refused(
    vectors: tuple[list[float] | None, ...], widths: str
) -> None:
    with pytest.raises(ClusteringError, match=f"customers' vectors have {widths} coordinates"):
        points_of(batch_of(*vectors))


@settings(deadline=None, max_examples=40)
@given(rows=st.integers(1, 60), asked=st.integers(1, 70), parts=st.integers(1, 6))
def test_a_smaller_sample_is_the_beginning_of_a_larger_one(
    rows: int, asked: int, parts: int
) -> None:
    points = numbered(rows)

    found = memory_blocks(points, parts=parts).sample(asked)

    everyone = memory_blocks(points, parts=1).sample(rows)
    np.testing.assert_array_equal(found, everyone[:asked])
    np.testing.assert_array_equal(np.sort(everyone, axis=0), points)


def test_a_block_sends_its_share_of_the_sample_and_some_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    points = numbered(20_000)
    everyone = memory_blocks(points, parts=1).sample(20_000)
    monkeypatch.setattr(blocks, "ROWS_PER_BLOCK", 2_000)
    monkeypatch.setattr(blocks, "SAMPLED_ROWS", 1_000)

    held = memory_blocks(points, parts=10)

    np.testing.assert_array_equal(held.sample(1_000), everyone[:1_000])
    assert (
        max(len(block.lowest(blocks.share_of_sample(20_000)).places) for block in held.blocks) < 400
    )


@settings(deadline=None, max_examples=40)
@given(
    values=st.lists(st.integers(0, 4), min_size=1, max_size=120),
    most=st.integers(1, 6),
    parts=st.integers(1, 4),
)
def test_distinct_points_are_counted_up_to_a_limit(
    values: list[int], most: int, parts: int
) -> None:
    points = np.column_stack([np.array(values, dtype=np.float64), np.zeros(len(values))])

    found = memory_blocks(points, parts=parts).distinct_points(most=most)

    assert found == min(most, len(set(values)))


def test_rare_points_behind_many_equal_ones_are_counted() -> None:
    points = np.vstack([np.zeros((500, 2)), np.ones((1, 2)), np.full((1, 2), 2.0)])

    assert memory_blocks(points, parts=1).distinct_points(most=3) == 3


def test_rare_points_outside_of_the_sample_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "SAMPLED_ROWS", 10)
    held = memory_blocks(np.vstack([np.zeros((500, 2)), np.ones((1, 2))]), parts=3)

    assert not held.sample(10).any()
    assert held.distinct_points(most=3) == 2


def test_figures_add_up_over_all_blocks() -> None:
    held = memory_blocks(numbered(50), parts=4)

    total, rows = held.add_up([lambda points: points.sum(), len])

    assert (total, rows) == (float(sum(range(100))), 50)
