"""Intervals by drawing models: what the delta method of segspark is held against."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from segspark.errors import LifetimeError
from segspark.lifetime.arrays import Floats
from segspark.lifetime.fitting import Fit
from segspark.lifetime.parameters import from_log_parameters, log_parameters

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

ModelT = TypeVar("ModelT", bound="DataclassInstance")
DrawT = TypeVar("DrawT")


@dataclass(frozen=True, slots=True, eq=False)
class Interval:
    """Quantiles of a statistic over the draws.

    Attributes:
        lower: In the shape of the statistic.
        upper: In the shape of the statistic; nowhere below `lower`.
    """

    lower: Floats
    upper: Floats


def draw_models(fit: Fit[ModelT], *, draw_count: int, seed: int) -> tuple[ModelT, ...]:
    """Models whose log-parameters are normal around the fit, with its covariance.

    That is the posterior under a flat prior on the logarithms, to second order (Tierney & Kadane
    1986, Journal of the American Statistical Association 81(393)). The same seed gives the same
    draws.

    Raises:
        LifetimeError: Fewer than one draw is asked for.
    """
    if draw_count < 1:
        raise LifetimeError(f"an interval needs draws, and {draw_count} are asked for")
    values, vectors = np.linalg.eigh(fit.covariance)
    # An eigenvector's sign is free, and another machine's may differ.
    vectors = vectors * np.where(
        vectors[np.abs(vectors).argmax(axis=0), range(len(values))] < 0, -1, 1
    )
    normal = np.random.default_rng(seed).standard_normal((draw_count, len(values)))
    deviations = normal * np.sqrt(np.maximum(values, 0.0)) @ vectors.T
    centre = log_parameters(fit.model)
    return tuple(from_log_parameters(type(fit.model), centre + row) for row in deviations)


def quantile_interval(
    draws: Sequence[DrawT], statistic: Callable[[DrawT], Floats | float], *, coverage: float = 0.9
) -> Interval:
    """Interval that leaves as many draws below as above.

    It speaks of what the parameters could be, not of what one customer will do by chance.

    Args:
        draws: From `draw_models`; or pairs of a purchase and a spend model.
        statistic: Model → an array of any one shape, or a number. All draws' values are held at
            once, draws times rows times 8 bytes: pass customers in blocks, or their total.
        coverage: Share of the draws within the interval, between 0 and 1.

    Raises:
        LifetimeError: There are no draws, or the coverage is out of range.
    """
    if not draws:
        raise LifetimeError("an interval needs draws, and there are none")
    if not 0.0 < coverage < 1.0:
        raise LifetimeError(f"an interval covers a share between 0 and 1, not {coverage:g}")
    values = np.stack([np.asarray(statistic(draw), dtype=np.float64) for draw in draws])
    tail = 0.5 * (1.0 - coverage)
    lower, upper = np.quantile(values, [tail, 1.0 - tail], axis=0)
    return Interval(np.asarray(lower), np.asarray(upper))
