import json

import numpy as np
import pytest

from segspark.errors import ClusteringError
from segspark.model.clusters import Centres
from segspark.model.embedding import EmbeddedModel, Embedding, Layer
from segspark.model.mixture import Mixture
from tests.embeddings import any_encoder

POINTS = np.random.default_rng(3).normal(scale=2.0, size=(500, 2))
HALVES = Embedding((Layer(np.array([[0.5, 0.5]]), np.array([1.0])),), explained_ratio=0.9)
"""Half of the sum of two columns, and one."""


def test_layers_follow_each_other_as_matrix_products_with_offsets_do() -> None:
    first, second = any_encoder().layers

    found = any_encoder().embed(POINTS)

    hidden = np.tanh(POINTS @ first.weights.T + first.offsets)
    expected = np.tanh(hidden @ second.weights.T + second.offsets)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)
    assert any_encoder().component_count == found.shape[1] == 2


def test_a_linear_layer_has_no_bounds() -> None:
    assert HALVES.embed(np.array([[100.0, 300.0]])).tolist() == [[201.0]]


def test_a_point_embeds_to_the_same_digits_whatever_is_beside_it() -> None:
    encoder = any_encoder(24)
    points = np.random.default_rng(3).normal(size=(500, 24))
    together = encoder.embed(points)

    for rows in (1, 3, 64, 499):
        np.testing.assert_array_equal(encoder.embed(points[:rows]), together[:rows])
    np.testing.assert_array_equal(encoder.embed(points[::-1]), together[::-1])


def test_one_point_by_python_alone_embeds_as_in_an_array() -> None:
    for embedding in (any_encoder(), HALVES):
        alone = [embedding.embed_point(point) for point in POINTS.tolist()]

        np.testing.assert_allclose(alone, embedding.embed(POINTS), rtol=1e-13, atol=1e-15)


def test_no_points_embed_to_none() -> None:
    assert any_encoder().embed(np.empty((0, 2))).shape == (0, 2)


def test_points_of_another_width_are_refused() -> None:
    with pytest.raises(ClusteringError, match="do not fit a model of 2 columns"):
        any_encoder().embed(np.ones((4, 3)))


def test_an_embedding_survives_json_bit_for_bit() -> None:
    text = json.dumps(any_encoder().to_dict(), allow_nan=False)

    again = Embedding.from_dict(json.loads(text))

    assert json.dumps(again.to_dict()) == text
    assert again.explained_ratio == 1 / 3
    np.testing.assert_array_equal(again.embed(POINTS), any_encoder().embed(POINTS))


def test_an_unknown_activation_is_not_guessed() -> None:
    stored = any_encoder().to_dict()
    stored["layers"][0]["activation"] = "relu"

    with pytest.raises(ValueError, match="no activation 'relu'"):
        Embedding.from_dict(stored)


def test_an_embedded_model_asks_its_base_and_measures_distance_in_the_plain_vector() -> None:
    base = Centres(np.array([[0.0], [4.0]]))
    model = EmbeddedModel(HALVES, base, np.array([[-1.0, -1.0], [3.0, 4.0]]))

    found = model.score(np.array([[-2.0, 0.0], [6.0, 0.0]]))

    of_base = base.score(np.array([[0.0], [4.0]]))
    assert found.cluster_index.tolist() == of_base.cluster_index.tolist() == [0, 1]
    assert found.runner_up_index.tolist() == of_base.runner_up_index.tolist()
    assert found.confidence.tolist() == of_base.confidence.tolist()
    assert found.centre_distance.tolist() == pytest.approx([np.sqrt(2), 5.0])
    assert model.assign(np.array([[6.0, 0.0]])).tolist() == [1]


def test_densities_of_components_are_none_of_the_vector() -> None:
    mixture = Mixture(np.array([0.5, 0.5]), np.array([[0.0], [2.0]]), np.ones((2, 1, 1)))
    model = EmbeddedModel(HALVES, mixture, np.zeros((2, 2)))

    assert np.isfinite(mixture.score(HALVES.embed(POINTS)).log_density).all()
    assert np.isnan(model.score(POINTS).log_density).all()
    np.testing.assert_array_equal(
        model.score(POINTS).probability, mixture.score(HALVES.embed(POINTS)).probability
    )
