"""What a search hands to the sweep: places for both kinds of vector, embeddings, and its words."""

from collections.abc import Sequence
from itertools import count
from typing import Any, cast

import numpy as np
import pytest
from pyspark.sql import DataFrame
from sklearn.datasets import make_blobs

from segspark.clustering import sweep
from segspark.clustering.batched import fit_in_memory
from segspark.clustering.density import too_coarse
from segspark.clustering.engine import Candidate
from segspark.clustering.micro_clusters import micro_clusters
from segspark.clustering.points import MemoryPoints
from segspark.clustering.results import gain_of
from segspark.clustering.search_trials import Search
from segspark.clustering.sweep import SweepPlan, run_sweep
from segspark.errors import ClusteringError
from segspark.model.embedding import EmbeddedModel
from segspark.model.scores import Floats
from segspark.settings.search import SearchSettings
from segspark.settings.training import (
    Algorithm,
    AutoencoderSettings,
    EmbeddingMethod,
    PcaSettings,
    SweepSettings,
    TrainingSettings,
)
from tests.point_blocks import held_in_memory
from tests.searching import SELECTION, SWEEP, blobs, grid, noise, searched

pytestmark = pytest.mark.usefixtures("one_thread")

ALL_THREE = SWEEP.model_copy(
    update={
        "algorithms": (Algorithm.COMPLETE_LINKAGE,),
        "most_segments": 4,
        "embeddings": tuple(EmbeddingMethod),
        "pca": PcaSettings(component_count=2),
        "autoencoder": AutoencoderSettings(most_epochs=20),
    }
)


def hidden_by_noise() -> Floats:
    """Groups in two columns that six others blur: trees of the two components do better."""
    groups = 3 * blobs(400, seed=2)[:, :2]
    return np.column_stack([groups, 3 * np.random.default_rng(2).normal(size=(400, 6))])


def kept_of(most: int) -> Search:
    asked = SearchSettings(kept_candidates=most)
    return searched({"rfm_log": hidden_by_noise()}, asked, ALL_THREE)


def embeddings_of(candidates: Sequence[Candidate]) -> list[bool]:
    return [each.is_embedded for each in candidates]


def test_where_only_embeddings_would_be_kept_the_last_place_is_the_plain_vectors() -> None:
    found = kept_of(2)

    able = sorted((each for each in found.trials if each.is_able), key=lambda t: -gain_of(t.row))
    plain = [each for each in able if not each.proposal.candidate.is_embedded]
    assert embeddings_of([each.proposal.candidate for each in able[:2]]) == [True, True]
    assert found.kept == (able[0], plain[0])
    assert found.reason(able[1]).endswith("the last place went to the best on the plain vector")
    assert found.reason(able[-1]).endswith(f"last one kept has {gain_of(plain[0].row):.3f}")
    assert "the best 1 of rfm_log and its best on the plain vector went on" in found.told


def test_one_place_is_the_best_ones_and_a_kept_plain_vector_takes_no_other_place() -> None:
    alone, more = kept_of(1), kept_of(4)

    best = sorted((each for each in more.trials if each.is_able), key=lambda t: -gain_of(t.row))
    assert alone.kept[0].proposal == best[0].proposal
    assert embeddings_of(alone.candidates) == [True]
    assert more.kept == tuple(best[:4])
    assert not all(embeddings_of(more.candidates))
    assert "the best 4 of rfm_log went on" in more.told


def test_the_sweep_fits_candidates_on_the_embeddings_that_the_search_tried_them_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sweep, "point_blocks", held_in_memory)
    # The search sees the first 8,000 of them.
    everyone = np.vstack([np.tile(hidden_by_noise(), (20, 1)), noise(300) @ np.ones((3, 8))])
    candidates = [
        Candidate(Algorithm.KMEANS, 3, embedding=method)
        for method in (EmbeddingMethod.NONE, EmbeddingMethod.AUTOENCODER)
    ]
    kmeans = ALL_THREE.model_copy(update={"algorithms": (Algorithm.KMEANS,), "most_segments": 3})
    settings = TrainingSettings(sweep=kmeans, selection=SELECTION)
    found = searched({"rfm_log": everyone}, SearchSettings(), kmeans)

    def embeddings_after(plan: SweepPlan) -> tuple[dict[EmbeddingMethod, Any], list[str]]:
        told: list[str] = []
        points = cast("DataFrame", everyone)
        swept = run_sweep(points, plan, settings, progress=told.append)
        models = [row.fitted.clusters for row in swept.selection.rows]
        stood_on = [each.embedding for each in models if isinstance(each, EmbeddedModel)]
        assert all(each in swept.embeddings.values() for each in stood_on)
        return dict(swept.embeddings), told

    searched_ones, _ = embeddings_after(SweepPlan(found.candidates, found.embeddings))
    own, told = embeddings_after(SweepPlan(candidates))

    assert set(found.candidates) >= set(candidates)
    assert searched_ones == found.embeddings
    assert list(own) == [EmbeddingMethod.AUTOENCODER]
    assert own[EmbeddingMethod.AUTOENCODER] != found.embeddings[EmbeddingMethod.AUTOENCODER]
    assert "fitting autoencoder" in told


