import numpy as np
import pytest

from segspark.clustering import autoencoder
from segspark.clustering.autoencoder import fit_autoencoder, fitted_network
from segspark.clustering.points import MemoryPoints
from segspark.errors import ClusteringError
from segspark.model.scores import Floats
from segspark.settings.training import AutoencoderSettings
from tests.point_blocks import memory_blocks

pytestmark = pytest.mark.usefixtures("one_thread")

TWO = AutoencoderSettings(hidden_unit_count=8)
ONE = AutoencoderSettings(hidden_unit_count=16, component_count=1)


def arc(rows: int = 600) -> Floats:
    """Points along half a circle: one number tells where, and no straight line does."""
    generator = np.random.default_rng(4)
    angles = generator.uniform(0.0, np.pi, rows)
    points = np.column_stack([np.cos(angles), np.sin(angles)])
    points += generator.normal(scale=0.02, size=points.shape)
    scaled: Floats = (points - points.mean(axis=0)) / points.std(axis=0)
    return scaled


def test_the_encoder_is_the_first_half_of_scikit_learns_network() -> None:
    learnt = arc()[np.arange(600) % 10 != 0]
    network = fitted_network(learnt, TWO, seed=7)

    found = fit_autoencoder(MemoryPoints(arc()), TWO, seed=7)

    hidden = np.tanh(arc() @ network.coefs_[0] + network.intercepts_[0])
    codes = np.tanh(hidden @ network.coefs_[1] + network.intercepts_[1])
    np.testing.assert_allclose(found.embed(arc()), codes, rtol=1e-11, atol=1e-12)
    # And the other half of it leads from these codes to what the network says.
    back = np.tanh(codes @ network.coefs_[2] + network.intercepts_[2])
    rebuilt = back @ network.coefs_[3] + network.intercepts_[3]
    np.testing.assert_allclose(rebuilt, network.predict(arc()), rtol=1e-9, atol=1e-9)


def test_what_comes_back_is_told_by_customers_that_were_held_out() -> None:
    is_held_out = np.arange(600) % 10 == 0
    network = fitted_network(arc()[~is_held_out], TWO, seed=7)
    held_out = arc()[is_held_out]
    lost = np.square(held_out - network.predict(held_out)).sum()
    varies = np.square(held_out - held_out.mean(axis=0)).sum()

    found = fit_autoencoder(MemoryPoints(arc()), TWO, seed=7)

    assert found.explained_ratio == pytest.approx(1 - lost / varies, rel=1e-12)


def test_one_component_of_a_curve_brings_back_what_no_straight_line_does() -> None:
    variances = np.linalg.eigvalsh(np.cov(arc(2000).T))

    found = fit_autoencoder(MemoryPoints(arc(2000)), ONE, seed=1)

    assert variances.max() / variances.sum() < 0.6
    assert found.explained_ratio > 0.95


def test_the_best_of_several_starts_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def scores() -> Floats:
        networks = [fitted_network(arc(300), ONE, seed=seed) for seed in (1, 2, 3)]
        return np.array([network.best_validation_score_ for network in networks])

    of_several = scores()
    monkeypatch.setattr(autoencoder, "_STARTS", 1)
    of_one = scores()

    assert (of_several >= of_one).all()
    assert (of_several > of_one).any()


def test_the_same_seed_gives_the_same_encoder_and_another_gives_another() -> None:
    one, again, other = (
        fit_autoencoder(memory_blocks(arc(), parts=parts), TWO, seed=seed).to_dict()
        for seed, parts in ((1, 1), (1, 4), (2, 1))
    )

    assert one == again
    assert one != other


def test_customers_beyond_the_sample_are_not_learnt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(autoencoder, "_SAMPLE_ROWS", 100)

    few = fit_autoencoder(MemoryPoints(arc()[:100]), TWO, seed=3)
    many = fit_autoencoder(MemoryPoints(arc()), TWO, seed=3)

    assert few.to_dict() == many.to_dict()


def test_a_single_column_can_be_learnt() -> None:
    found = fit_autoencoder(MemoryPoints(arc()[:, :1]), ONE, seed=1)

    assert found.embed(arc()[:, :1]).shape == (600, 1)
    assert found.explained_ratio > 0.9


def test_learning_that_is_cut_short_is_no_failure_and_no_warning(
    recwarn: pytest.WarningsRecorder,
) -> None:
    short = AutoencoderSettings(most_epochs=1)

    found = fit_autoencoder(MemoryPoints(arc()[:60]), short, seed=1)

    assert np.isfinite(found.explained_ratio)
    assert not recwarn.list


def test_too_few_customers_to_learn_from_are_refused() -> None:
    with pytest.raises(ClusteringError, match=r"needs at least 50 customers and there are 49"):
        fit_autoencoder(MemoryPoints(arc()[:49]), TWO, seed=1)
