import numpy as np
import pytest
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import squareform
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score

from segspark.clustering.consensus import co_association, consensus_models
from segspark.clustering.starts import starting_centres
from segspark.model.clusters import Centres, ClusterModel
from tests.micro import counted, each_its_own, finely

LINE = np.arange(6.0)[:, None]


def cut_at(*places: float) -> ClusterModel:
    """Centres whose borders lie at the given places, each 0.2 beyond the one before at least."""
    centres = [places[0] - 0.1]
    for place in places:
        centres.append(2 * place - centres[-1])
    return Centres(np.array(centres)[:, None])


def test_co_association_is_the_share_of_clusterings_that_put_two_together() -> None:
    found = co_association(each_its_own(LINE), [cut_at(2.5), cut_at(2.5), cut_at(3.5), cut_at(0.5)])

    assert found[0].tolist() == [1.0, 0.75, 0.75, 0.25, 0.0, 0.0]
    assert found[4].tolist() == [0.0, 0.25, 0.25, 0.75, 1.0, 1.0]
    np.testing.assert_array_equal(found, found.T)


def test_what_most_clusterings_put_together_becomes_a_segment_and_agreement_its_lead() -> None:
    together = co_association(
        each_its_own(LINE), [cut_at(2.5), cut_at(2.5), cut_at(3.5), cut_at(0.5)]
    )

    (found,) = consensus_models(each_its_own(LINE), together, [2])

    assert found.segments.tolist() == [0, 0, 0, 1, 1, 1]
    assert found.agreement is not None
    own, other = np.mean([1.0, 0.75, 0.75]), np.mean([0.25, 0.0, 0.0])
    assert found.agreement[0].tolist() == pytest.approx([own, other])
    assert found.score(LINE[:1]).confidence[0] == pytest.approx(own - other)


def test_the_tree_is_average_linkage_of_what_is_not_together_each_customer_counted() -> None:
    counts = np.array([1, 4, 2, 3, 1, 2])
    shares = np.random.default_rng(3).uniform(size=(6, 6))
    together = (shares + shares.T) / 2
    np.fill_diagonal(together, 1.0)
    repeated = np.repeat(np.repeat(1.0 - together, counts, axis=0), counts, axis=1)

    (found,) = consensus_models(counted(LINE, counts), together, [3])

    assert found.merges is not None
    expected = linkage(squareform(repeated, checks=False), "average")[-5:, 2]
    np.testing.assert_allclose(found.merges[:, 2], expected, rtol=1e-9)
    assert found.agreement is not None
    repeated_segments = np.repeat(found.segments, counts)
    of_first = 1.0 - repeated[0]
    means = [of_first[repeated_segments == place].mean() for place in range(3)]
    assert found.agreement[0].tolist() == pytest.approx(means)


def test_starts_that_are_each_wrong_agree_on_the_planted_clouds() -> None:
    points, planted = make_blobs(
        3000, 2, centers=5, cluster_std=0.6, center_box=(-6, 6), random_state=10
    )
    micro = finely(points, 150)
    starts = starting_centres(points, [3, 4, 5, 6, 7], restarts=3, seed=2, most_steps=3)
    clusterings = [Centres(each.centres) for group in starts for each in group]
    alone = [adjusted_rand_score(each.assign(points), planted) for each in clusterings]

    (found,) = consensus_models(micro, co_association(micro, clusterings), [5])

    assert np.mean(alone) < 0.9
    assert adjusted_rand_score(found.assign(points), planted) > 0.99
