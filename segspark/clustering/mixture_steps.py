"""Gaussian mixtures of many candidates at once: one pass takes all of them a step of EM on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from segspark.clustering.stepping import SetSums, chunks, spans_of
from segspark.model.mixture import Mixture
from segspark.model.scores import Floats
from segspark.settings.training import Covariance

REGULARISATION = 1e-6
"""Added to every variance, as scikit-learn does, so that no component shrinks to a point."""
LEAST_WEIGHT = 1e-12
"""Of a component that no point belongs to, so that its logarithm is a number."""
_LOST_IN_ROUNDING = 1e-14
"""Part of a covariance's largest eigenvalue below which no smaller one means anything."""


@dataclass(frozen=True, slots=True, eq=False)
class MovingMixture:
    """One candidate.

    Attributes:
        mixture: Where it is.
        covariance: What its components' covariances may look like.
        gain: The mean log-likelihood per point below which a step counts as none.
        log_likelihood: Mean per point before the last step; minus infinity before the first.
        steps: Steps made.
        is_settled: Whether the last one gained nothing any more.
    """

    mixture: Mixture
    covariance: Covariance
    gain: float
    log_likelihood: float = -np.inf
    steps: int = 0
    is_settled: bool = False

    @property
    def k(self) -> int:
        return self.mixture.k

    @property
    def model(self) -> Mixture:
        return self.mixture

    def moved(self, sums: Floats, figure: float) -> Self:
        """Give the mixture the highest likelihood under the posteriors that it led to.

        Args:
            sums: Products of two coordinates, coordinates and 1, weighted by the posterior of each
                component, shape (k, d (d + 1) / 2 + d + 1).
            figure: Log-likelihood of all points together.
        """
        mean = figure / sums[:, -1].sum()
        return replace(
            self,
            mixture=_mixture_of(sums, self.covariance),
            log_likelihood=mean,
            steps=self.steps + 1,
            is_settled=bool(mean - self.log_likelihood < self.gain),
        )


def posterior_sums(points: Floats, sets: Sequence[MovingMixture]) -> SetSums:
    """Add up (n, d) points by the posteriors of the components.

    The logarithm of a Gaussian density is linear in a point's products, coordinates and 1, so
    those of all components are one matrix product, and the sums another.

    Returns:
        Products, coordinates and 1 weighted by the posterior of each component; the log-likelihood
        of each mixture.
    """
    factors = np.concatenate([_log_density_factors(each.mixture) for each in sets])
    spans = spans_of([each.k for each in sets])
    sums = np.zeros(factors.shape)
    log_likelihoods = np.zeros(len(sets))
    for columns in chunks(points):
        products = _products(columns)
        posteriors = factors @ products
        for order, (start, end) in enumerate(spans):
            part = posteriors[start:end]
            peak = part.max(axis=0)
            np.exp(np.subtract(part, peak, out=part), out=part)
            total = part.sum(axis=0)
            part /= total
            log_likelihoods[order] += (peak + np.log(total)).sum()
        sums += posteriors @ products.T
    return SetSums(sums, log_likelihoods)


def _products(columns: Floats) -> Floats:
    """Products of two coordinates, first with itself and those after it; coordinates; 1."""
    width = len(columns) - 1
    products = np.empty((width * (width + 1) // 2 + width + 1, columns.shape[1]))
    place = 0
    for first in range(width):
        end = place + width - first
        np.multiply(columns[first], columns[first:width], out=products[place:end])
        place = end
    products[place:] = columns
    return products


def _log_density_factors(mixture: Mixture) -> Floats:
    """What `_products` is multiplied by for the logarithms of weight times density, (k, p)."""
    width = mixture.centres.shape[1]
    upper = np.triu_indices(width)
    lower = np.linalg.cholesky(mixture.covariances)
    halves = np.linalg.solve(lower, np.broadcast_to(np.eye(width), lower.shape))
    precisions = halves.transpose(0, 2, 1) @ halves
    quadratic = np.where(upper[0] == upper[1], -0.5, -1.0) * precisions[:, upper[0], upper[1]]
    linear = np.einsum("kde,ke->kd", precisions, mixture.centres)
    constants = (
        np.log(mixture.weights)
        - 0.5 * (width * np.log(2.0 * np.pi) + np.einsum("kd,kd->k", mixture.centres, linear))
        - np.log(np.diagonal(lower, axis1=1, axis2=2)).sum(axis=1)
    )
    factors: Floats = np.column_stack([quadratic, linear, constants])
    return factors


def _mixture_of(sums: Floats, covariance: Covariance) -> Mixture:
    """The mixture of highest likelihood under given posteriors, by its (k, p) sums."""
    components, length = sums.shape
    width = int((np.sqrt(1 + 8 * length) - 3) / 2 + 0.5)
    counts = np.maximum(sums[:, -1], LEAST_WEIGHT * sums[:, -1].sum())
    means = sums[:, -1 - width : -1] / counts[:, None]
    upper = np.triu_indices(width)
    squares = np.zeros((components, width, width))
    squares[:, upper[0], upper[1]] = sums[:, : -1 - width] / counts[:, None]
    squares[:, upper[1], upper[0]] = squares[:, upper[0], upper[1]]
    spread = squares - means[:, :, None] * means[:, None, :]
    shaped = shaped_covariances(spread, counts, covariance)
    return Mixture(counts / counts.sum(), means, shaped)


def shaped_covariances(spread: Floats, counts: Floats, covariance: Covariance) -> Floats:
    """Bring (k, d, d) covariances of so many points each into the shape asked, regularised."""
    width = spread.shape[1]
    identity = np.eye(width)
    spread = _possible(spread)
    match covariance:
        case Covariance.FULL:
            shaped = spread
        case Covariance.DIAGONAL:
            shaped = spread * identity
        case Covariance.TIED:
            tied = np.average(spread, axis=0, weights=counts)
            shaped = np.broadcast_to(tied, spread.shape)
        case Covariance.SPHERICAL:
            variances = np.trace(spread, axis1=1, axis2=2) / width
            shaped = variances[:, None, None] * identity
    regularised: Floats = shaped + REGULARISATION * identity
    return regularised


def _possible(spread: Floats) -> Floats:
    """Raise what rounding brought below zero, as far from the origin it does, in (k, d, d)."""
    values, vectors = np.linalg.eigh(spread)
    least = _LOST_IN_ROUNDING * np.maximum(values[:, -1:], 0.0)
    if (values >= least).all():
        return spread
    raised: Floats = (vectors * np.maximum(values, least)[:, None, :]) @ vectors.transpose(0, 2, 1)
    return raised
