"""One customer scored alone: the same as in a table."""

import math
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segspark.errors import ClusteringError
from segspark.model.clusters import Centres, ClusterModel
from segspark.model.embedding import EmbeddedModel
from segspark.model.micro_clusters import MicroClusterModel, MicroClusters
from segspark.model.mixture import Mixture
from segspark.model.outliers import OutlierAwareModel, OutlierRule
from segspark.model.scores import Floats
from segspark.model.segment_model import SegmentModel
from segspark.model.tree import BisectingTree, TreeNode
from segspark.model.vector import FeatureVector, ValueRule, VectorColumn
from tests.embeddings import any_encoder

NAMES = ("spend", "orders", "days")
_CENTRES = Centres(np.array([[0.0, 0, 0], [2, 1, 0], [-1, 2, 3], [2, 1, 4.0]]))
_MIDDLE = np.array([0.5, 1.0, 0.0])
_MICRO = MicroClusters(
    np.array([[0.0, 0, 0], [1, 0, 0], [3, 3, 3], [4, 3, 3.0]]), np.full(4, 5.0), np.full(4, 0.5)
)
MODELS: Mapping[str, ClusterModel] = {
    "one centre": Centres(np.array([[0.5, 0.5, 0.5]])),
    "centres": _CENTRES,
    "equal centres": Centres(np.array([[1.0, 1, 1], [0, 0, 0], [0, 0, 0.0]])),
    "tree": BisectingTree(
        (
            TreeNode((0.5, 0.5, 0.5), (1, 2)),
            TreeNode((0.0, 0.0, 0.0), cluster_index=0),
            TreeNode((2.0, 2.0, 2.0), cluster_index=1),
        )
    ),
    "mixture": Mixture(
        np.array([0.6, 0.4]), np.array([[0.0, 0, 0], [2, 2, 2.0]]), np.stack([np.eye(3)] * 2)
    ),
    "micro-clusters": MicroClusterModel(
        _MICRO,
        np.array([0, 0, 1, 1], dtype=np.int32),
        _MICRO.centres[[0, 2]],
        reach=np.array([2.0, 1.0]),
    ),
    "clipped": OutlierAwareModel(OutlierRule("clip", _MIDDLE, 3.0), _CENTRES),
    "apart": OutlierAwareModel(OutlierRule("apart", _MIDDLE, 3.0), _CENTRES, np.full(3, 5.0)),
    "embedded centres": EmbeddedModel(
        any_encoder(3),
        Centres(np.array([[0.5, -0.5], [-0.3, 0.9], [0.9, 0.9]])),
        np.array([[0.0, 0, 0], [2, 1, 0], [-1, 2, 3.0]]),
    ),
    "embedded mixture": EmbeddedModel(
        any_encoder(3),
        Mixture(np.array([0.6, 0.4]), np.array([[0.5, 0], [-0.5, 0.5]]), np.stack([np.eye(2)] * 2)),
        np.array([[0.0, 0, 0], [2, 2, 2.0]]),
    ),
}


def model_of(clusters: ClusterModel) -> SegmentModel:
    rules = (
        ValueRule("spend", missing=0.0, least=0.0),
        ValueRule("orders", "none"),
        ValueRule("days", "none"),
    )
    columns = tuple(VectorColumn(rule, -4.0, 9.0, centre=0.3, scale=1.7) for rule in rules)
    return SegmentModel("model", "training", "any", FeatureVector(columns), clusters, 3.0)


def customer(values: Floats) -> dict[str, float]:
    return dict(zip(NAMES, values.tolist(), strict=True))


@pytest.mark.parametrize("name", MODELS)
@settings(deadline=None, max_examples=40)
@given(
    values=st.lists(
        st.tuples(st.floats(0, 1e4), st.floats(-20, 20), st.floats(-20, 20)),
        min_size=1,
        max_size=6,
    )
)
def test_a_customer_alone_scores_as_in_a_table(
    name: str, values: list[tuple[float, float, float]]
) -> None:
    model, table = model_of(MODELS[name]), np.array(values)

    alone = [model.score_customer(customer(row)) for row in table]

    scores = model.score_values(table)
    assert [each.cluster_index for each in alone] == scores.cluster_index.tolist()
    assert [
        -1 if each.runner_up_index is None else each.runner_up_index for each in alone
    ] == scores.runner_up_index.tolist()
    assert [each.is_outlier for each in alone] == model.is_outlier(scores).tolist()
    for figure, expected in (
        ([each.centre_distance for each in alone], scores.centre_distance),
        ([each.confidence_ratio for each in alone], scores.confidence),
    ):
        np.testing.assert_allclose(figure, expected, rtol=1e-12, atol=1e-12)
    probabilities = [each.probability_ratio for each in alone]
    for told, within in zip(probabilities, scores.probability.tolist(), strict=True):
        assert (told is None and math.isnan(within)) or told == pytest.approx(within, rel=1e-12)


def test_what_the_vector_has_no_value_for_is_missing() -> None:
    model = model_of(MODELS["centres"])

    assert model.score_customer({"orders": 1, "days": 2, "other": 9}) == model.score_customer(
        {"spend": 0, "orders": 1, "days": 2}
    )


def test_a_value_that_the_vector_needs_is_asked_for() -> None:
    with pytest.raises(ClusteringError, match="orders is nan"):
        model_of(MODELS["centres"]).score_customer({"spend": 1, "days": 2})


def test_on_a_centre_that_stands_twice_the_first_is_taken_without_confidence() -> None:
    found = Centres(np.array([[1.0, 1], [0, 0], [0, 0.0]])).score_point((0.0, 0.0))

    assert (found.cluster_index, found.runner_up_index, found.confidence) == (1, 2, 0.0)
