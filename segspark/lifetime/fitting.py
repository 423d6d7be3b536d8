"""Fitting the models to customers: what is refused, what is warned of, and the result."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from segspark.errors import LifetimeError
from segspark.lifetime.arrays import Floats
from segspark.lifetime.compression import merge_histories_in_cells, merge_spends_in_cells
from segspark.lifetime.gamma_gamma import GammaGamma, correlation_of_frequency_and_spend
from segspark.lifetime.histories import PurchaseHistories, SpendHistories
from segspark.lifetime.maximum_likelihood import LogLikelihood, Optimum, climb, polish
from segspark.lifetime.parameters import from_log_parameters, log_parameters, parameter_names
from segspark.lifetime.purchase_models import PurchaseModel

LEAST_CUSTOMERS = 10
LARGEST_CORRELATION = 0.3
"""Of frequency and spend, beyond which a fit of Gamma-Gamma carries a warning."""

_MEAN_AGE = 5.0
_ROWS_OF_A_FULL_SEARCH = 20_000
_CELLS_OF_AN_AGE = 20.0
_COARSE_LOG_SPEND = 0.02

ModelT = TypeVar("ModelT")
PurchaseModelT = TypeVar("PurchaseModelT", bound=PurchaseModel)


@dataclass(frozen=True, slots=True, eq=False)
class Fit(Generic[ModelT]):
    """A fitted model.

    Attributes:
        model: Its parameters are in the units of the histories.
        log_likelihood: Sum over customers, in those units.
        customer_count: Customers that the fit is made of.
        is_converged: Whether the gradient is as good as zero.
        gradient_norm: Largest derivative by a logarithm of a parameter, per customer.
        covariance: Of the logarithms of the parameters, shape (k, k), inverse of the observed
            information; no direction has a deviation above 2, a factor of 7.
        warnings: What a reader should know, one sentence each.
    """

    model: ModelT
    log_likelihood: float
    customer_count: float
    is_converged: bool
    gradient_norm: float
    covariance: Floats
    warnings: tuple[str, ...]


def fit_purchase_model(
    kind: type[PurchaseModelT], histories: PurchaseHistories
) -> Fit[PurchaseModelT]:
    """Fit `BgNbd`, `MbgNbd` or `ParetoNbd` by maximum likelihood; deterministic.

    Times are scaled so that the mean age is 5. Beyond 20,000 rows coarse cells are fitted first,
    and all rows from there on.

    Raises:
        LifetimeError: There are fewer than 10 customers, or nobody has bought again.
    """
    customer_count = float(histories.customer_counts.sum())
    _refuse_poor_histories(kind, histories, customer_count)
    mean_age = float(histories.customer_counts @ histories.ages) / customer_count
    scaled = histories.in_time_unit(_MEAN_AGE / mean_age)

    def objective(rows: PurchaseHistories) -> LogLikelihood:
        return lambda point: from_log_parameters(kind, point).log_likelihood_and_gradient(rows)

    coarse = None
    if len(scaled) > _ROWS_OF_A_FULL_SEARCH:
        width = float(scaled.ages.max()) / _CELLS_OF_AN_AGE
        coarse = objective(merge_histories_in_cells(scaled, cell_width=width))
    starts = _starting_points(kind, scaled)
    optimum = _most_likely(objective(scaled), starts, coarse, customer_count=customer_count)
    model = from_log_parameters(kind, optimum.log_parameters).in_time_unit(mean_age / _MEAN_AGE)
    log_likelihood = float(histories.customer_counts @ model.log_likelihoods(histories))
    warnings = _warnings(kind.title, parameter_names(kind), optimum)
    return _fit(model, log_likelihood, customer_count, optimum, warnings)


def fit_gamma_gamma(spends: SpendHistories) -> Fit[GammaGamma]:
    """Fit Gamma-Gamma by maximum likelihood; deterministic, beyond 20,000 rows as above.

    Rows without a repeat purchase or with a mean spend of 0 or less are left out.

    Raises:
        LifetimeError: Fewer than 10 customers are left, or all of them spend the same.
    """
    kept = spends.with_spend()
    customer_count = float(kept.customer_counts.sum())
    _refuse_poor_spends(kept, customer_count)
    scale = float(np.exp(kept.customer_counts @ np.log(kept.mean_spends) / customer_count))
    scaled = SpendHistories(kept.repeat_counts, kept.mean_spends / scale, kept.customer_counts)
    mean = float(scaled.customer_counts @ scaled.mean_spends) / customer_count

    def objective(rows: SpendHistories) -> LogLikelihood:
        return lambda point: from_log_parameters(GammaGamma, point).log_likelihood_and_gradient(
            rows
        )

    coarse = None
    if len(scaled) > _ROWS_OF_A_FULL_SEARCH:
        coarse = objective(merge_spends_in_cells(scaled, cell_width=_COARSE_LOG_SPEND))
    starts = [log_parameters(start) for start in GammaGamma.starting_points(mean)]
    optimum = _most_likely(objective(scaled), starts, coarse, customer_count=customer_count)
    model = from_log_parameters(GammaGamma, optimum.log_parameters).in_currency(scale)
    log_likelihood = float(kept.customer_counts @ model.log_likelihoods(kept))
    warnings = _warnings(model.title, parameter_names(model), optimum)
    warnings += _spend_warnings(model, kept)
    return _fit(model, log_likelihood, customer_count, optimum, warnings)


def _most_likely(
    log_likelihood: LogLikelihood,
    starts: Sequence[Floats],
    coarse: LogLikelihood | None,
    *,
    customer_count: float,
) -> Optimum:
    """Climb from the starts; where there is a coarse likelihood, climb that and go on from its top.

    From so near, a few steps do what L-BFGS-B takes a hundred passes over all rows for.
    """
    if coarse is not None:
        near = climb(coarse, starts, customer_count=customer_count)
        optimum = polish(log_likelihood, near, customer_count=customer_count, like=coarse)
        if optimum.is_converged:
            return optimum
        starts = [near]
    top = climb(log_likelihood, starts, customer_count=customer_count)
    return polish(log_likelihood, top, customer_count=customer_count)


def _starting_points(kind: type[PurchaseModelT], scaled: PurchaseHistories) -> list[Floats]:
    weights = scaled.customer_counts
    mean_count = float(np.average(scaled.repeat_counts, weights=weights))
    return [log_parameters(start) for start in kind.starting_points(mean_count, _MEAN_AGE)]


def _fit(
    model: ModelT,
    log_likelihood: float,
    customer_count: float,
    optimum: Optimum,
    warnings: tuple[str, ...],
) -> Fit[ModelT]:
    return Fit(
        model=model,
        log_likelihood=log_likelihood,
        customer_count=customer_count,
        is_converged=optimum.is_converged,
        gradient_norm=optimum.gradient_norm,
        covariance=optimum.covariance,
        warnings=warnings,
    )


def _refuse_poor_histories(
    kind: type[PurchaseModel], histories: PurchaseHistories, customer_count: float
) -> None:
    if customer_count < LEAST_CUSTOMERS:
        raise LifetimeError(
            f"{kind.title} could not be estimated: {customer_count:g} customers are too few, "
            f"and {LEAST_CUSTOMERS} are the least"
        )
    if not histories.repeat_counts.any():
        raise LifetimeError(
            f"{kind.title} could not be estimated: none of the {customer_count:,.0f} customers has "
            f"bought again, so nothing tells how often they buy or when they drop out"
        )


def _refuse_poor_spends(spends: SpendHistories, customer_count: float) -> None:
    if customer_count < LEAST_CUSTOMERS:
        raise LifetimeError(
            f"Gamma-Gamma could not be estimated: {customer_count:g} customers with a positive "
            f"mean spend are too few, and {LEAST_CUSTOMERS} are the least"
        )
    if np.ptp(spends.mean_spends) == 0.0:
        raise LifetimeError(
            f"Gamma-Gamma could not be estimated: all {customer_count:,.0f} customers spend "
            f"{spends.mean_spends[0]:g} on average, so nothing tells how spends vary"
        )


def _warnings(title: str, names: tuple[str, ...], optimum: Optimum) -> tuple[str, ...]:
    on_edge = [name for name, flag in zip(names, optimum.is_on_edge, strict=True) if flag]
    hidden = optimum.is_unsure & ~optimum.is_on_edge
    unsure = [name for name, flag in zip(names, hidden, strict=True) if flag]
    found = []
    if not optimum.is_converged:
        found.append(
            f"{title} has not converged: a derivative of {optimum.gradient_norm:.1g} per customer "
            f"is left"
        )
    if on_edge:
        found.append(
            f"{title} is most likely at the edge of what is sought for {' and '.join(on_edge)}: "
            f"the customers hardly differ, or hardly drop out"
        )
    if unsure:
        found.append(
            f"{title} knows {' and '.join(unsure)} no better than within a factor of seven: the "
            f"customers say little about it"
        )
    return tuple(found)


def _spend_warnings(model: GammaGamma, spends: SpendHistories) -> tuple[str, ...]:
    found = []
    if not model.has_mean:
        found.append(
            f"Gamma-Gamma has no population mean with q = {model.q:.3g}: customers without a "
            f"repeat purchase get the median customer's mean spend"
        )
    correlation = correlation_of_frequency_and_spend(spends)
    if abs(correlation) > LARGEST_CORRELATION:
        found.append(
            f"Gamma-Gamma takes frequency and spend to be independent, and their correlation is "
            f"{correlation:.2f}"
        )
    return tuple(found)
