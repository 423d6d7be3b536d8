from dataclasses import replace

import numpy as np
import pytest

from segspark.model.micro_clusters import MicroClusterModel, MicroClusters

MICRO = MicroClusters(
    centres=np.array([[0.0, 0.0], [2.0, 0.0], [10.0, 0.0], [12.0, 0.0], [30.0, 0.0]]),
    counts=np.array([3.0, 1.0, 1.0, 1.0, 4.0]),
    radii=np.array([0.1, 0.2, 0.3, 0.4, 0.5]),
)
SEGMENTS = np.array([0, 0, 1, 1, 2], dtype=np.int32)
MODEL = MicroClusterModel(MICRO, SEGMENTS, MICRO.means_of(SEGMENTS))


def test_a_segments_centre_is_the_mean_of_its_customers() -> None:
    assert MODEL.centres.tolist() == [[0.5, 0.0], [11.0, 0.0], [30.0, 0.0]]


def test_a_point_belongs_to_the_segment_of_its_nearest_micro_cluster() -> None:
    found = MODEL.score(np.array([[5.0, 0.0], [7.0, 0.0]]))

    # By the centres of the segments the first would be torn, and the second nearer to the second.
    assert found.cluster_index.tolist() == [0, 1]
    assert MODEL.assign(np.array([[5.0, 0.0], [7.0, 0.0]])).tolist() == [0, 1]
    assert found.runner_up_index.tolist() == [1, 0]
    assert found.centre_distance.tolist() == [4.5, 4.0]
    assert found.confidence.tolist() == pytest.approx([(5 - 3) / 5, (5 - 3) / 5])
    assert not found.is_out_of_range.any()


def test_a_tie_goes_to_the_first_micro_cluster_without_confidence() -> None:
    found = MODEL.score(np.array([[6.0, 0.0]]))

    assert (found.cluster_index[0], found.runner_up_index[0], found.confidence[0]) == (0, 1, 0.0)


def test_a_model_written_with_one_reach_has_it_for_each_segment() -> None:
    model = replace(MODEL, reach=np.full(3, 1.5))

    again = MicroClusterModel.from_dict(model.to_dict() | {"reach": 1.5})

    assert again.reach is not None
    np.testing.assert_array_equal(again.reach, [1.5, 1.5, 1.5])


def test_what_is_beyond_reach_keeps_its_nearest_segment_and_is_out_of_range() -> None:
    reach = np.array([1.0, 2.0, 2.0])
    model = MicroClusterModel(MICRO, SEGMENTS, MODEL.centres, reach=reach)

    found = model.score(np.array([[3.0, 0.0], [3.5, 0.0], [8.5, 0.0], [99.0, 0.0]]))

    assert found.cluster_index.tolist() == [0, 0, 1, 2]
    assert found.is_out_of_range.tolist() == [False, True, False, True]


def test_agreement_is_the_confidence_where_there_is_such() -> None:
    agreement = np.array([[0.9, 0.2, 0.1], [0.4, 0.6, 0.0], [0, 1, 0], [0, 1, 0], [0.2, 0.3, 0.7]])
    model = MicroClusterModel(MICRO, SEGMENTS, MODEL.centres, agreement=agreement)

    found = model.score(MICRO.centres)

    assert found.cluster_index.tolist() == SEGMENTS.tolist()
    assert found.runner_up_index.tolist() == [1, 1, 0, 0, 1]
    # Whom most clusterings would rather have elsewhere has no lead, and none below zero.
    assert found.confidence.tolist() == pytest.approx([0.7, 0.0, 1.0, 1.0, 0.4])


def test_nine_customers_in_ten_are_in_micro_clusters_of_the_usual_radius() -> None:
    radii = np.array([5.0, 0.1, 0.2, 0.3])
    counts = np.array([10.0, 40.0, 45.0, 5.0])
    fewer_far = np.array([10.0, 40.0, 105.0, 5.0])

    assert MicroClusters(np.zeros((4, 1)), counts, radii).usual_radius == 0.3
    assert MicroClusters(np.zeros((4, 1)), fewer_far, radii).usual_radius == 0.2
