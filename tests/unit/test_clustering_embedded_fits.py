"""Candidates on embeddings, beside those on the plain vector."""

from collections.abc import Sequence

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score
from sklearn.pipeline import make_pipeline

from segspark.clustering.batched import BatchedEngine, fit_in_memory
from segspark.clustering.embedded_fits import (
    Embeddings,
    embeddings_of,
    fit_embeddings,
    fit_on_embeddings,
    too_many_components,
)
from segspark.clustering.engine import Candidate, FittedCandidate, candidates_of
from segspark.clustering.points import MemoryPoints
from segspark.clustering.stability import stabilities
from segspark.errors import ClusteringError
from segspark.model.clusters import Centres, ClusterModel
from segspark.model.embedding import EmbeddedModel
from segspark.model.scores import Floats
from segspark.settings.training import (
    Algorithm,
    EmbeddingMethod,
    PcaSettings,
    SweepSettings,
)
from tests.embeddings import hidden_groups, principal
from tests.point_blocks import memory_blocks

pytestmark = pytest.mark.usefixtures("one_thread")

PCA_1 = SweepSettings.model_validate(
    {"embeddings": ["none", "pca"], "pca": {"component_count": 1}, "algorithms": ["kmeans"]}
)
ALL_THREE = SweepSettings.model_validate(
    {"embeddings": ["none", "pca", "autoencoder"], "autoencoder": {"most_epochs": 20}}
)
KMEANS_3 = Candidate(Algorithm.KMEANS, 3)
PCA_KMEANS_3 = Candidate(Algorithm.KMEANS, 3, embedding=EmbeddingMethod.PCA)


def on_embeddings(
    points: Floats,
    candidates: Sequence[Candidate],
    embeddings: Embeddings,
    *,
    parts: int = 3,
    settings: SweepSettings = PCA_1,
) -> dict[Candidate, FittedCandidate]:
    fitted = fit_on_embeddings(
        memory_blocks(points, parts=parts),
        candidates,
        embeddings,
        lambda held, own: BatchedEngine().fit(held, own, settings, progress=lambda _: None),
    )
    return dict(zip(candidates, fitted, strict=True))


def model_of(fitted: FittedCandidate) -> ClusterModel:
    assert fitted.clusters is not None, fitted.refusal
    return fitted.clusters


def test_every_embedding_is_tried_with_every_algorithm_and_number_of_segments() -> None:
    settings = ALL_THREE.model_copy(
        update={"algorithms": (Algorithm.KMEANS, Algorithm.DBSCAN), "most_segments": 4}
    )

    names = [each.candidate_id for each in candidates_of(settings)]

    plain = ["kmeans-3", "kmeans-4", "dbscan"]
    expected = plain + [f"{lead}-{name}" for lead in ("pca", "autoencoder") for name in plain]
    assert names == expected
    assert [each.candidate_id for each in candidates_of(SweepSettings(most_segments=3))] == [
        "kmeans-3",
        "bisecting_kmeans-3",
        "gaussian_mixture-3",
    ]


def test_kmeans_on_components_is_that_of_scikit_learns_pipeline_started_alike() -> None:
    points, _ = hidden_groups()
    (fitted,) = on_embeddings(
        points, [PCA_KMEANS_3], {EmbeddingMethod.PCA: principal(points, 2)}
    ).values()
    model = model_of(fitted)
    assert isinstance(model, EmbeddedModel)

    started = KMeans(3, init=model.base.centres, n_init=1)
    theirs = make_pipeline(PCA(2), started).fit(points)

    assert adjusted_rand_score(model.assign(points), theirs.predict(points)) == 1.0
    # It was there already: their first step moves nothing.
    np.testing.assert_allclose(model.base.centres, started.cluster_centers_, atol=1e-2)


def test_components_recover_groups_that_the_plain_vector_misses() -> None:
    points, groups = hidden_groups()
    embeddings = fit_embeddings(MemoryPoints(points), PCA_1, PCA_1.embeddings)

    models = fit_in_memory(points, [KMEANS_3, PCA_KMEANS_3], PCA_1, embeddings=embeddings)

    plain, components = (
        adjusted_rand_score(groups, models[each].assign(points))
        for each in (KMEANS_3, PCA_KMEANS_3)
    )
    assert components > 0.8
    assert plain < 0.6


def test_centres_are_the_means_of_all_customers_by_the_plain_vector() -> None:
    points, _ = hidden_groups()
    candidates = [
        PCA_KMEANS_3,
        *(
            Candidate(a, 4, embedding=EmbeddingMethod.PCA)
            for a in (Algorithm.BISECTING_KMEANS, Algorithm.WARD)
        ),
    ]

    fitted = on_embeddings(
        points, candidates, {EmbeddingMethod.PCA: principal(points, 1)}, settings=ALL_THREE
    )

    for each in fitted.values():
        model = model_of(each)
        labels = model.assign(points)
        means = [points[labels == cluster].mean(axis=0) for cluster in range(model.k)]
        np.testing.assert_allclose(model.centres, means, rtol=0, atol=1e-12)


