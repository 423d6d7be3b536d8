"""Churn: past days that methods learn from and are tested on, who wins, and the rows of it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from pyspark.sql import DataFrame

from segspark.features.churn import collect_churn_date
from segspark.features.lifetime_histories import held_out_histories, sampled
from segspark.lifetime.choice import Choice
from segspark.lifetime.churn_holdout import (
    CHURN,
    LEAST_SPANS,
    PAST_DATES,
    ChurnFold,
    ChurnRanking,
    ServedChurn,
    choose_churn,
    churn_date_count,
    churn_folds,
    is_baseline,
    rank_churn,
)
from segspark.lifetime.churn_learning import (
    ChurnDate,
    ChurnMethods,
    ChurnTerms,
    churn_methods,
    learn_methods,
)
from segspark.lifetime.fitted import PURCHASE_MODELS, FittedModels, FittedPurchases
from segspark.pipeline.lifetime_evidence import NO_HOLD_OUT, Values
from segspark.pipeline.lifetime_folds import Population
from segspark.pipeline.stage import Workspace
from segspark.tables.holding import on_disk

_MOST_CUSTOMERS = 50_000
"""Of more, a sample is learnt from and tested on, of each day."""


@dataclass(frozen=True, slots=True)
class ChurnEvidence:
    """What speaks for and against each method.

    Attributes:
        days: Who buys nothing for so long has churned.
        methods: As learnt on the last days whose outcome is known.
        folds: The tests, the later first.
        ranking: Of the methods over all tests.
        served: What customers are served with; None where nobody is valued.
    """

    days: int
    methods: ChurnMethods
    folds: tuple[ChurnFold, ...]
    ranking: ChurnRanking
    served: ServedChurn | None

    @property
    def needs_features(self) -> bool:
        """Whether what is served asks for columns beside the histories."""
        return bool(self.served and self.served.forecaster.feature_names)


def churn_dates(
    workspace: Workspace, ledger: DataFrame, everybody: Population, as_of: date
) -> tuple[ChurnDate, ...]:
    """Past days, so many churn days apart, the latest first; none where the history is short."""
    days = workspace.settings.lifetime.churn_days
    count = churn_date_count(everybody.history_days, churn_days=days)
    if not count:
        return ()
    with on_disk(sampled(ledger, customer_count=everybody.known, most=_MOST_CUSTOMERS)) as seen:
        return tuple(
            _churn_date(workspace, seen, as_of - timedelta(days=number * days))
            for number in range(1, count + 1)
        )


def _churn_date(workspace: Workspace, ledger: DataFrame, after: date) -> ChurnDate:
    settings = workspace.settings
    days = settings.lifetime.churn_days
    workspace.progress.step(f"lifetime: who churned in the {days} days after {after}")
    until = after + timedelta(days=days)
    held_out = held_out_histories(
        ledger, settings=settings.features, after=after, until=until, with_features=True
    )
    return collect_churn_date(held_out, name=after.isoformat())


def churn_evidence(
    dates: tuple[ChurnDate, ...],
    *,
    fitted: FittedModels,
    choice: Choice | None,
    terms: ChurnTerms,
    history_days: int,
) -> tuple[ChurnEvidence, list[str]]:
    """Test the methods, choose one, and say what could not be tested.

    Args:
        dates: From `churn_dates`.
        fitted: Models as of the date.
        choice: What customers are valued with; None: nobody is.
        terms: What is asked of a forecast.
        history_days: From the first purchase of anybody to the as-of date.
    """
    days = int(terms.days)
    found = list(churn_folds(dates, terms=terms))
    folds = tuple(each for each in found if isinstance(each, ChurnFold))
    remarks = [each for each in found if isinstance(each, str)]
    methods = learn_methods(_usable(fitted, choice), dates[:PAST_DATES], terms=terms)
    ranking = rank_churn(folds, days=days)
    served = choose_churn(ranking, methods, untested=choice.title) if choice else None
    if not found:
        remarks.append(
            f"churn is not tested: {LEAST_SPANS} times {days} days of history are needed, "
            f"and there are {history_days}"
        )
    if served and not served.is_tested:
        remarks.append(f"churn is forecast by {served.method} itself, which was not tested")
    return ChurnEvidence(days, methods, folds, ranking, served), remarks


def _usable(fitted: FittedModels, choice: Choice | None) -> FittedPurchases:
    """The purchase models; one that has not converged only where customers are valued with it."""
    fits, failures = {}, {}
    for title in (kind.title for kind in PURCHASE_MODELS):
        fit = fitted.purchases.get(title)
        if fit is None:
            failures[title] = fitted.failures[title]
        elif fit.is_converged or (choice is not None and title == choice.title):
            fits[title] = fit
        else:
            failures[title] = f"the fit of {title} to all customers has not converged"
    return FittedPurchases(fits, failures)


def churn_score_rows(lifetime_id: str, evidence: ChurnEvidence) -> Iterator[Values]:
    """Rows of `CHURN_SCORES`."""
    for fold in evidence.folds:
        for method, scores in fold.scores.items():
            yield (
                lifetime_id,
                method,
                date.fromisoformat(fold.name),
                evidence.days,
                fold.customer_count,
                scores.predicted_mean,
                scores.observed_share,
                scores.brier_score,
                scores.brier_skill,
                fold.gap_errors[method],
                scores.log_loss,
                scores.auc,
            )


def churn_reliability_rows(lifetime_id: str, evidence: ChurnEvidence) -> Iterator[Values]:
    """Rows of `CHURN_RELIABILITY`."""
    for fold in evidence.folds:
        for method, bins in fold.bins.items():
            for each in bins:
                yield (
                    lifetime_id,
                    method,
                    date.fromisoformat(fold.name),
                    each.number,
                    each.customer_count,
                    each.lowest,
                    each.highest,
                    each.predicted_mean,
                    each.observed_share,
                    each.observed_lower,
                    each.observed_upper,
                )


def churn_model_rows(lifetime_id: str, evidence: ChurnEvidence) -> Iterator[Values]:
    """Rows of `LIFETIME_MODELS` of the forecast of churn."""
    forecasters, ranking = evidence.methods.forecasters, evidence.ranking
    for method in churn_methods():
        learnt = forecasters.get(method)
        yield (
            lifetime_id,
            CHURN,
            method,
            "baseline" if is_baseline(method) else "model",
            json.dumps(learnt.described()) if learnt else None,
            None,
            None,
            [],
            ranking.mean_ranks.get(method),
            method == ranking.winner,
            _is_served(method, evidence),
            _reason(method, evidence),
        )


def _is_served(method: str, evidence: ChurnEvidence) -> bool:
    return evidence.served is not None and method == evidence.served.method


def _reason(method: str, evidence: ChurnEvidence) -> str:
    failures: Mapping[str, str] = evidence.methods.failures
    ranking = evidence.ranking
    if method in failures:
        return failures[method]
    if _is_served(method, evidence):
        lead = "" if ranking.winner in (method, None) else "the best that can be had; "
        return f"{lead}{ranking.verdict}"
    if method not in ranking.mean_briers:
        return NO_HOLD_OUT
    return f"mean Brier score {ranking.mean_briers[method]:.4f}, behind {ranking.winner}"
