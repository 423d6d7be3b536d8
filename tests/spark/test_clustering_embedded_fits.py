import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score

from segspark.clustering import blocks
from segspark.clustering.batched import BatchedEngine
from segspark.clustering.blocks import point_blocks
from segspark.clustering.embedded_fits import fit_embeddings, fit_on_embeddings
from segspark.clustering.engine import SweepEngine, candidates_of
from segspark.clustering.sparkml import SparkMLEngine
from segspark.model.clusters import ClusterModel
from segspark.model.embedding import Embedding
from segspark.settings.training import EmbeddingMethod, SweepSettings
from tests.clustering_data import points_frame
from tests.embeddings import hidden_groups

SETTINGS = SweepSettings.model_validate(
    {
        "embeddings": ["none", "pca", "autoencoder"],
        "pca": {"component_count": 1},
        "autoencoder": {"most_epochs": 5},
        "algorithms": ["kmeans", "gaussian_mixture", "ward"],
        "most_segments": 3,
    }
)
KMEANS_ALONE = SweepSettings.model_validate(
    {"embeddings": ["none", "pca"], "pca": {"component_count": 1}, "algorithms": ["kmeans"]}
    | {"most_segments": 3}
)


@pytest.fixture(autouse=True)
def _several_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "ROWS_PER_BLOCK", 100)


def fitted_on(
    points: DataFrame, settings: SweepSettings, engine: SweepEngine
) -> tuple[dict[EmbeddingMethod, Embedding], dict[str, ClusterModel]]:
    with point_blocks(points) as held:
        embeddings = fit_embeddings(held, settings, settings.embeddings)
        fitted = fit_on_embeddings(
            held,
            candidates_of(settings),
            embeddings,
            lambda these, own: engine.fit(these, own, settings, progress=lambda _: None),
        )
    models = {each.candidate.candidate_id: each.clusters for each in fitted}
    return embeddings, {name: model for name, model in models.items() if model is not None}


def test_embeddings_and_models_are_the_same_to_the_last_digit_however_points_are_partitioned(
    spark: SparkSession,
) -> None:
    points = points_frame(spark, hidden_groups()[0])

    one, many = (
        fitted_on(frame, SETTINGS, BatchedEngine())
        for frame in (
            points.coalesce(1),
            points.orderBy(F.desc("customer_id")).repartition(7),
        )
    )

    assert [each.to_dict() for each in one[0].values()] == [
        each.to_dict() for each in many[0].values()
    ]
    assert [each.to_dict() for each in one[1].values()] == [
        each.to_dict() for each in many[1].values()
    ]
    assert len(one[1]) == 9


def test_components_are_of_all_customers_and_spark_ml_clusters_them_too(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    values, groups = hidden_groups()
    monkeypatch.setattr(blocks, "SAMPLED_ROWS", 60)

    embeddings, models = fitted_on(points_frame(spark, values), KMEANS_ALONE, SparkMLEngine())

    theirs = PCA(1).fit(values)
    found = embeddings[EmbeddingMethod.PCA]
    np.testing.assert_allclose(
        np.abs(found.embed(values)), np.abs(theirs.transform(values)), rtol=0, atol=1e-9
    )
    embedded = models["pca-kmeans-3"]
    labels = embedded.assign(values)
    assert adjusted_rand_score(groups, labels) > 0.8
    means = [values[labels == cluster].mean(axis=0) for cluster in range(3)]
    np.testing.assert_allclose(embedded.centres, means, rtol=0, atol=1e-9)
