"""A range of values is cut into parts that are all read, none twice."""

import pytest

from segspark.ingest.reading.databases import cuts_between


@pytest.mark.parametrize(
    ("low", "high", "parts", "cuts"),
    [
        (0, 100, 4, [25, 50, 75]),
        (1, 2, 2, [2]),
        (1, 3, 8, [2, 3]),
        (-10, 10, 2, [0]),
        (5, 5, 4, []),
        (0, 100, 1, []),
    ],
)
def test_cuts_rise_and_leave_no_part_below_the_lowest_value(
    low: int, high: int, parts: int, cuts: list[int]
) -> None:
    assert cuts_between(low, high, parts=parts) == cuts
