from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.mixture import GaussianMixture

from segspark.clustering.batched import fit_in_memory
from segspark.clustering.engine import Candidate
from segspark.clustering.evidence import evidence
from segspark.clustering.structureless import (
    StructurelessSilhouette,
    best_of_all_algorithms,
    cluster_structureless,
    counterparts,
    draw_structureless,
    structureless_silhouettes,
)
from segspark.model.scores import Floats
from segspark.settings.training import Algorithm, Covariance, EmbeddingMethod, SweepSettings
from tests.clustering_data import COVARIANCE_TYPES

Silhouettes = dict[Candidate, StructurelessSilhouette]
ALL_OF_THREE = [Candidate(algorithm, 3) for algorithm in SweepSettings().algorithms]
FAMILIES = [
    Candidate(Algorithm.KMEANS),
    Candidate(Algorithm.BISECTING_KMEANS),
    *(Candidate(Algorithm.GAUSSIAN_MIXTURE, covariance=shape) for shape in Covariance),
]


def customers(rows: int = 2000) -> Floats:
    """Counts with many ones that go with a skewed amount, and something independent."""
    generator = np.random.default_rng(5)
    amounts = generator.lognormal(sigma=1.0, size=rows)
    counts = 1 + generator.poisson(0.6 * amounts)
    return np.log(np.column_stack([counts, amounts, generator.uniform(1, 9, rows)]))


def silhouettes_of(
    sample: Floats, candidates: list[Candidate], *, draws: int, seed: int
) -> Silhouettes:
    settings = SweepSettings(seed=seed)
    return structureless_silhouettes(
        cluster_structureless(sample, candidates, settings, draws=draws)
    )


def draws_of(sample: Floats, count: int) -> list[Floats]:
    return draw_structureless(sample, np.random.default_rng(1).spawn(count))


def test_a_draw_consists_of_the_samples_own_values_in_their_shares() -> None:
    sample = customers()

    (drawn,) = draws_of(sample, 1)

    assert drawn.shape == sample.shape
    assert np.isin(drawn, sample).all()
    np.testing.assert_allclose(drawn.mean(axis=0), sample.mean(axis=0), atol=0.1)
    ones = np.isclose(sample[:, 0], 0).mean()
    assert ones > 0.3
    assert np.isclose(drawn[:, 0], 0).mean() == pytest.approx(ones, abs=0.04)


def test_draws_have_the_samples_rank_correlations_in_spite_of_its_ties() -> None:
    sample = customers()

    mean = np.mean([spearmanr(drawn).statistic for drawn in draws_of(sample, 20)], axis=0)

    np.testing.assert_allclose(mean, spearmanr(sample).statistic, atol=0.02)


def test_a_draw_keeps_no_clusters() -> None:
    generator = np.random.default_rng(2)
    sample = np.concatenate([generator.normal(c, 0.1, (500, 2)) for c in ([0, 0], [3, 3], [0, 3])])
    labels = np.repeat(np.arange(3, dtype=np.int32), 500)
    planted = evidence(sample, labels).silhouette

    found = silhouettes_of(sample, ALL_OF_THREE, draws=2, seed=1)

    assert planted is not None
    assert found[Candidate(Algorithm.KMEANS, 3)].mean < planted - 0.05


def test_the_same_seed_gives_the_same_silhouettes_and_another_gives_others() -> None:
    sample = customers(300)

    first = silhouettes_of(sample, ALL_OF_THREE, draws=2, seed=1)

    assert silhouettes_of(sample, ALL_OF_THREE, draws=2, seed=1) == first
    assert silhouettes_of(sample, ALL_OF_THREE, draws=2, seed=2) != first


def test_a_candidate_beyond_the_distinct_points_is_left_out() -> None:
    sample = np.repeat([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0]], 20, axis=0)
    candidates = [Candidate(Algorithm.KMEANS, 3), Candidate(Algorithm.KMEANS, 30)]

    assert list(silhouettes_of(sample, candidates, draws=2, seed=1)) == candidates[:1]


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_a_constant_or_single_column_is_no_obstacle(algorithm: Algorithm) -> None:
    candidate = Candidate(algorithm, 2)
    single = customers(200)[:, 1:2]
    with_constant = np.column_stack([single, np.ones(200)])

    for sample in (single, with_constant):
        found = silhouettes_of(sample, [candidate], draws=2, seed=1)
        assert 0 < found[candidate].mean < 1


