"""A search on samples whose best answer is known, against naive loops over everything."""

import re
from itertools import count

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score

from segspark.clustering.batched import fit_in_memory
from segspark.clustering.engine import Candidate, candidates_of
from segspark.clustering.results import gain_of
from segspark.clustering.search_study import Proposal
from segspark.clustering.search_trials import Search
from segspark.errors import ClusteringError
from segspark.model.scores import Floats, Indices
from segspark.settings.search import SearchSettings
from segspark.settings.training import (
    Algorithm,
    EmbeddingMethod,
    PcaSettings,
    SweepSettings,
)
from tests.searching import SWEEP, blobs, gain_by_hand, grid, noise, searched

pytestmark = pytest.mark.usefixtures("one_thread")


def oblong() -> tuple[Floats, Indices]:
    """Three long thin groups of Gaussians, each along a direction of its own, in random order."""
    generator = np.random.default_rng(2)
    labels = generator.permutation(np.repeat([0, 1, 2], (400, 300, 150))).astype(np.int32)
    along = np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0], [1.0, 0.0, -1.0]])[labels] / np.sqrt(2)
    centres = 9.0 * np.array([[0.0, 0.0, 0.0], [1.0, -1.0, 0.0], [-1.0, 0.0, -1.0]])
    lengths = generator.normal(scale=6.0, size=(len(labels), 1))
    return centres[labels] + lengths * along + generator.normal(scale=0.3, size=along.shape), labels


def test_planted_recipe_covariance_and_number_are_found() -> None:
    points, labels = oblong()
    sweep = SWEEP.model_copy(update={"most_segments": 4})
    asked = SearchSettings(trials=18)

    samples = {"behaviour": noise(850), "rfm_log": points}

    found = searched(samples, asked, sweep)

    assert len(grid(samples, sweep)) == 24
    assert found.recipe == "rfm_log"
    assert found.candidates[0] == Candidate(Algorithm.GAUSSIAN_MIXTURE, 3)
    model = fit_in_memory(points, found.candidates[:1], sweep)[found.candidates[0]]
    assert adjusted_rand_score(labels, model.assign(points)) == 1.0
    assert {each.proposal.recipe for each in found.kept} == {"rfm_log"}
    gains = [gain_of(each.row) for each in found.kept]
    assert gains == sorted(gains, reverse=True)


def test_a_search_of_the_whole_grid_finds_what_a_naive_loop_over_it_finds() -> None:
    samples = {"rfm_log": noise(400), "behaviour": blobs(400)}
    both = (EmbeddingMethod.NONE, EmbeddingMethod.PCA)
    sweep = SWEEP.model_copy(update={"most_segments": 4, "embeddings": both})

    found = searched(samples, SearchSettings(trials=1000), sweep)

    assert {each.proposal for each in found.trials} == set(grid(samples, sweep))
    assert len(found.trials) == 2 * len(candidates_of(sweep)) == 48
    gains = {
        Proposal(recipe, candidate): gain_by_hand(points, candidate, sweep, whole=points)
        for recipe, points in samples.items()
        for candidate in candidates_of(sweep)
    }
    best = max(gains.values())
    assert gains[found.kept[0].proposal] == pytest.approx(best)
    for each in found.trials:
        assert each.others is None
        assert gain_of(each.row) == pytest.approx(gains[each.proposal])


def by_name(found: Search) -> list[tuple[str, int, float]]:
    return [(each.proposal.name, each.customers, gain_of(each.row)) for each in found.trials]


def test_the_same_seed_makes_the_same_trials_and_another_one_others() -> None:
    asked = SearchSettings(trials=15)

    first, again, other = (
        by_name(
            searched(
                {"rfm_log": blobs(), "behaviour": noise()},
                asked,
                SWEEP.model_copy(update={"seed": seed}),
            )
        )
        for seed in (3, 3, 4)
    )

    assert first == again
    assert [name for name, *_ in first] != [name for name, *_ in other]


