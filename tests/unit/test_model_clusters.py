import json
from dataclasses import fields

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from segspark.errors import ClusteringError, StorageError
from segspark.model import scores
from segspark.model.clusters import Centres, ClusterModel
from segspark.model.embedding import EmbeddedModel
from segspark.model.isolation_forest import IsolationForest
from segspark.model.micro_clusters import MicroClusterModel, MicroClusters
from segspark.model.mixture import EPSILON, Mixture
from segspark.model.outliers import OutlierAwareModel, OutlierRule
from segspark.model.reading import cluster_model_from_dict
from segspark.model.scores import Floats, Scores
from segspark.model.tree import BisectingTree, TreeNode
from tests.embeddings import any_encoder

CORNERS = Centres(np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 10.0]]))
TREE = BisectingTree(
    (
        TreeNode((0.0, 0.0), (1, 4)),
        TreeNode((-4.0, 0.0), (2, 3)),
        TreeNode((-8.0, 0.0), cluster_index=0),
        TreeNode((0.0, 0.0), cluster_index=1),
        TreeNode((3.0, 0.0), cluster_index=2),
    )
)
MIXTURE = Mixture(
    weights=np.array([0.3, 0.5, 0.2]),
    centres=np.array([[0.0, 0.0], [3.0, 1.0], [-2.0, 2.0]]),
    covariances=np.array([[[1.0, 0.3], [0.3, 2.0]], np.eye(2) * 0.5, np.eye(2)]),
)
MICRO = MicroClusters(
    centres=np.array([[0.0, 0.0], [1.0, 3.0], [-4.0, 0.5], [2.0, -3.0]]),
    counts=np.array([5.0, 1.0, 2.0, 8.0]),
    radii=np.array([0.1, 0.0, 1 / 3, 0.2]),
)
JOINED = MicroClusterModel(
    MICRO,
    segments=np.array([0, 1, 0, 1], dtype=np.int32),
    centres=np.array([[-1.0, 0.1], [2.0, -2.0]]),
    merges=np.array([[0.0, 2.0, 1.5, 2.0], [1.0, 3.0, 2.5, 2.0], [4.0, 5.0, 9.0, 4.0]]),
    agreement=np.array([[1.0, 0.1], [0.4, 0.6], [0.9, 0.2], [1 / 3, 0.5]]),
    reach=np.array([4.5, 1 / 3]),
)
PLAINLY_JOINED = MicroClusterModel(MICRO, JOINED.segments, JOINED.centres)
MIDDLE = np.array([0.5, 0.5])
FOREST = IsolationForest(
    coordinates=np.array([[0, 1, 1], [1, 0, 0]]),
    thresholds=np.array([[2.0, 3.0, -3.0], [4.0, -3.0, 3.0]]),
    path_lengths=np.array([[2.5, 1.5, 1.0, 2.0], [2.5, 2.0, 1.0, 1.5]]),
    usual_path_length=1.9,
)
KEPT = OutlierAwareModel(OutlierRule("keep", MIDDLE, np.inf, FOREST, 0.6), CORNERS)
CLIPPED = OutlierAwareModel(OutlierRule("clip", MIDDLE, 2.0, FOREST, 0.6), CORNERS)
APART = OutlierAwareModel(OutlierRule("apart", MIDDLE, 4.0, FOREST, 0.6), MIXTURE, np.full(2, 9.0))
FARTHER_APART = OutlierAwareModel(OutlierRule("apart", MIDDLE, 3.0), TREE, np.full(2, 9.0))
EMBEDDED = (
    EmbeddedModel(any_encoder(), CORNERS, CORNERS.centres),
    EmbeddedModel(any_encoder(), TREE, TREE.centres),
    EmbeddedModel(any_encoder(), MIXTURE, MIXTURE.centres),
)
MODELS: list[ClusterModel] = [
    *(CORNERS, TREE, MIXTURE, JOINED, PLAINLY_JOINED),
    *(KEPT, CLIPPED, APART, FARTHER_APART),
    *EMBEDDED,
    OutlierAwareModel(OutlierRule("clip", MIDDLE, 2.0), EMBEDDED[0]),
]


