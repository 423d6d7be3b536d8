"""Intervals for whatever follows from a fitted model, by Laplace's approximation."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from scipy.special import ndtri

from segspark.lifetime.arrays import Floats
from segspark.lifetime.fitting import Fit
from segspark.lifetime.parameters import from_log_parameters, log_parameters

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

COVERAGE = 0.9
"""Of every interval that is told."""
WITHIN_DEVIATIONS = float(ndtri(0.5 + 0.5 * COVERAGE))
"""Standard deviations to either side that hold so much of a normal distribution."""

_STEP = 1e-3
"""Of a logarithm of a parameter, to either side."""
_LARGEST_DEVIATION = 6.0
"""Of the logarithm of a statistic: what is known no better than by a factor of 400 is not known."""

_LEAST = float(np.finfo(float).tiny)

ModelT = TypeVar("ModelT", bound="DataclassInstance")


def log_deviations(fit: Fit[ModelT], statistic: Callable[[ModelT], Floats]) -> Floats:
    """Standard deviation of the logarithm of a statistic of each row, by the delta method.

    The gradient by the logarithms of the parameters, and their covariance: two evaluations per
    parameter. It says what the parameters could be, not what one customer will do by chance.

    Args:
        fit: The model and its covariance.
        statistic: Model → values of 0 or more, shape (n,).

    Returns:
        Shape (n,), from 0 to 6; 0 where the statistic is 0.
    """
    centre = log_parameters(fit.model)
    slopes = []
    for step in np.eye(len(centre)) * _STEP:
        ahead, behind = (
            np.log(np.maximum(statistic(from_log_parameters(type(fit.model), at)), _LEAST))
            for at in (centre + step, centre - step)
        )
        slopes.append((ahead - behind) / (2.0 * _STEP))
    gradient = np.stack(slopes)
    variances = np.einsum("in,ij,jn->n", gradient, fit.covariance, gradient)
    found: Floats = np.sqrt(np.clip(variances, 0.0, _LARGEST_DEVIATION**2))
    return found
