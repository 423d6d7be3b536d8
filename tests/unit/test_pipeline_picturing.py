from dataclasses import replace

import numpy as np

from segspark.clustering.engine import Candidate, FittedCandidate
from segspark.clustering.evidence import evidence
from segspark.clustering.linkage import linkage_tree, segments_of
from segspark.clustering.results import results
from segspark.clustering.selection import select
from segspark.clustering.structureless import StructurelessSilhouette
from segspark.clustering.sweep import Sweep
from segspark.model.clusters import Centres
from segspark.model.embedding import EmbeddedModel
from segspark.model.micro_clusters import MicroClusterModel, MicroClusters
from segspark.pipeline.picturing import pictures_of
from segspark.settings.training import Algorithm, EmbeddingMethod, SelectionSettings
from tests.embeddings import any_encoder


def sweep() -> Sweep:
    """Three candidates, the second of which is elbow and choice, and one without a model."""
    points = np.repeat([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]], 10, axis=0)
    points = points + np.random.default_rng(1).normal(0, 0.1, points.shape)
    places = {2: [0, 10], 3: [0, 10, 20], 4: [0, 10, 20, 21]}
    models = {Candidate(Algorithm.KMEANS, k): Centres(points[at]) for k, at in places.items()}
    refused = FittedCandidate(Candidate(Algorithm.GAUSSIAN_MIXTURE, 3), refusal="no")
    rows = results(
        [*(FittedCandidate(each, clusters=model) for each, model in models.items()), refused],
        evidence={each: evidence(points, model.assign(points)) for each, model in models.items()},
        sampled={},
        structureless=dict.fromkeys(models, StructurelessSilhouette(0.2, 0.0)),
    )
    chosen = select(rows, SelectionSettings())
    return Sweep(chosen, models[chosen.chosen.candidate], 1.0, points, embeddings={})


def test_elbow_choice_and_customers_are_drawn() -> None:
    found = pictures_of(sweep())

    assert list(found) == ["elbow.svg", "silhouette.svg", "segments.svg"]
    for name in ("elbow.svg", "silhouette.svg"):
        assert found[name].count("<polyline") == 1
        assert found[name].count('r="8"') == 1
    assert "A sample of customers by kmeans-3" in found["segments.svg"]
    assert found["segments.svg"].count('r="2"') == 30


def test_each_linkage_that_was_tried_has_its_tree_and_the_chosen_one_its_cut() -> None:
    found = sweep()
    micro = MicroClusters(np.array([[0.0, 0], [4, 0], [0, 4.0]]), np.full(3, 10.0), np.zeros(3))
    chosen = found.selection.chosen
    trees = [
        replace(chosen, fitted=FittedCandidate(Candidate(algorithm, count), clusters=model))
        for algorithm in (Algorithm.WARD, Algorithm.AVERAGE_LINKAGE)
        for count, model in fitted_linkage(micro, algorithm, [2, 3]).items()
    ]
    selection = replace(found.selection, chosen=trees[0], rows=(*found.selection.rows, *trees))

    drawn = pictures_of(replace(found, selection=selection))

    names = [name for name in drawn if name.startswith("dendrogram")]
    assert names == ["dendrogram-ward.svg", "dendrogram-average_linkage.svg"]
    assert [drawn[name].count("<polyline") for name in names] == [2, 2]
    assert "2 segments" in drawn[names[0]]
    assert "segments</text>" not in drawn[names[1]]


def test_an_embedding_has_lines_and_a_tree_of_its_own() -> None:
    found = sweep()
    micro = MicroClusters(np.array([[0.0, 0], [4, 0], [0, 4.0]]), np.full(3, 10.0), np.zeros(3))
    (tree,) = fitted_linkage(micro, Algorithm.WARD, [3]).values()
    chosen = found.selection.chosen
    rows = [
        replace(chosen, fitted=FittedCandidate(candidate, clusters=model))
        for candidate, model in (
            (Candidate(Algorithm.KMEANS, 3, embedding=EmbeddingMethod.PCA), chosen.fitted.clusters),
            (
                Candidate(Algorithm.WARD, 3, embedding=EmbeddingMethod.AUTOENCODER),
                EmbeddedModel(any_encoder(), tree, tree.centres),
            ),
        )
    ]
    selection = replace(found.selection, rows=(*found.selection.rows, *rows))

    drawn = pictures_of(replace(found, selection=selection))

    for name in ("elbow.svg", "silhouette.svg"):
        assert drawn[name].count("<polyline") == 3
        for family in ("kmeans", "pca-kmeans", "autoencoder-ward"):
            assert f">{family}</text>" in drawn[name]
    assert drawn["silhouette.svg"].count('r="8"') == 1
    assert "by autoencoder-ward" in drawn["dendrogram-autoencoder-ward.svg"]


def fitted_linkage(
    micro: MicroClusters, algorithm: Algorithm, counts: list[int]
) -> dict[int, MicroClusterModel]:
    merges = linkage_tree(micro, algorithm)
    cuts = {count: segments_of(merges, count) for count in counts}
    return {
        count: MicroClusterModel(micro, segments, micro.means_of(segments), merges)
        for count, segments in cuts.items()
    }
