"""The mean confidence of a candidate, worked out again without the models' own scores."""

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from sklearn.datasets import make_blobs

from segspark.clustering.batched import fit_in_memory
from segspark.clustering.engine import Candidate
from segspark.clustering.evaluation import evaluate
from segspark.model.clusters import Centres, ClusterModel
from segspark.model.mixture import Mixture
from segspark.model.scores import Floats
from segspark.model.tree import BisectingTree
from segspark.settings.training import Algorithm, SweepSettings
from tests.point_blocks import memory_blocks

pytestmark = pytest.mark.usefixtures("one_thread")


def overlapping() -> Floats:
    return np.asarray(make_blobs(900, 3, centers=5, cluster_std=3.0, random_state=6)[0])


def fitted(algorithm: Algorithm) -> ClusterModel:
    candidate = Candidate(algorithm, 4)
    return fit_in_memory(overlapping(), [candidate], SweepSettings(seed=1))[candidate]


def mean_confidence(model: ClusterModel) -> float | None:
    (found,) = evaluate(memory_blocks(overlapping()), [model])
    return found.mean_confidence


def leaf_of(tree: BisectingTree, point: Floats) -> int:
    """Descend from the root to the nearer child, node by node."""
    node = tree.nodes[0]
    while node.cluster_index is None:
        assert node.children is not None
        first, second = (tree.nodes[child] for child in node.children)
        to_first, to_second = (np.linalg.norm(point - each.centre) for each in (first, second))
        node = second if to_second < to_first else first
    return node.cluster_index


def test_that_of_centres_is_the_mean_lead_of_the_nearest_over_the_next() -> None:
    model = fitted(Algorithm.KMEANS)
    assert isinstance(model, Centres)
    apart = np.linalg.norm(overlapping()[:, None] - model.centres[None], axis=2)
    nearest, following = np.sort(apart, axis=1)[:, :2].T

    found = mean_confidence(model)

    assert found == pytest.approx(((following - nearest) / following).mean(), rel=1e-9)


def test_that_of_a_tree_is_the_mean_lead_of_the_own_leaf_over_the_nearest_other_one() -> None:
    model = fitted(Algorithm.BISECTING_KMEANS)
    assert isinstance(model, BisectingTree)
    leads = []
    for point in overlapping():
        apart, own = np.linalg.norm(point - model.centres, axis=1), leaf_of(model, point)
        other = np.delete(apart, own).min()
        leads.append(max((other - apart[own]) / other, 0.0))

    found = mean_confidence(model)

    # Some are nearer to another leaf than to the one they descend to.
    assert 0.0 in leads
    assert found == pytest.approx(np.mean(leads), rel=1e-9)


def test_that_of_a_mixture_is_the_mean_lead_of_the_likeliest_component_over_the_next() -> None:
    model = fitted(Algorithm.GAUSSIAN_MIXTURE)
    assert isinstance(model, Mixture)
    components = zip(model.weights, model.centres, model.covariances, strict=True)
    logarithms = np.stack(
        [
            np.log(weight) + multivariate_normal(centre, covariance).logpdf(overlapping())
            for weight, centre, covariance in components
        ],
        axis=1,
    )
    posteriors = np.exp(logarithms - logsumexp(logarithms, axis=1, keepdims=True))
    following, likeliest = np.sort(posteriors, axis=1)[:, -2:].T

    found = mean_confidence(model)

    assert found == pytest.approx((likeliest - following).mean(), rel=1e-9)
