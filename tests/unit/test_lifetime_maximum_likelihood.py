import numpy as np
import pytest

from segspark.lifetime.arrays import Floats
from segspark.lifetime.maximum_likelihood import (
    LARGEST_LOG,
    LARGEST_LOG_DEVIATION,
    climb,
    polish,
)

INFORMATION = np.array([[40.0, 9.0], [9.0, 10.0]])
TOP = np.array([0.5, -1.0])


def hill(point: Floats) -> tuple[float, Floats]:
    """The log-likelihood of a normal distribution around TOP."""
    away = point - TOP
    return float(-0.5 * away @ INFORMATION @ away), -INFORMATION @ away


def two_hills(point: Floats) -> tuple[float, Floats]:
    """A lower top at -2 and a higher one at 2."""
    (z,) = point
    return float(-((z * z - 4.0) ** 2) + z), np.array([-4.0 * z * (z * z - 4.0) + 1.0])


def slope(point: Floats) -> tuple[float, Floats]:
    """Up for ever in the first direction, to 3 in the second."""
    first, second = point
    gradient = np.array([np.exp(-first), -2.0 * (second - 3.0)])
    return float(-np.exp(-first) - (second - 3.0) ** 2), gradient


def ridge(point: Floats) -> tuple[float, Floats]:
    """The same wherever the sum is 1."""
    away = point.sum() - 1.0
    return float(-50.0 * away**2), np.full(2, -100.0 * away)


@pytest.mark.parametrize("order", [1, -1])
def test_the_highest_top_of_all_starts_is_taken(order: int) -> None:
    starts = [np.array([-3.0]), np.array([3.0])][::order]

    found = climb(two_hills, starts, customer_count=1.0)

    assert found[0] == pytest.approx(2.03, abs=0.01)


def test_starts_beyond_the_edge_are_moved_inside() -> None:
    found = climb(hill, [np.array([99.0, -99.0])], customer_count=1.0)

    np.testing.assert_allclose(found, TOP, atol=1e-6)


def test_polishing_ends_on_the_top_with_the_inverse_of_the_information() -> None:
    found = polish(hill, TOP + 0.01, customer_count=1.0)

    np.testing.assert_allclose(found.log_parameters, TOP, atol=1e-9)
    np.testing.assert_allclose(found.covariance, np.linalg.inv(INFORMATION), rtol=1e-6)
    assert found.is_converged
    assert found.gradient_norm < 1e-9
    assert not found.is_on_edge.any()
    assert not found.is_unsure.any()


def test_a_step_that_lowers_the_likelihood_is_not_taken() -> None:
    start = TOP + 0.01

    def pit(point: Floats) -> tuple[float, Floats]:
        value, gradient = hill(point)
        return value - 1.0 * bool(np.abs(point - start).max() > 1e-3), gradient

    assert polish(pit, start, customer_count=1.0).log_parameters.tolist() == start.tolist()


def test_a_parameter_that_grows_without_end_stays_on_the_edge_and_says_so() -> None:
    top = climb(slope, [np.array([2.0, 0.0]), np.array([11.0, 0.0])], customer_count=1.0)

    found = polish(slope, np.array([LARGEST_LOG, top[1]]), customer_count=1.0)

    assert found.log_parameters.tolist() == pytest.approx([LARGEST_LOG, 3.0])
    assert found.is_on_edge.tolist() == [True, False]
    assert found.is_unsure.tolist() == [True, False]
    assert found.is_converged
    assert np.sqrt(found.covariance[0, 0]) == pytest.approx(LARGEST_LOG_DEVIATION, rel=1e-3)


def test_what_a_ridge_leaves_open_has_the_largest_deviation() -> None:
    found = polish(ridge, np.array([0.2, 0.7]), customer_count=1.0)

    along, across = np.array([1.0, -1.0]) / np.sqrt(2.0), np.array([1.0, 1.0]) / np.sqrt(2.0)
    assert found.log_parameters.sum() == pytest.approx(1.0)
    assert along @ found.covariance @ along == pytest.approx(LARGEST_LOG_DEVIATION**2)
    assert across @ found.covariance @ across == pytest.approx(1.0 / 200.0)
    assert found.is_unsure.all()


@pytest.mark.parametrize(("steepness", "is_converged"), [(1.0, False), (2e-6, False), (5e-7, True)])
def test_a_slope_of_more_than_a_millionth_that_is_left_is_no_convergence(
    steepness: float, *, is_converged: bool
) -> None:
    def roof(point: Floats) -> tuple[float, Floats]:
        """A top so sharp that no step of a difference sees it."""
        return steepness * float(-np.abs(point).sum()), -steepness * np.sign(point + 1e-9)

    found = polish(roof, np.array([0.3]), customer_count=1.0)

    assert found.is_converged is is_converged
    assert found.gradient_norm == pytest.approx(steepness)


def test_a_cheaper_function_leads_the_steps_and_the_curvature_told_is_the_functions_own() -> None:
    calls = []

    def counted(point: Floats) -> tuple[float, Floats]:
        calls.append(point)
        return hill(point)

    def cheaper(point: Floats) -> tuple[float, Floats]:
        """Of half the curvature off the diagonal, and with another top."""
        away = point - TOP - 0.2
        information = INFORMATION * np.array([[1.0, 0.5], [0.5, 1.0]])
        return float(-0.5 * away @ information @ away), -information @ away

    found = polish(counted, TOP + 0.01, customer_count=1.0, like=cheaper)

    np.testing.assert_allclose(found.covariance, np.linalg.inv(INFORMATION), rtol=1e-6)
    # Each step is nearer to the function's top, not to the other's.
    steps = [float(np.abs(point - TOP).max()) for point in calls[: -2 * len(TOP)]]
    assert steps[0] == pytest.approx(0.01)
    assert steps == sorted(steps, reverse=True)
    assert np.abs(found.log_parameters - TOP).max() < 1e-4
    # A step asks the function once; its curvature, twice for each parameter, is asked at the end.
    assert len(steps) <= 1 + 6