def test_what_is_on_micro_clusters_is_held_to_kmeans_with_as_many_segments() -> None:
    sample = customers(300)
    dbscan = Candidate(Algorithm.DBSCAN, 4, 0.5)
    candidates = [dbscan, Candidate(Algorithm.WARD, 3), *ALL_OF_THREE]

    found = silhouettes_of(sample, candidates, draws=2, seed=1)

    kmeans = [Candidate(Algorithm.KMEANS, 3), Candidate(Algorithm.KMEANS, 4)]
    alone = silhouettes_of(sample, kmeans, draws=2, seed=1)
    assert found[Candidate(Algorithm.WARD, 3)] == alone[kmeans[0]]
    assert found[dbscan] == alone[kmeans[1]]


def test_what_is_on_an_embedding_is_held_to_the_plain_vector() -> None:
    sample = customers(300)
    plain = [Candidate(Algorithm.WARD, 4), *ALL_OF_THREE]
    embedded = [replace(each, embedding=EmbeddingMethod.PCA) for each in plain]

    found = silhouettes_of(sample, [*embedded, *plain], draws=2, seed=1)

    assert [found[each] for each in embedded] == [found[each] for each in plain]


@pytest.mark.parametrize("covariance", Covariance)
def test_a_mixture_is_held_to_one_of_the_same_covariance(covariance: Covariance) -> None:
    generator = np.random.default_rng(3)
    slanted = generator.normal(size=(300, 1)) * [4.0, 4.0] + generator.normal(0, 0.5, (300, 2))
    sample = np.concatenate([slanted[:150], slanted[150:] + np.array([-2.0, 2.0])])
    mixture = Candidate(Algorithm.GAUSSIAN_MIXTURE, 2, covariance=covariance)

    found = counterparts(sample, [mixture], SweepSettings(seed=1))[mixture]

    shape = COVARIANCE_TYPES[covariance]
    theirs = GaussianMixture(2, covariance_type=shape, n_init=5, tol=1e-6, random_state=1)
    labels = theirs.fit_predict(sample).astype(np.int32)
    assert found.silhouette == pytest.approx(evidence(sample, labels).silhouette, abs=5e-3)


@pytest.mark.parametrize(
    ("engine", "sizes"), [("batched", [20, 20, 20, 300]), ("sparkml", [20, 40, 150, 150])]
)
def test_bisecting_is_held_to_what_the_engine_cuts_next(
    engine: Literal["batched", "sparkml"], sizes: list[int]
) -> None:
    # Once the many are apart, Spark's next level halves them as well: they are of its last one.
    many = np.tile([-0.01, 0.01], 150)
    sample = np.concatenate([many, np.repeat([100.0, 110.0, 125.0], 20)])[:, None]
    bisecting = Candidate(Algorithm.BISECTING_KMEANS, 4)

    found = counterparts(sample, [bisecting], SweepSettings(engine=engine))[bisecting]

    assert sorted(found.cluster_sizes) == sizes


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.family)
def test_on_data_without_structure_an_algorithm_alone_gains_nothing(family: Candidate) -> None:
    settings = SweepSettings(mixture_restarts=2)
    candidates = [replace(family, segment_count=count) for count in (5, 6)]
    gains = []
    for generator in np.random.default_rng(7).spawn(8):
        slope = [[0.25, -0.125], [-0.125, 0.2]]
        sample = np.exp(generator.multivariate_normal([0.0, 0.0], slope, size=300))
        null = structureless_silhouettes(
            cluster_structureless(sample, candidates, settings, draws=4)
        )
        for candidate, model in fit_in_memory(sample, candidates, settings).items():
            silhouette = evidence(sample, model.assign(sample)).silhouette
            assert silhouette is not None
            gains.append(silhouette - null[candidate].mean)

    assert abs(np.mean(gains)) < 3 * np.std(gains) / np.sqrt(len(gains))


def test_nothing_to_compare_needs_no_sample() -> None:
    assert silhouettes_of(np.empty((0, 2)), [], draws=2, seed=1) == {}


def test_an_algorithm_is_held_to_the_best_silhouette_that_any_reaches_without_structure() -> None:
    kmeans, mixture = (
        Candidate(Algorithm.KMEANS, 4),
        Candidate(Algorithm.GAUSSIAN_MIXTURE, 4),
    )
    other_count = Candidate(Algorithm.GAUSSIAN_MIXTURE, 5)
    good, bad = StructurelessSilhouette(0.4, 0.01), StructurelessSilhouette(0.1, 0.02)

    found = best_of_all_algorithms({mixture: bad, kmeans: good, other_count: bad})

    assert found == {mixture: good, kmeans: good, other_count: bad}