def test_only_embeddings_of_kept_trials_are_handed_on() -> None:
    found = kept_of(2)

    assert set(found.embeddings) == {EmbeddingMethod.PCA}
    assert {each.embedding for each in found.candidates} == {
        EmbeddingMethod.NONE,
        EmbeddingMethod.PCA,
    }


def test_distances_from_a_sample_are_wide_enough_for_all_customers() -> None:
    everyone, _ = make_blobs(40_000, 3, centers=4, cluster_std=0.5, random_state=6)
    samples = {"rfm_log": everyone[:8_000]}
    dbscan = SweepSettings(algorithms=(Algorithm.DBSCAN,))

    found = searched(samples, SearchSettings(), dbscan)

    micro = micro_clusters(MemoryPoints(everyone), dbscan)
    distances = [each.candidate.eps for each in grid(samples, dbscan)]
    assert {each.eps for each in found.candidates} <= set(distances)
    assert min(each.eps or 0.0 for each in found.candidates) == distances[0]
    assert [too_coarse(micro, eps=eps or 0.0) for eps in distances] == [None] * len(distances)
    assert set(fit_in_memory(everyone, found.candidates, dbscan)) == set(found.candidates)


def stopped(**asked: Any) -> Search:  # noqa: ANN401 - of the section
    """A search in which each trial takes three seconds."""
    ticks = count(0.0, 3.0)
    return searched({"rfm_log": blobs(200)}, SearchSettings(**asked), clock=lambda: next(ticks))


def test_a_search_that_the_time_ended_says_how_far_it_came() -> None:
    over = "as training.search.most_seconds were over"

    assert stopped(trials=12, most_seconds=10.0).told.endswith(
        f" These are 4 of the 12 asked (grid of 20), {over}."
    )
    assert stopped(most_seconds=10.0).told.endswith(
        f" These are 4 of the 60 asked (grid of 20), {over}."
    )
    assert over not in stopped(trials=3, most_seconds=10.0).told
    assert over not in stopped(trials=3).told


@pytest.mark.parametrize(
    ("asked", "remedy"),
    [
        ({"trials": 6}, "smallest_segment_ratio"),
        ({"trials": 5}, "or make more training.search.trials"),
        ({"trials": 5, "most_seconds": 1.0}, "or raise training.search.most_seconds"),
        ({"trials": 1, "most_seconds": 1.0}, "or make more training.search.trials"),
    ],
)
def test_where_nothing_can_be_chosen_the_bound_that_ended_the_search_is_named(
    asked: dict[str, Any], remedy: str
) -> None:
    two_places = np.repeat([[0.0, 0.0, 0.0], [5.0, 5.0, 5.0]], 50, axis=0)
    ticks = count(0.0, 3.0)

    with pytest.raises(ClusteringError) as caught:
        searched(
            {"rfm_log": two_places},
            SearchSettings(**asked),
            SweepSettings(algorithms=(Algorithm.KMEANS,)),
            clock=lambda: next(ticks),
        )

    assert str(caught.value).endswith(remedy)


def test_of_several_recipes_the_one_with_too_few_columns_is_named() -> None:
    sweep = SWEEP.model_copy(
        update={
            "embeddings": (EmbeddingMethod.NONE, EmbeddingMethod.PCA),
            "pca": PcaSettings(component_count=3),
        }
    )
    flat = {"rfm_log": blobs(100), "behaviour": blobs(100)[:, :2]}
    several = SearchSettings(recipes=("rfm_log", "behaviour"))

    with pytest.raises(ClusteringError, match=r"^of training.search.recipes behaviour: training"):
        searched(flat, several, sweep)
    with pytest.raises(ClusteringError, match=r"^training.sweep.pca.component_count is 3"):
        searched({"rfm_log": flat["behaviour"]}, SearchSettings(), sweep)