def test_no_more_trials_are_made_than_asked_and_no_more_go_on_than_asked() -> None:
    told: list[str] = []

    found = searched(
        {"rfm_log": blobs()}, SearchSettings(trials=12, kept_candidates=2), progress=told.append
    )

    assert len(found.trials) == len({each.proposal for each in found.trials}) == 12
    assert len(found.kept) == 2
    assert told[0] == f"trial 1 of 12, {found.trials[0].proposal.name}"
    assert len(told) == 12


@pytest.mark.parametrize(("most_seconds", "trials"), [(10.0, 4), (0.5, 1)])
def test_no_trial_begins_after_the_time_allowed_and_one_is_always_made(
    most_seconds: float, trials: int
) -> None:
    ticks = count(0.0, 3.0)

    found = searched(
        {"rfm_log": blobs(200)},
        SearchSettings(trials=20, most_seconds=most_seconds),
        clock=lambda: next(ticks),
    )

    assert len(found.trials) == trials


def test_trials_that_all_cannot_be_chosen_end_in_a_sentence() -> None:
    two_places = np.repeat([[0.0, 0.0, 0.0], [5.0, 5.0, 5.0]], 50, axis=0)
    kmeans = SweepSettings(algorithms=(Algorithm.KMEANS,))

    with pytest.raises(ClusteringError) as caught:
        searched({"rfm_log": two_places}, SearchSettings(trials=2), kmeans)

    assert re.match(
        r"none of 2 trials of the search can be chosen \(rfm_log-kmeans-\d: not fitted: \d "
        r"segments were asked of 2 distinct points; .*\): ask for fewer segments",
        str(caught.value),
    )


def test_eps_is_taken_from_the_distances_of_each_recipe_unless_it_is_named() -> None:
    dbscan = SweepSettings(algorithms=(Algorithm.DBSCAN,))
    samples = {"rfm_log": blobs(300), "behaviour": 10 * blobs(300)}

    def eps_of(settings: SweepSettings, recipe: str) -> list[float | None]:
        found = grid(samples, settings)
        return [each.candidate.eps for each in found if each.recipe == recipe]

    own, tenfold = eps_of(dbscan, "rfm_log"), eps_of(dbscan, "behaviour")

    assert len(own) == len(tenfold) == 8
    assert np.array(tenfold, dtype=float) == pytest.approx(
        10 * np.array(own, dtype=float), rel=0.02
    )
    named = dbscan.model_copy(update={"dbscan_eps": (0.5, 0.25)})
    assert eps_of(named, "rfm_log") == eps_of(named, "behaviour") == [0.5, 0.25]


def test_eps_of_an_embedding_is_taken_from_the_distances_of_its_components() -> None:
    both = (EmbeddingMethod.NONE, EmbeddingMethod.PCA)
    sweep = SweepSettings(
        algorithms=(Algorithm.DBSCAN,), embeddings=both, pca=PcaSettings(component_count=1)
    )
    flat = np.column_stack([blobs(300)[:, 0], np.zeros(300)])
    points = flat + np.array([[0.0, 50.0], [0.0, -50.0]])[np.arange(300) % 2]

    found = {
        method: [
            each.candidate.eps
            for each in grid({"rfm_log": points}, sweep)
            if each.candidate.embedding is method
        ]
        for method in both
    }

    # One component is the way between the two lines alone, along which nobody is far from others.
    (shortest, *_), (plain, *_) = found[EmbeddingMethod.PCA], found[EmbeddingMethod.NONE]
    assert shortest is not None
    assert plain is not None
    assert shortest < 0.5 * plain


def test_a_clustering_that_finds_its_number_is_tried_by_its_distance() -> None:
    dbscan = SweepSettings(algorithms=(Algorithm.DBSCAN,), dbscan_eps=(1.5, 40.0))
    points, _ = make_blobs(600, 3, centers=4, cluster_std=0.5, random_state=6)

    found = searched({"rfm_log": points}, SearchSettings(), dbscan)

    assert found.candidates == [Candidate(Algorithm.DBSCAN, eps=1.5)]
    assert found.kept[0].row.candidate.segment_count == 4
    (left,) = (each for each in found.trials if each not in found.kept)
    assert "segments found: 1, and 3 to 8 are asked" in found.reason(left)
