"""Maximum likelihood over logarithms of parameters, and how sure the result is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from segspark.lifetime.arrays import Flags, Floats

LogLikelihood = Callable[[Floats], tuple[float, Floats]]
"""Logarithms of parameters → log-likelihood and its gradient."""

LARGEST_LOG = 11.5
"""Parameters are sought within exp(-11.5) and exp(11.5), 1e-5 to 1e5, in scaled units."""
LARGEST_LOG_DEVIATION = 2.0
"""A logarithm that the data knows less well than this is taken to be known so well."""

_CONVERGED = 1e-6
_POLISHED = 1e-9
_POLISHING_STEPS = 6
_DIFFERENCE = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """The most likely parameters.

    Attributes:
        log_parameters: Shape (k,).
        is_on_edge: Whether each of them is at an end of where it is sought, shape (k,).
        gradient_norm: Largest derivative per customer, of those that do not point over an edge.
        is_converged: Whether that is small enough.
        covariance: Of the logarithms, shape (k, k); positive definite.
        is_unsure: Whether each logarithm's deviation is at its limit, shape (k,).
    """

    log_parameters: Floats
    is_on_edge: Flags
    gradient_norm: float
    is_converged: bool
    covariance: Floats
    is_unsure: Flags


def climb(
    log_likelihood: LogLikelihood, starts: Sequence[Floats], *, customer_count: float
) -> Floats:
    """The best of the maxima that L-BFGS-B reaches from the starts, shape (k,)."""

    def loss(point: Floats) -> tuple[float, Floats]:
        value, gradient = log_likelihood(point)
        return -value / customer_count, -gradient / customer_count

    bounds = [(-LARGEST_LOG, LARGEST_LOG)] * len(starts[0])
    runs = [
        minimize(
            loss,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"maxiter": 500, "ftol": 1e-15, "gtol": 1e-8},
        )
        for start in starts
    ]
    best: Floats = min(runs, key=lambda run: float(run.fun)).x
    return best


def polish(
    log_likelihood: LogLikelihood,
    point: Floats,
    *,
    customer_count: float,
    like: LogLikelihood | None = None,
) -> Optimum:
    """Go on by Newton's method, which minds no flat ridge, and measure the curvature.

    Args:
        log_likelihood: The function to maximise.
        point: Near the maximum, shape (k,).
        customer_count: What the log-likelihood is a sum over.
        like: A cheaper one of nearly the same curvature, which then leads the steps; the curvature
            that is told is the function's own.
    """
    value, gradient = log_likelihood(point)
    information = _information(like or log_likelihood, point)
    for _ in range(_POLISHING_STEPS):
        free = ~_on_edge(point, gradient)
        if not free.any() or np.abs(gradient[free]).max() <= _POLISHED * customer_count:
            break
        stepped = np.clip(_newton(point, gradient, information, free), -LARGEST_LOG, LARGEST_LOG)
        new_value, new_gradient = log_likelihood(stepped)
        # On a flat top the value is all rounding, and the gradient tells.
        is_better = new_value > value - 1e-12 * abs(value)
        if not is_better or np.abs(new_gradient[free]).max() >= np.abs(gradient[free]).max():
            break
        point, value, gradient = stepped, new_value, new_gradient
        if like is None:
            information = _information(log_likelihood, point)
    if like is not None:
        information = _information(log_likelihood, point)
    return _optimum(point, gradient, information, customer_count)


def _optimum(
    point: Floats, gradient: Floats, information: Floats, customer_count: float
) -> Optimum:
    free = ~_on_edge(point, gradient)
    norm = float(np.abs(gradient[free]).max() / customer_count) if free.any() else 0.0
    covariance = _covariance(information)
    deviations = np.sqrt(np.diagonal(covariance))
    return Optimum(
        log_parameters=point,
        is_on_edge=np.abs(point) > LARGEST_LOG - 0.01,
        gradient_norm=norm,
        is_converged=norm <= _CONVERGED,
        covariance=covariance,
        is_unsure=deviations > 0.5 * LARGEST_LOG_DEVIATION,
    )


def _on_edge(point: Floats, gradient: Floats) -> Flags:
    """Whether each logarithm is at an end, and the likelihood grows beyond it."""
    flags: Flags = (np.abs(point) >= LARGEST_LOG) & (np.sign(gradient) == np.sign(point))
    return flags


def _information(log_likelihood: LogLikelihood, point: Floats) -> Floats:
    """Observed information, minus the Hessian, by central differences of the gradient, (k, k)."""
    rows = []
    for step in np.eye(len(point)) * _DIFFERENCE:
        _, ahead = log_likelihood(point + step)
        _, behind = log_likelihood(point - step)
        rows.append((behind - ahead) / (2.0 * _DIFFERENCE))
    information = np.stack(rows)
    symmetric: Floats = 0.5 * (information + information.T)
    return symmetric


def _newton(point: Floats, gradient: Floats, information: Floats, free: Flags) -> Floats:
    """One step in the free directions, no longer than 1 and never down."""
    values, vectors = np.linalg.eigh(information[np.ix_(free, free)])
    floor = max(1e-12 * float(np.abs(values).max()), np.finfo(float).tiny)
    step = vectors @ ((vectors.T @ gradient[free]) / np.maximum(values, floor))
    moved = point.copy()
    moved[free] += step / max(1.0, float(np.abs(step).max()))
    return moved


def _covariance(information: Floats) -> Floats:
    """Inverse of the information, with the deviation in no direction above the limit."""
    values, vectors = np.linalg.eigh(information)
    variances = 1.0 / np.maximum(values, LARGEST_LOG_DEVIATION**-2)
    covariance: Floats = (vectors * variances) @ vectors.T
    return covariance
