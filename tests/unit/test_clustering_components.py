import numpy as np
import pytest

from segspark.clustering.components import principal_components
from segspark.settings.training import PcaSettings

STEEP = np.diag([1.0, 6.0, 3.0])
"""Shares 0.6, 0.3 and 0.1."""


def test_components_come_by_what_they_explain_and_point_upwards() -> None:
    found = principal_components(STEEP, PcaSettings(component_count=3))

    assert found.explained_ratios == pytest.approx((0.6, 0.3, 0.1))
    assert found.weights == ((0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (1.0, 0.0, 0.0))


@pytest.mark.parametrize(
    ("share", "count"), [(0.1, 1), (0.6, 1), (0.61, 2), (0.9, 2), (0.91, 3), (1.0, 3)]
)
def test_as_few_components_as_explain_the_share_are_taken(share: float, count: int) -> None:
    found = principal_components(STEEP, PcaSettings(least_explained_ratio=share))

    assert len(found.weights) == len(found.explained_ratios) == count


def test_columns_that_say_the_same_need_one_component_for_everything() -> None:
    found = principal_components(np.ones((3, 3)), PcaSettings(least_explained_ratio=1.0))

    assert found.explained_ratios == pytest.approx((1.0,))
    assert found.weights[0] == pytest.approx([np.sqrt(1 / 3)] * 3)


@pytest.mark.parametrize("noise", [1e-15, -1e-15])
def test_rounding_does_not_turn_a_component_round(noise: float) -> None:
    covariance = np.array([[1.0, -0.5 + noise], [-0.5 + noise, 1.0 + noise]])

    found = principal_components(covariance, PcaSettings(component_count=2))

    assert found.weights[0] == pytest.approx((np.sqrt(0.5), -np.sqrt(0.5)))
    assert found.weights[1] == pytest.approx((np.sqrt(0.5), np.sqrt(0.5)))
