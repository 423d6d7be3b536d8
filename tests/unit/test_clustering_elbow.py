import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from segspark.clustering.elbow import elbow


def test_the_elbow_is_where_the_cost_stops_falling_fast() -> None:
    assert elbow({2: 100.0, 3: 60.0, 4: 20.0, 5: 18.0, 6: 16.0}) == 4


def test_the_order_of_the_numbers_does_not_matter() -> None:
    assert elbow({6: 16.0, 4: 20.0, 2: 100.0, 5: 18.0, 3: 60.0}) == 4


def test_there_is_no_elbow_where_a_number_between_others_was_not_tried() -> None:
    assert elbow({2: 100.0, 3: 45.0, 8: 0.0}) is None
    assert elbow({2: 100.0, 3: 45.0, 5: 40.0, 6: 38.0}) is None


def test_an_even_fall_a_rise_and_two_numbers_have_no_elbow() -> None:
    assert elbow({2: 30.0, 3: 20.0, 4: 10.0}) is None
    assert elbow({2: 10.0, 3: 19.0, 4: 20.0}) is None
    assert elbow({2: 30.0, 3: 10.0}) is None
    assert elbow({2: 10.0, 3: 10.0, 4: 10.0}) is None


def test_a_cost_above_the_line_is_no_elbow() -> None:
    assert elbow({2: 30.0, 3: 29.0, 4: 10.0}) is None


@given(st.lists(st.floats(0.1, 1e6), min_size=3, max_size=12, unique=True))
def test_the_elbow_is_the_point_farthest_below_the_chord(falling: list[float]) -> None:
    heights = np.sort(falling)[::-1]
    x, y = np.linspace(0, 1, len(heights)), (heights - heights[-1]) / (heights[0] - heights[-1])
    below = (1 - x - y) / np.sqrt(2)

    found = elbow({order + 2: height for order, height in enumerate(heights)})

    assert below[1:-1].max() <= 1e-9 if found is None else below[found - 2] >= below.max() - 1e-9
