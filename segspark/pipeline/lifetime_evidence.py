"""What is known of the lifetime models: fits, hold-outs and rankings, and their rows."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from segspark.lifetime.choice import Choice, choose_models
from segspark.lifetime.fitted import PURCHASE_MODELS, FittedModels, SpendBasis
from segspark.lifetime.holdout import (
    HISTORIC_SPEND,
    NAIVE_RATE,
    PURCHASES,
    RECENCY_CUT_OFF,
    VALUE,
    FoldResult,
    Ranking,
    is_model,
    rank_methods,
    value_method,
)
from segspark.lifetime.parameters import parameter_names

Values = tuple[object, ...]
NO_HOLD_OUT = "there was no hold-out that it could forecast"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for and against each method.

    Attributes:
        fitted: Fits to all customers as of the date.
        results: Of each fold.
        purchases: Ranking of the forecasts of purchases.
        value: Ranking of the forecasts of value.
        choice: The models that value customers; None where none could be fitted.
    """

    fitted: FittedModels
    results: tuple[FoldResult, ...]
    purchases: Ranking
    value: Ranking
    choice: Choice | None

    @classmethod
    def of(cls, fitted: FittedModels, results: tuple[FoldResult, ...]) -> "Evidence":
        """Rank the methods and choose the models."""
        purchases, value = rank_methods(PURCHASES, results), rank_methods(VALUE, results)
        choice = choose_models(fitted, value=value)
        return cls(fitted, results, purchases, value, choice)

    @property
    def failure(self) -> str:
        """Why nobody is valued, where no model was chosen."""
        reasons = sorted(set(self.fitted.failures.values()))
        return "; ".join(reasons) if reasons else "the mean spend of everybody is not above 0"


@dataclass(frozen=True, slots=True)
class _Method:
    """A way to forecast: the purchase model and the basis that it is made of, where it is."""

    name: str
    title: str | None = None
    basis: SpendBasis | None = None


def score_rows(lifetime_id: str, evidence: Evidence) -> Iterator[Values]:
    """Rows of `LIFETIME_SCORES`."""
    for result in evidence.results:
        for forecast, methods in result.scores.items():
            for method, scores in methods.items():
                yield (
                    lifetime_id,
                    forecast,
                    method,
                    date.fromisoformat(result.name),
                    int(result.days),
                    result.customer_count,
                    scores.predicted_total,
                    scores.actual_total,
                    scores.mean_absolute_error,
                    scores.gini,
                    scores.top_decile_lift,
                )


def calibration_rows(lifetime_id: str, evidence: Evidence) -> Iterator[Values]:
    """Rows of `LIFETIME_CALIBRATION`."""
    for result in evidence.results:
        for method, groups in result.groups.items():
            for group in groups:
                yield (
                    lifetime_id,
                    method,
                    date.fromisoformat(result.name),
                    group.repeat_count,
                    group.customer_count,
                    group.predicted_mean,
                    group.actual_mean,
                )


def model_rows(lifetime_id: str, evidence: Evidence) -> Iterator[Values]:
    """Rows of `LIFETIME_MODELS`."""
    titles = [kind.title for kind in PURCHASE_MODELS]
    purchases = [_Method(title, title) for title in titles]
    purchases += [_Method(NAIVE_RATE), _Method(RECENCY_CUT_OFF)]
    values = [_Method(value_method(t, basis), t, basis) for t in titles for basis in SpendBasis]
    values.append(_Method(HISTORIC_SPEND))
    for ranking, methods in ((evidence.purchases, purchases), (evidence.value, values)):
        for method in methods:
            yield (lifetime_id, ranking.forecast, *_model_values(method, ranking, evidence))


def _model_values(method: _Method, ranking: Ranking, evidence: Evidence) -> Values:
    fitted = evidence.fitted
    fits = [
        fit
        for fit in (
            fitted.purchases.get(method.title or ""),
            fitted.spends.get(method.basis) if method.basis else None,
        )
        if fit is not None
    ]
    parameters = {
        name: getattr(fit.model, name) for fit in fits for name in parameter_names(fit.model)
    }
    return (
        method.name,
        "model" if is_model(method.name) else "baseline",
        json.dumps(parameters) if parameters else None,
        fits[-1].log_likelihood if fits and is_model(method.name) else None,
        int(fits[-1].customer_count) if fits else None,
        [warning for fit in fits for warning in fit.warnings],
        ranking.mean_ranks.get(method.name),
        method.name == ranking.winner,
        _is_chosen(method, evidence),
        _reason(method, ranking, evidence),
    )


def _is_chosen(method: _Method, evidence: Evidence) -> bool:
    choice = evidence.choice
    if choice is None or method.title != choice.title:
        return False
    return method.basis in (None, choice.basis)


def _reason(method: _Method, ranking: Ranking, evidence: Evidence) -> str:
    failure = _failure(method, evidence.fitted)
    if failure:
        return failure
    if _is_chosen(method, evidence):
        return f"{_lead(method, ranking, evidence)}{ranking.verdict}"
    if method.name not in ranking.mean_ranks:
        return NO_HOLD_OUT
    if method.name == ranking.winner:
        return f"it wins the hold-out, but {_but(method, evidence)}"
    return f"mean rank {ranking.mean_ranks[method.name]:.1f}, behind {ranking.winner}"


def _lead(method: _Method, ranking: Ranking, evidence: Evidence) -> str:
    """Why it was chosen, where it does not win."""
    if method.name == ranking.winner:
        return ""
    choice = evidence.choice
    is_best = choice and evidence.value.winner == value_method(choice.title, choice.basis)
    if ranking.forecast == PURCHASES and is_best:
        return "its value is forecast best; "
    return "the best model that can be had; "


def _but(method: _Method, evidence: Evidence) -> str:
    """Why customers are not valued with what wins."""
    if method.title is None:
        return "a baseline knows neither churn nor an interval"
    if evidence.choice is None:
        return "nothing prices its purchases"
    choice, fits = evidence.choice, evidence.fitted.purchases
    # Where no fit has converged, that is held against none of them.
    if fits[choice.title].is_converged and not fits[method.title].is_converged:
        return "its fit to all customers has not converged"
    return f"value is forecast better by {value_method(choice.title, choice.basis)}"


def _failure(method: _Method, fitted: FittedModels) -> str | None:
    found: Mapping[str, str] = fitted.failures
    if method.title and method.title in found:
        return found[method.title]
    if method.basis is SpendBasis.EVERYBODY and method.basis not in fitted.bases:
        return "the mean spend of everybody is not above 0"
    return found.get(method.basis) if method.basis else None