def test_a_cluster_of_nobody_has_its_centre_at_the_origin() -> None:
    points, _ = hidden_groups()
    embedding = principal(points, 1)
    far = Centres(np.array([[0.0], [1e9]]))

    (fitted,) = fit_on_embeddings(
        memory_blocks(points),
        [PCA_KMEANS_3],
        {EmbeddingMethod.PCA: embedding},
        lambda _, own: [FittedCandidate(each, clusters=far) for each in own],
    )

    np.testing.assert_allclose(model_of(fitted).centres, np.zeros((2, 24)), rtol=0, atol=1e-12)


def test_blocks_of_any_size_lead_to_the_same_embeddings_and_models() -> None:
    points, _ = hidden_groups()
    candidates = candidates_of(ALL_THREE.model_copy(update={"most_segments": 3}))
    found = []
    for parts in (1, 7):
        embeddings = fit_embeddings(
            memory_blocks(points, parts=parts), ALL_THREE, ALL_THREE.embeddings
        )
        found.append(on_embeddings(points, candidates, embeddings, parts=parts, settings=ALL_THREE))

    one, many = found
    assert len(one) == 9
    for candidate in candidates:
        first, second = model_of(one[candidate]), model_of(many[candidate])
        np.testing.assert_array_equal(first.assign(points), second.assign(points))
        np.testing.assert_allclose(first.centres, second.centres, rtol=0, atol=1e-9)


def test_the_same_seed_gives_the_same_models() -> None:
    points, _ = hidden_groups()
    candidates = candidates_of(ALL_THREE.model_copy(update={"most_segments": 3}))
    first, again, other = (
        [
            model.to_dict()
            for model in fit_in_memory(
                points,
                candidates,
                settings,
                embeddings=fit_embeddings(MemoryPoints(points), settings, settings.embeddings),
            ).values()
        ]
        for settings in (ALL_THREE, ALL_THREE, ALL_THREE.model_copy(update={"seed": 5}))
    )

    assert first == again
    assert first != other


def test_a_refused_candidate_stays_refused_and_stops_no_other() -> None:
    points = np.repeat(np.arange(4.0), 20)[:, None] * [1.0, 2.0]
    many = Candidate(Algorithm.KMEANS, 5, embedding=EmbeddingMethod.PCA)

    found = on_embeddings(points, [many, PCA_KMEANS_3], {EmbeddingMethod.PCA: principal(points, 1)})

    assert found[many].clusters is None
    assert found[many].refusal == "5 segments were asked of 4 distinct points"
    assert model_of(found[PCA_KMEANS_3]).k == 3


def test_a_consensus_agrees_with_candidates_of_its_own_embedding_only() -> None:
    points, _ = hidden_groups()
    asked: list[list[str]] = []

    def fit(_: object, own: Sequence[Candidate]) -> list[FittedCandidate]:
        asked.append([each.candidate_id for each in own])
        return [FittedCandidate(each, refusal="not now") for each in own]

    consensus = [
        Candidate(Algorithm.CONSENSUS, 3, embedding=each)
        for each in (EmbeddingMethod.NONE, EmbeddingMethod.PCA)
    ]
    candidates = [KMEANS_3, PCA_KMEANS_3, *consensus]
    embeddings = {EmbeddingMethod.PCA: principal(points, 1)}

    found = fit_on_embeddings(memory_blocks(points), candidates, embeddings, fit)

    assert asked == [["kmeans-3", "consensus-3"], ["pca-kmeans-3", "pca-consensus-3"]]
    assert [each.candidate for each in found] == candidates


def test_segments_are_looked_for_again_by_the_embedding_that_was_fitted_once() -> None:
    points, _ = hidden_groups()
    embeddings = {EmbeddingMethod.PCA: principal(points, 1)}
    models = fit_in_memory(points, [PCA_KMEANS_3], PCA_1, embeddings=embeddings)
    base = models[PCA_KMEANS_3]
    assert isinstance(base, EmbeddedModel)

    found = stabilities(points, models, settings=PCA_1, resamples=3)[PCA_KMEANS_3]

    assert embeddings_of(models) == embeddings
    components = embeddings[EmbeddingMethod.PCA].embed(points)
    alone = stabilities(components, {KMEANS_3: base.base}, settings=PCA_1, resamples=3)[KMEANS_3]
    assert found == alone


@pytest.mark.parametrize("method", ["pca", "autoencoder"])
def test_more_components_than_columns_are_refused(method: str) -> None:
    settings = SweepSettings.model_validate(
        {"embeddings": ["none", method], method: {"component_count": 3}}
    )

    assert too_many_components(settings, settings.embeddings, columns=3) is None
    with pytest.raises(ClusteringError, match=f"sweep.{method}.component_count is 3 and the vect"):
        fit_embeddings(MemoryPoints(np.ones((9, 2))), settings, settings.embeddings)


def test_components_that_nobody_asks_for_are_neither_checked_nor_fitted() -> None:
    settings = SweepSettings(pca=PcaSettings(component_count=9))

    assert too_many_components(settings, settings.embeddings, columns=3) is None
    assert fit_embeddings(MemoryPoints(np.ones((9, 2))), settings, settings.embeddings) == {}
