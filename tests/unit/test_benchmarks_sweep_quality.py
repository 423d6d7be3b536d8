import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.metrics import silhouette_score

from scripts.benchmarks.sweep_quality import (
    Answers,
    Judgement,
    compared,
    evaluator_difference,
    judged,
    judgement,
    worst,
)
from segspark.model.clusters import Centres
from segspark.model.mixture import Mixture
from segspark.model.scores import CHUNK_ROWS

_POINTS = np.array([[0.0, 0.0], [0.0, 2.0], [10.0, 0.0], [10.0, 1.0], [10.0, 5.0]])
_CENTRES = Centres(np.array([[0.0, 0.0], [10.0, 0.0]]))


def test_a_clustering_is_judged_about_its_actual_means() -> None:
    found = judgement(_POINTS, _CENTRES)
    assert found.within_cluster_sum == pytest.approx(2 + 14)
    expected = silhouette_score(_POINTS, [0, 0, 1, 1, 1], metric="sqeuclidean")
    assert found.silhouette == pytest.approx(expected)
    assert found.log_likelihood is None


def test_the_likelihood_of_a_mixture_is_that_of_one_customer() -> None:
    widths = np.array([np.diag([1.0, 4.0]), np.diag([2.0, 2.0])])
    mixture = Mixture(weights=np.array([0.25, 0.75]), centres=_CENTRES.centres, covariances=widths)
    points = np.tile(_POINTS, (CHUNK_ROWS // len(_POINTS) + 2, 1))
    densities = sum(
        weight * multivariate_normal(centre, width).pdf(_POINTS)
        for weight, centre, width in zip([0.25, 0.75], _CENTRES.centres, widths, strict=True)
    )
    assert judgement(points, mixture).log_likelihood == pytest.approx(np.log(densities).mean())


def test_models_are_judged_and_figures_of_a_sides_own_are_taken() -> None:
    answers: Answers = {
        "kmeans-2": {"clusters": _CENTRES.to_dict(), "silhouette": 0.9},
        "bisecting_kmeans-2": {"within_cluster_sum": 20.0},
    }
    assert judged(_POINTS, answers) == {
        "kmeans-2": judgement(_POINTS, _CENTRES),
        "bisecting_kmeans-2": Judgement(within_cluster_sum=20.0),
    }


def test_centres_are_compared_by_their_sums_and_mixtures_by_their_likelihoods() -> None:
    mine = {
        "kmeans-2": Judgement(90.0, 0.5),
        "gaussian_mixture-2": Judgement(95.0, 0.25, log_likelihood=-3.0),
    }
    theirs = {
        "kmeans-2": Judgement(100.0, 0.625),
        "gaussian_mixture-2": Judgement(80.0, 0.125, log_likelihood=-3.5),
    }
    assert compared(mine, {"spark": theirs}) == {
        "kmeans-2": {
            "silhouette": 0.5,
            "within_cluster_sum_ratio_spark": 0.9,
            "silhouette_difference_spark": -0.125,
        },
        "gaussian_mixture-2": {
            "silhouette": 0.25,
            "log_likelihood_difference_spark": 0.5,
            "silhouette_difference_spark": 0.125,
        },
    }


def test_what_a_peer_does_not_tell_is_left_out() -> None:
    mine = {"kmeans-2": Judgement(90.0, 0.5), "kmeans-3": Judgement(50.0, 0.25)}
    peers = {
        "spark": {"kmeans-2": Judgement(90.0)},
        "sklearn": {"kmeans-3": Judgement(100.0)},
    }
    assert compared(mine, peers) == {
        "kmeans-2": {"silhouette": 0.5, "within_cluster_sum_ratio_spark": 1.0},
        "kmeans-3": {"silhouette": 0.25, "within_cluster_sum_ratio_sklearn": 0.5},
    }


def test_the_worst_is_the_highest_ratio_and_the_lowest_difference() -> None:
    quality = {
        "kmeans-2": {
            "silhouette": 0.1,
            "within_cluster_sum_ratio_spark": 1.02,
            "silhouette_difference_spark": 0.1,
        },
        "kmeans-3": {
            "silhouette": 0.2,
            "within_cluster_sum_ratio_spark": 0.9,
            "silhouette_difference_spark": -0.2,
        },
    }
    assert worst(quality) == {
        "silhouette_difference_spark": -0.2,
        "within_cluster_sum_ratio_spark": 1.02,
    }


def test_the_judge_is_held_against_the_silhouettes_that_a_side_gives() -> None:
    answers: Answers = {
        "kmeans-2": {"silhouette": 0.5},
        "kmeans-3": {"silhouette": 0.75},
        "kmeans-4": {"silhouette": None},
    }
    own = {
        "kmeans-2": Judgement(silhouette=0.5),
        "kmeans-3": Judgement(silhouette=1.0),
        "kmeans-4": Judgement(),
    }
    assert evaluator_difference(answers, own) == 0.25
