"""Who is an outlier before anything is clustered, and what becomes of them."""

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.ensemble import IsolationForest

from segspark.clustering.batched import fit_in_memory
from segspark.clustering.engine import Candidate
from segspark.clustering.outliers import Outliers, outliers_of, upper_fence
from segspark.clustering.points import MemoryPoints
from segspark.errors import ClusteringError
from segspark.model.outliers import OutlierAwareModel
from segspark.model.scores import Floats
from segspark.settings.training import Algorithm, OutlierSettings, SweepSettings
from tests.point_blocks import memory_blocks

CENTRES = [[-4.0, 0.0], [4.0, 0.0], [0.0, 4.0]]
FAR = np.array([[300.0, 10.0], [-250.0, 0.0], [0.0, -400.0], [280.0, 20.0], [10.0, 350.0]])


def blobs_and_far_ones() -> Floats:
    values, _ = make_blobs(600, 2, centers=np.array(CENTRES), cluster_std=0.6, random_state=4)
    return np.concatenate([values, FAR])


def outliers_by(points: Floats, **settings: object) -> Outliers:
    return outliers_of(MemoryPoints(points), OutlierSettings.model_validate(settings), seed=1)


def kmeans_by(points: Floats, outliers: Outliers) -> OutlierAwareModel:
    """Three segments of the points that fits see, around which the rule is laid."""
    candidate, rule = Candidate(Algorithm.KMEANS, 3), outliers.rule
    model = outliers.around(
        fit_in_memory(rule.fitted(points), [candidate], SweepSettings())[candidate]
    )
    assert isinstance(model, OutlierAwareModel)
    return model


def test_customers_far_from_the_middle_are_those_beyond_tukeys_fence() -> None:
    points = blobs_and_far_ones()
    distances = [float(np.linalg.norm(each - np.median(points, axis=0))) for each in points]
    lower, upper = np.percentile(distances, [25, 75])

    found = outliers_by(points, policy="apart", fence_ratio=2.0)

    assert found.rule.reach == pytest.approx(upper + 2.0 * (upper - lower), rel=1e-12)
    assert found.remote == sum(each > found.rule.reach for each in distances) == len(FAR)
    assert (found.customers, found.isolated, found.either) == (605, 0, 5)
    np.testing.assert_allclose(found.centre, FAR.mean(axis=0), rtol=1e-12)


def test_the_fence_is_tukeys() -> None:
    assert upper_fence(np.array([0.0, 1.0, 2.0, 3.0, 4.0]), ratio=3.0) == 3.0 + 3 * 2.0


def test_outliers_apart_leave_the_planted_segments_alone_and_are_one_more() -> None:
    points = blobs_and_far_ones()
    outliers = outliers_by(points, policy="apart")

    model = kmeans_by(points, outliers)

    found = model.score(points)
    assert model.k == 4
    assert set(found.cluster_index[-len(FAR) :]) == {3}
    assert 3 not in found.cluster_index[: -len(FAR)]
    order = np.argsort(model.centres[:3, 0])
    np.testing.assert_allclose(model.centres[order], np.array(CENTRES)[[0, 2, 1]], atol=0.15)
    np.testing.assert_array_equal(model.assign(points), found.cluster_index)
    # Beside them: the cluster they would be in else, and by how much they are beyond the fence.
    base = model.base.score(points)
    np.testing.assert_array_equal(found.runner_up_index[-5:], base.cluster_index[-5:])
    distance = np.linalg.norm(FAR - outliers.rule.middle, axis=1)
    np.testing.assert_allclose(found.confidence[-5:], 1 - outliers.rule.reach / distance)
    np.testing.assert_allclose(
        found.centre_distance[-5:], np.linalg.norm(FAR - FAR.mean(axis=0), axis=1)
    )
    np.testing.assert_array_equal(found.confidence[:-5], base.confidence[:-5])


def test_kept_outliers_pull_a_segment_to_themselves() -> None:
    points = blobs_and_far_ones()
    candidate = Candidate(Algorithm.KMEANS, 3)

    model = fit_in_memory(points, [candidate], SweepSettings())[candidate]

    assert np.abs(model.centres).max() > 50


