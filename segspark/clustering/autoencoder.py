"""A small network that gives points back from few components, fitted to a sample on the driver."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import r2_score
from sklearn.neural_network import MLPRegressor

from segspark.clustering.points import Points
from segspark.errors import ClusteringError
from segspark.model.embedding import Embedding, Layer
from segspark.model.scores import Floats
from segspark.settings.training import AutoencoderSettings

_FEWEST_ROWS = 50
"""Of fewer, a tenth says nothing of how well the others are learnt."""
_SAMPLE_ROWS = 10_000
"""Many for so few weights."""
_HELD_OUT_EACH = 10
_STARTS = 4
"""About one in two ends where the components keep less than they could."""
_LEARNING_RATE = 0.01
_PATIENCE = 20
"""Epochs without gain on the validation tenth after which a start stops."""


def fit_autoencoder(points: Points, settings: AutoencoderSettings, *, seed: int) -> Embedding:
    """Fit a network to give points back, and keep the half of it that leads to its components.

    Two layers of tanh lead to the components and two lead back (Hinton and Salakhutdinov, 2006;
    here by Adam from random weights). A tenth of the sample is held out to tell how much of the
    variance comes back; a tenth of the rest tells when to stop, and which of four starts to keep.

    Args:
        points: All customers; a sample of them is learnt.
        settings: Components, units and most epochs.
        seed: Of weights and the order of the sample; the same points and seed give the same result.

    Returns:
        The encoder; `explained_ratio` is of the customers held out, and below 0 where their means
        would have come nearer.

    Raises:
        ClusteringError: There are too few customers to learn from.
    """
    sample = points.sample(_SAMPLE_ROWS)
    if len(sample) < _FEWEST_ROWS:
        raise ClusteringError(
            f"an autoencoder needs at least {_FEWEST_ROWS} customers and there are {len(sample)}: "
            "leave it out of training.sweep.embeddings, or ingest more purchases"
        )
    is_held_out = np.arange(len(sample)) % _HELD_OUT_EACH == 0
    network = fitted_network(sample[~is_held_out], settings, seed=seed)
    held_out = sample[is_held_out]
    found = network.predict(held_out).reshape(held_out.shape)
    explained = float(r2_score(held_out, found, multioutput="variance_weighted"))
    return Embedding(_encoder(network), explained_ratio=explained)


def fitted_network(points: Floats, settings: AutoencoderSettings, *, seed: int) -> MLPRegressor:
    """Fit scikit-learn's network from (n, d) points to themselves, from the best of its starts."""
    seeds = np.random.SeedSequence(seed).generate_state(_STARTS).tolist()
    starts = [_started(points, settings, seed=each) for each in seeds]
    return max(starts, key=lambda network: network.best_validation_score_)


def _started(points: Floats, settings: AutoencoderSettings, *, seed: int) -> MLPRegressor:
    units = settings.hidden_unit_count
    network = MLPRegressor(
        hidden_layer_sizes=(units, settings.component_count, units),
        activation="tanh",
        solver="adam",
        learning_rate_init=_LEARNING_RATE,
        max_iter=settings.most_epochs,
        early_stopping=True,
        n_iter_no_change=_PATIENCE,
        random_state=seed,
    )
    with warnings.catch_warnings():
        # Who asks for few epochs gets what they lead to; how good that is, the held-out tell.
        warnings.simplefilter("ignore", ConvergenceWarning)
        # One column comes as a line, as scikit-learn wants it.
        return network.fit(points, points if points.shape[1] > 1 else points[:, 0])


def _encoder(network: MLPRegressor) -> tuple[Layer, ...]:
    leading = zip(network.coefs_[:2], network.intercepts_[:2], strict=True)
    return tuple(Layer(weights.T.copy(), offsets, "tanh") for weights, offsets in leading)
