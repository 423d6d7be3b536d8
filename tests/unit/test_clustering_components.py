import numpy as np
import pytest
from sklearn.decomposition import PCA

from segspark.clustering.components import (
    fit_components,
    mean_and_covariance,
    principal_components,
)
from segspark.clustering.points import MemoryPoints
from segspark.errors import ClusteringError
from segspark.model.scores import Floats
from segspark.settings.training import PcaSettings
from tests.point_blocks import memory_blocks

STEEP = np.diag([1.0, 6.0, 3.0])
"""Shares 0.6, 0.3 and 0.1."""


def slanted(rows: int = 700) -> Floats:
    generator = np.random.default_rng(2)
    return generator.normal(size=(rows, 4)) @ generator.normal(size=(4, 4)) + [3.0, 0, -1, 5]


def test_components_come_by_what_they_explain_and_point_upwards() -> None:
    weights, ratios = principal_components(STEEP, PcaSettings(component_count=3))

    assert ratios == pytest.approx((0.6, 0.3, 0.1))
    assert weights.tolist() == [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]


@pytest.mark.parametrize(
    ("share", "count"), [(0.1, 1), (0.6, 1), (0.61, 2), (0.9, 2), (0.91, 3), (1.0, 3)]
)
def test_as_few_components_as_explain_the_share_are_taken(share: float, count: int) -> None:
    weights, ratios = principal_components(STEEP, PcaSettings(least_explained_ratio=share))

    assert len(weights) == len(ratios) == count


def test_columns_that_say_the_same_need_one_component_for_everything() -> None:
    weights, ratios = principal_components(np.ones((3, 3)), PcaSettings(least_explained_ratio=1.0))

    assert ratios == pytest.approx((1.0,))
    assert weights[0] == pytest.approx([np.sqrt(1 / 3)] * 3)


def test_customers_at_one_point_have_no_components() -> None:
    with pytest.raises(ClusteringError, match=r"leave pca out of training\.sweep\.embeddings"):
        principal_components(np.zeros((3, 3)), PcaSettings(component_count=1))


@pytest.mark.parametrize("noise", [1e-15, -1e-15])
def test_rounding_does_not_turn_a_component_round(noise: float) -> None:
    covariance = np.array([[1.0, -0.5 + noise], [-0.5 + noise, 1.0 + noise]])

    weights, _ = principal_components(covariance, PcaSettings(component_count=2))

    assert weights[0] == pytest.approx((np.sqrt(0.5), -np.sqrt(0.5)))
    assert weights[1] == pytest.approx((np.sqrt(0.5), np.sqrt(0.5)))


@pytest.mark.parametrize("count", [1, 3, 4])
def test_embedded_points_are_those_of_scikit_learn_up_to_the_sign(count: int) -> None:
    theirs = PCA(count).fit(slanted())

    found = fit_components(memory_blocks(slanted()), PcaSettings(component_count=count))

    expected = theirs.transform(slanted())
    signs = np.sign(theirs.components_[range(count), np.abs(theirs.components_).argmax(axis=1)])
    np.testing.assert_allclose(found.embed(slanted()), expected * signs, rtol=0, atol=1e-10)
    assert found.explained_ratio == pytest.approx(theirs.explained_variance_ratio_.sum())


def test_means_and_covariances_far_from_zero_keep_their_digits() -> None:
    far = slanted() + 1e7

    for points in (memory_blocks(far, parts=5), MemoryPoints(far)):
        mean, covariance = mean_and_covariance(points)

        np.testing.assert_allclose(mean, far.mean(axis=0), rtol=1e-14)
        np.testing.assert_allclose(covariance, np.cov(far.T, ddof=0), rtol=1e-7)