def test_clipped_outliers_are_clustered_at_the_fence_and_measured_where_they_are() -> None:
    points = blobs_and_far_ones()
    outliers = outliers_by(points, policy="clip")
    rule = outliers.rule

    model = kmeans_by(points, outliers)

    moved = rule.seen(points)
    np.testing.assert_array_equal(moved[:-5], points[:-5])
    for before, after in zip(FAR, moved[-5:], strict=True):
        away = before - rule.middle
        expected = rule.middle + rule.reach * away / np.linalg.norm(away)
        np.testing.assert_allclose(after, expected, rtol=1e-12)
    assert model.k == 3
    found = model.score(points)
    np.testing.assert_array_equal(found.cluster_index, model.base.assign(moved))
    own = model.centres[found.cluster_index]
    np.testing.assert_allclose(found.centre_distance, np.linalg.norm(points - own, axis=1))
    assert found.is_remote.sum() == len(FAR)


def test_a_forest_flags_isolated_customers_and_keeps_them() -> None:
    points = blobs_and_far_ones()
    outliers = outliers_by(points, isolation_bound=0.65)

    found = kmeans_by(points, outliers).score(points)

    theirs = IsolationForest(n_estimators=100, max_samples=256, random_state=1).fit(points)
    np.testing.assert_array_equal(found.is_isolated, -theirs.score_samples(points) > 0.65)
    assert found.is_isolated[-5:].sum() == 4
    assert found.is_isolated.sum() == outliers.isolated == 4
    assert not found.is_remote.any()


def test_whoever_is_isolated_within_the_fence_is_apart_as_well() -> None:
    # A ring, and one customer alone in its middle: nobody is far from the middle.
    angles = np.linspace(0, 2 * np.pi, 500, endpoint=False)
    points = np.concatenate([np.column_stack([np.cos(angles), np.sin(angles)]), [[0.0, 0.0]]])

    found = outliers_by(points, policy="apart", isolation_bound=0.6)

    scores = found.rule.flags(points)
    assert found.remote == 0
    assert found.isolated == found.either == scores.is_isolated.sum()
    assert scores.isolation.argmax() == 500
    assert scores.is_isolated[500]


@pytest.mark.parametrize("policy", ["clip", "apart"])
def test_a_fence_around_customers_who_are_all_alike_is_refused(policy: str) -> None:
    points = np.concatenate([np.zeros((80, 2)), np.random.default_rng(1).normal(size=(20, 2))])

    with pytest.raises(ClusteringError, match=f"another training.outliers.policy than {policy}"):
        outliers_by(points, policy=policy)


def test_the_confidence_of_an_isolated_outlier_is_its_share_of_what_is_above_the_bound() -> None:
    points = blobs_and_far_ones()
    outliers = outliers_by(points, policy="apart", isolation_bound=0.6, fence_ratio=1e6)

    found = kmeans_by(points, outliers).score(points)

    is_apart = found.is_isolated
    assert is_apart.sum() > 0
    np.testing.assert_allclose(found.confidence[is_apart], (found.isolation[is_apart] - 0.6) / 0.4)


def test_without_outliers_nobody_is_apart() -> None:
    points = np.tile([[0.0, 0.0], [1.0, 1.0]], (50, 1))

    outliers = outliers_by(points, policy="apart")

    assert kmeans_of_two(points, outliers).k == 2
    assert outliers.sentence == (
        "Outliers: 0 farther than 0.71 from the middle, 0.0 % of all customers; so none is apart."
    )


def kmeans_of_two(points: Floats, outliers: Outliers) -> OutlierAwareModel:
    candidate = Candidate(Algorithm.KMEANS, 2)
    model = outliers.around(fit_in_memory(points, [candidate], SweepSettings())[candidate])
    assert isinstance(model, OutlierAwareModel)
    return model


def test_where_nothing_is_asked_the_model_stays_as_it_is() -> None:
    points = blobs_and_far_ones()
    candidate = Candidate(Algorithm.KMEANS, 3)
    model = fit_in_memory(points, [candidate], SweepSettings())[candidate]

    found = outliers_by(points)

    assert found.around(model) is model
    assert found.sentence == ""


@pytest.mark.parametrize("policy", ["keep", "clip", "apart"])
def test_outliers_are_the_same_however_customers_are_laid_out(policy: str) -> None:
    points = blobs_and_far_ones()
    settings = OutlierSettings.model_validate({"policy": policy, "isolation_bound": 0.65})

    few, many = (outliers_of(memory_blocks(points, parts=n), settings, seed=1) for n in (1, 7))

    assert few.sentence == many.sentence
    assert (few.isolated, few.remote, few.either) == (many.isolated, many.remote, many.either)
    np.testing.assert_array_equal(few.rule.seen(points), many.rule.seen(points))
    np.testing.assert_allclose(few.centre, many.centre, rtol=1e-12)