def random_points(rows: int = 50) -> Floats:
    return np.random.default_rng(7).normal(scale=3.0, size=(rows, 2))


def arrays(found: Scores) -> list[Floats]:
    return [getattr(found, each.name) for each in fields(found)]


def test_a_point_belongs_to_its_nearest_centre_and_the_margin_is_its_confidence() -> None:
    found = CORNERS.score(np.array([[1.0, 0.0], [0.0, 9.0]]))

    assert found.cluster_index.tolist() == [0, 2]
    assert found.runner_up_index.tolist() == [1, 0]
    assert found.centre_distance.tolist() == [1.0, 1.0]
    assert found.confidence.tolist() == pytest.approx([(3 - 1) / 3, (9 - 1) / 9])
    assert np.isnan(found.probability).all()
    assert not found.is_out_of_range.any()


def test_a_tie_goes_to_the_first_centre_without_confidence() -> None:
    found = CORNERS.score(np.array([[2.0, 0.0]]))

    assert (found.cluster_index[0], found.runner_up_index[0], found.confidence[0]) == (0, 1, 0.0)


@pytest.mark.parametrize("columns", [1, 2, 7, 255, 256, 300])
def test_the_best_column_is_the_first_of_equal_ones_however_many_there_are(columns: int) -> None:
    random = np.random.default_rng(columns)
    values = random.integers(0, columns // 2 + 1, (500, columns)).astype(np.float64)
    values[:, -1] -= np.arange(500) % 2  # so that the last one is the least now and then
    for found, best in (
        (scores.first_least(values), np.argmin(values, axis=1)),
        (scores.first_most(values), np.argmax(values, axis=1)),
    ):
        assert found[0].tolist() == best.tolist()
        assert found[1].tolist() == values[np.arange(500), best].tolist()


def test_equal_centres_leave_no_confidence_even_on_top_of_them() -> None:
    found = Centres(np.zeros((2, 2))).score(np.zeros((1, 2)))

    assert found.confidence.tolist() == [0.0]


@pytest.mark.parametrize(
    "model",
    [
        Centres(np.zeros((1, 2))),
        BisectingTree((TreeNode((0.0, 0.0), cluster_index=0),)),
        Mixture(np.ones(1), np.zeros((1, 2)), np.eye(2)[None]),
        MicroClusterModel(MICRO, np.zeros(4, dtype=np.int32), np.zeros((1, 2))),
        EmbeddedModel(any_encoder(), Centres(np.zeros((1, 2))), np.zeros((1, 2))),
    ],
)
def test_a_single_cluster_has_no_runner_up_and_full_confidence(model: ClusterModel) -> None:
    found = model.score(random_points())

    assert model.k == 1
    assert set(found.runner_up_index.tolist()) == {-1}
    assert set(found.confidence.tolist()) == {1.0}


def test_a_tree_is_descended_even_where_another_leaf_is_nearer() -> None:
    found = TREE.score(np.array([[-0.4, 0.0], [-6.0, 0.0], [3.0, 0.0]]))

    assert found.cluster_index.tolist() == [2, 0, 2]
    assert found.runner_up_index.tolist() == [1, 1, 1]
    assert found.confidence[0] == 0.0
    assert TREE.centres.tolist() == [[-8.0, 0.0], [0.0, 0.0], [3.0, 0.0]]


def test_every_point_descends_as_a_loop_over_the_splits_does() -> None:
    generator = np.random.default_rng(3)
    # Whole numbers, so that points lie between two children, too.
    nodes = [TreeNode(tuple(generator.integers(-3, 4, size=2).astype(float)), cluster_index=0)]
    for cluster in range(1, 9):
        leaves = [place for place, node in enumerate(nodes) if not node.children]
        split = int(generator.choice(leaves))
        centres = generator.integers(-3, 4, size=(2, 2)).astype(float)
        indices = (nodes[split].cluster_index, cluster)
        nodes[split] = TreeNode(nodes[split].centre, (len(nodes), len(nodes) + 1))
        nodes += [TreeNode(tuple(c), (), i) for c, i in zip(centres, indices, strict=True)]
    points = generator.integers(-5, 6, size=(200, 2)).astype(float)

    def reached(point: Floats) -> int | None:
        node = nodes[0]
        while node.children:
            distances = [((point - nodes[child].centre) ** 2).sum() for child in node.children]
            node = nodes[node.children[distances.index(min(distances))]]
        return node.cluster_index

    tree = BisectingTree(tuple(nodes))
    assert tree.assign(points).tolist() == [reached(point) for point in points]
    assert tree.score(points).cluster_index.tolist() == tree.assign(points).tolist()


def test_a_split_with_one_child_is_passed_through() -> None:
    tree = BisectingTree((TreeNode((0.0,), (1,)), TreeNode((1.0,), cluster_index=0)))

    assert tree.assign(np.array([[5.0], [-5.0]])).tolist() == [0, 0]


def test_posteriors_are_weighted_densities_with_sparks_epsilon() -> None:
    points = random_points()
    densities = np.stack(
        [
            weight * multivariate_normal(mean, covariance).pdf(points)
            for weight, mean, covariance in zip(
                MIXTURE.weights, MIXTURE.centres, MIXTURE.covariances, strict=True
            )
        ],
        axis=1,
    )
    expected = (EPSILON + densities) / (EPSILON + densities).sum(axis=1, keepdims=True)

    found = MIXTURE.score(points)

    ordered = np.sort(expected, axis=1)
    np.testing.assert_allclose(MIXTURE.posteriors(points), expected, rtol=1e-12)
    np.testing.assert_array_equal(found.cluster_index, expected.argmax(axis=1))
    np.testing.assert_allclose(found.probability, ordered[:, -1], rtol=1e-12)
    np.testing.assert_allclose(found.confidence, ordered[:, -1] - ordered[:, -2], rtol=1e-9)


def test_a_point_beyond_every_component_is_out_of_range_with_an_even_posterior() -> None:
    found = MIXTURE.score(np.array([[1e3, -1e3], [0.0, 0.0]]))

    assert found.is_out_of_range.tolist() == [True, False]
    assert found.cluster_index[0] == 0
    assert found.confidence[0] == 0.0
    assert found.probability[0] == pytest.approx(1 / 3)


def test_densities_too_small_for_a_double_keep_their_logarithm() -> None:
    points = np.array([[0.5, 0.5], [3.0, -40.0], [60.0, 60.0], [-1e5, 1e5]])
    parts = [
        np.log(weight) + multivariate_normal(mean, covariance).logpdf(points)
        for weight, mean, covariance in zip(
            MIXTURE.weights, MIXTURE.centres, MIXTURE.covariances, strict=True
        )
    ]

    np.testing.assert_allclose(MIXTURE.score(points).log_density, logsumexp(parts, axis=0))
    assert np.isnan(CORNERS.score(points).log_density).all()


@pytest.mark.parametrize(("variances", "gap"), [((1.0, 1e-6), 1.0), ((1e-6, 1e-6), 1e-3)])
def test_densities_too_large_for_a_double_still_tell_the_component(
    variances: tuple[float, float], gap: float
) -> None:
    """Tight components of many columns, such as equal customers leave behind."""
    width = 130
    mixture = Mixture(
        weights=np.array([0.5, 0.5]),
        centres=np.stack([np.zeros(width), np.full(width, gap)]),
        covariances=np.stack([np.eye(width) * variance for variance in variances]),
    )
    points = np.full((2, width), gap) + np.array([[0.0], [1e-4]])

    found = mixture.score(points)

    assert found.cluster_index.tolist() == [1, 1]
    assert found.probability.tolist() == pytest.approx([1.0, 1.0])
    normals = [
        multivariate_normal(centre, covariance).logpdf(points) + np.log(0.5)
        for centre, covariance in zip(mixture.centres, mixture.covariances, strict=True)
    ]
    assert found.log_density == pytest.approx(np.logaddexp(*normals), rel=1e-9)


@pytest.mark.parametrize("rows", [-1, 0, 1])
@pytest.mark.parametrize("model", [CORNERS, TREE, MIXTURE, JOINED, PLAINLY_JOINED])
def test_parts_that_stay_in_the_cache_score_as_single_points_do(
    model: ClusterModel, rows: int
) -> None:
    points = np.random.default_rng(5).normal(size=(scores.CACHED_ROWS + rows, 2)) * 4
    found = model.score(points)
    for place in (0, len(points) // 2, len(points) - 2, len(points) - 1):
        alone = model.score_point(points[place].tolist())
        assert found.cluster_index[place] == alone.cluster_index
        assert found.runner_up_index[place] == alone.runner_up_index
        assert found.centre_distance[place] == pytest.approx(alone.centre_distance, rel=1e-12)
        assert found.confidence[place] == pytest.approx(alone.confidence, abs=1e-12)


def test_a_flat_component_has_its_density_in_the_plane_that_it_fills() -> None:
    flat = Mixture(np.ones(1), np.zeros((1, 2)), np.diag([4.0, 0.0])[None])

    density = flat.weighted_densities(np.array([[2.0, 0.0]]))[0, 0]

    in_plane = multivariate_normal(0.0, 4.0).pdf(2.0)
    assert density == pytest.approx(in_plane / np.sqrt(2 * np.pi), rel=1e-12)


@pytest.mark.parametrize("model", MODELS)
def test_chunks_score_as_the_whole_does(
    model: ClusterModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = random_points(23)
    whole = model.score(points)

    monkeypatch.setattr(scores, "CHUNK_ROWS", 5)

    for expected, found in zip(arrays(whole), arrays(model.score(points)), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("model", MODELS)
def test_no_points_have_empty_scores_of_the_right_types(model: ClusterModel) -> None:
    found = model.score(np.empty((0, 2)))

    indices = {"cluster_index", "runner_up_index"}
    for each in fields(found):
        flag_or_float = np.bool_ if each.name.startswith("is_") else np.float64
        expected = np.int32 if each.name in indices else flag_or_float
        assert getattr(found, each.name).dtype == expected, each.name
    assert all(array.shape == (0,) for array in arrays(found))


@pytest.mark.parametrize("model", MODELS)
def test_confidence_stays_between_none_and_full(model: ClusterModel) -> None:
    confidence = model.score(random_points(500)).confidence

    assert confidence.min() >= 0.0
    assert confidence.max() <= 1.0


@pytest.mark.parametrize("model", MODELS)
def test_a_model_read_from_json_scores_bit_for_bit_as_before(model: ClusterModel) -> None:
    points = random_points()

    again = cluster_model_from_dict(json.loads(json.dumps(model.to_dict(), allow_nan=False)))

    for expected, found in zip(
        arrays(model.score(points)), arrays(again.score(points)), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("model", MODELS)
def test_points_of_another_width_are_refused(model: ClusterModel) -> None:
    with pytest.raises(ClusteringError, match="do not fit a model of 2 columns"):
        model.score(np.ones((4, 3)))


def test_a_rule_of_unknown_policy_is_not_guessed() -> None:
    stored = APART.to_dict()
    stored["rule"]["policy"] = "drop"

    with pytest.raises(ValueError, match="no policy 'drop'"):
        cluster_model_from_dict(stored)


def test_a_model_of_unknown_kind_is_refused() -> None:
    with pytest.raises(StorageError, match="of kind 'spectral'"):
        cluster_model_from_dict({"kind": "spectral"})
