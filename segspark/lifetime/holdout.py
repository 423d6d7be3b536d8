"""Which forecast was right: models and baselines against what customers did afterwards.

The rule. In every fold each method gets a rank by mean absolute error, by Gini and by the error of
the total (absolute logarithm of predicted over actual); the lowest mean of these ranks over all
folds wins. No single one will do: most customers of most shops do not come back, so the mean
absolute error alone favours forecasts that are too low (its best constant is the median, 0), the
Gini alone is blind to the level, and the total alone to everything about a customer. Ranks, since
the three have no common unit. Equal ranks go to the smaller mean absolute error, then to the
method that is listed first. Methods that could not forecast every fold are not ranked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from segspark.errors import LifetimeError
from segspark.lifetime.arrays import Floats
from segspark.lifetime.baselines import (
    active_purchases,
    historic_spend,
    naive_purchases,
    recency_cut_off,
)
from segspark.lifetime.fitted import FittedModels, SpendBasis, Statistics, fit_models
from segspark.lifetime.forecast_scores import (
    ForecastScores,
    FrequencyGroup,
    by_frequency,
    score_forecast,
)
from segspark.lifetime.observed import Fold

PURCHASES, VALUE = "purchases", "value"
NAIVE_RATE, RECENCY_CUT_OFF, HISTORIC_SPEND = "naive rate", "recency cut-off", "historic spend"
_TIE = 1e-9


@dataclass(frozen=True, slots=True)
class FoldResult:
    """How every method did in one fold.

    Attributes:
        name: The fold.
        days: Length of its hold-out.
        customer_count: Customers that were held out.
        scores: `PURCHASES` or `VALUE` → method → scores.
        groups: Method → purchases by calibration frequency.
        failures: Model → why it could not be fitted.
    """

    name: str
    days: float
    customer_count: int
    scores: Mapping[str, Mapping[str, ForecastScores]]
    groups: Mapping[str, Sequence[FrequencyGroup]]
    failures: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Ranking:
    """Methods of one forecast over all folds.

    Attributes:
        forecast: `PURCHASES` or `VALUE`.
        mean_ranks: Method → mean rank, the best first.
        verdict: Who wins, in words.
    """

    forecast: str
    mean_ranks: Mapping[str, float]
    verdict: str

    @property
    def winner(self) -> str | None:
        """The best method; None where none could be ranked."""
        return next(iter(self.mean_ranks), None)


def value_method(title: str, basis: SpendBasis) -> str:
    """Name of the forecast that prices a model's purchases by a basis."""
    return f"{title} priced by {basis}"


def is_model(method: str) -> bool:
    """Whether it is a model; purchases at the mean spend of everybody are a baseline."""
    baselines = (NAIVE_RATE, RECENCY_CUT_OFF, HISTORIC_SPEND)
    return method not in baselines and not method.endswith(SpendBasis.EVERYBODY)


def evaluate_fold(fold: Fold) -> FoldResult:
    """Fit every model to the calibration and score all forecasts of the hold-out.

    Raises:
        LifetimeError: Nobody was known by then, or nobody bought afterwards.
    """
    if not fold.later_counts.any():
        raise LifetimeError(
            f"nobody of {len(fold.later_counts):,} customers bought in the {fold.days:g} days "
            f"after {fold.name}"
        )
    fitted = fit_models(Statistics.of(fold.customers))
    purchases = purchase_forecasts(fold, fitted)
    values = value_forecasts(fold, fitted, purchases)
    x = fold.customers.histories.repeat_counts
    return FoldResult(
        name=fold.name,
        days=fold.days,
        customer_count=len(fold.customers),
        scores={
            PURCHASES: {m: score_forecast(v, fold.later_counts) for m, v in purchases.items()},
            VALUE: {m: score_forecast(v, fold.later_amounts) for m, v in values.items()},
        },
        groups={m: by_frequency(x, v, fold.later_counts) for m, v in purchases.items()},
        failures=fitted.failures,
    )


def purchase_forecasts(fold: Fold, fitted: FittedModels) -> dict[str, Floats]:
    """Method → purchase days expected of each customer in the hold-out period."""
    seen, days = fold.customers.histories, fold.days
    cut_off = recency_cut_off(seen)
    models = {t: fit.model.expected_purchases(seen, days) for t, fit in fitted.purchases.items()}
    return {
        **models,
        NAIVE_RATE: naive_purchases(seen, days),
        RECENCY_CUT_OFF: active_purchases(seen, days, cut_off=cut_off),
    }


def value_forecasts(
    fold: Fold, fitted: FittedModels, purchases: Mapping[str, Floats]
) -> dict[str, Floats]:
    """Method → spend expected of each customer in the hold-out period, not discounted."""
    spends = {basis: fitted.expected_spends(fold.customers, basis) for basis in fitted.bases}
    priced = {
        value_method(title, basis): purchases[title] * spend
        for title in fitted.purchases
        for basis, spend in spends.items()
    }
    return {**priced, HISTORIC_SPEND: historic_spend(fold.customers, fold.days)}


def rank_methods(forecast: str, results: Sequence[FoldResult]) -> Ranking:
    """Apply the rule to some folds; none are fine and rank nothing."""
    folds = [result.scores[forecast] for result in results]
    methods = [m for m in folds[0] if all(m in fold for fold in folds)] if folds else []
    ranks = {m: [rank for fold in folds for rank in _ranks(fold, methods, m)] for m in methods}
    errors = {m: [fold[m].mean_absolute_error for fold in folds] for m in methods}
    means = {m: float(np.mean(ranks[m])) for m in methods}
    ordered = sorted(methods, key=lambda m: (means[m], sum(errors[m])))
    mean_ranks = {method: means[method] for method in ordered}
    return Ranking(forecast, mean_ranks, _verdict(forecast, mean_ranks, folds))


def _ranks(scores: Mapping[str, ForecastScores], methods: Sequence[str], own: str) -> list[int]:
    """1 and the number of better methods, by each of the three measures that there are."""
    errors = {
        m: (scores[m].mean_absolute_error, scores[m].total_error, -(scores[m].gini or 0.0))
        for m in methods
    }
    return [
        1 + sum(errors[m][place] < error - _TIE * abs(error) for m in methods)
        for place, error in enumerate(errors[own])
    ]


def _verdict(
    forecast: str,
    mean_ranks: Mapping[str, float],
    folds: Sequence[Mapping[str, ForecastScores]],
) -> str:
    if not mean_ranks:
        return f"{forecast}: no hold-out could be made, so nothing tells which forecast is best"
    winner = next(iter(mean_ranks))
    totals = " and ".join(_total(fold[winner]) for fold in folds)
    many = f"{len(folds)} folds" if len(folds) > 1 else "one fold alone"
    won = f"mean rank {mean_ranks[winner]:.1f} of {len(mean_ranks)} over {many}, totals {totals}"
    other = next((m for m in mean_ranks if is_model(m) != is_model(winner)), None)
    if is_model(winner):
        beside = f"; the best baseline, {other}, has {mean_ranks[other]:.1f}" if other else ""
        return f"{forecast}: {winner} wins the hold-out ({won}){beside}"
    beside = f"; the best model, {other}, has {mean_ranks[other]:.1f}" if other else ""
    return f"{forecast}: a baseline, {winner}, wins the hold-out ({won}){beside}"


def _total(scores: ForecastScores) -> str:
    if scores.actual_total <= 0.0:
        return f"{scores.predicted_total:,.0f} instead of {scores.actual_total:,.0f}"
    return f"{scores.predicted_total / scores.actual_total:.0%} of the actual"
