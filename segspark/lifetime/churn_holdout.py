"""Which forecast of churn is right: learnt on past days, tested on the days after them.

The rule. The lowest mean Brier score over the folds wins: nothing has a lower one, on average, than
the true probability. A method learns from the days before a test whose outcome was known by the
day of the test; what wins is learnt anew from the last days whose outcome is known. Methods that
could not forecast every fold are not ranked; ties go to the method that is listed first.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from segspark.errors import LifetimeError
from segspark.lifetime.churn_learning import (
    RECENCY_ALONE,
    ChurnDate,
    ChurnMethods,
    ChurnTerms,
    learn_methods,
)
from segspark.lifetime.churn_methods import ChurnForecaster
from segspark.lifetime.churn_scores import (
    ChurnScores,
    ReliabilityBin,
    reliability,
    score_probabilities,
)
from segspark.lifetime.intervals import WITHIN_DEVIATIONS

CHURN = "churn"
PAST_DATES = 2
"""Days that a method learns from."""
_FOLD_COUNT = 2
LEAST_SPANS = 3
"""Churn days that a history needs: one before the day learnt from, two after it."""


def churn_date_count(history_days: int, *, churn_days: int) -> int:
    """How many past days are looked at, so many churn days apart, the last one before the end.

    Before each there is a history at least as long as what is forecast from it. None where not
    even the last day has another to learn from.
    """
    spans = history_days // churn_days
    return min(_FOLD_COUNT + PAST_DATES, spans - 1) if spans >= LEAST_SPANS else 0


@dataclass(frozen=True, slots=True)
class ChurnFold:
    """How every method did in one fold.

    Attributes:
        name: The day of the forecast.
        customer_count: Customers forecast.
        scores: Method → scores.
        bins: Method → reliability.
        gap_errors: Method → standard error of the difference of its Brier score from that of
            `RECENCY_ALONE` over the same customers.
    """

    name: str
    customer_count: int
    scores: Mapping[str, ChurnScores]
    bins: Mapping[str, Sequence[ReliabilityBin]]
    gap_errors: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ChurnRanking:
    """Methods over all folds.

    Attributes:
        mean_briers: Method → mean Brier score, the best first.
        mean_ranks: Method → mean over the folds of 1 and the number of better methods.
        verdict: Who wins, in words.
    """

    mean_briers: Mapping[str, float]
    mean_ranks: Mapping[str, float]
    verdict: str

    @property
    def winner(self) -> str | None:
        """The best method; None where none could be ranked."""
        return next(iter(self.mean_briers), None)


def churn_folds(dates: Sequence[ChurnDate], *, terms: ChurnTerms) -> Iterator[ChurnFold | str]:
    """Test the methods on each day that has an earlier one to learn from; a sentence where not.

    Args:
        dates: The latest first, so far apart that each one's outcome is known by the next.
        terms: What is asked.
    """
    for place, date in enumerate(dates[:_FOLD_COUNT]):
        past = dates[place + 1 : place + 1 + PAST_DATES]
        if not past:
            continue
        try:
            yield _fold(date, past, terms)
        except LifetimeError as error:
            yield f"no test of churn after {date.name}: {error}"


def rank_churn(folds: Sequence[ChurnFold], *, days: int) -> ChurnRanking:
    """Apply the rule to some folds; none are fine and rank nothing."""
    methods = [m for m in folds[0].scores if all(m in f.scores for f in folds)] if folds else []
    briers = {m: [fold.scores[m].brier_score for fold in folds] for m in methods}
    means = {m: fmean(briers[m]) for m in methods}
    ranks = {
        m: fmean(
            1 + sum(briers[other][place] < own for other in methods)
            for place, own in enumerate(briers[m])
        )
        for m in methods
    }
    ordered = {m: means[m] for m in sorted(methods, key=lambda m: means[m])}
    return ChurnRanking(ordered, ranks, _verdict(ordered, folds, days))


@dataclass(frozen=True, slots=True)
class ServedChurn:
    """What forecasts the churn of customers.

    Attributes:
        method: Its name.
        forecaster: As learnt on the last days whose outcome is known.
        is_tested: Whether a hold-out has spoken for it.
    """

    method: str
    forecaster: ChurnForecaster
    is_tested: bool


def choose_churn(ranking: ChurnRanking, methods: ChurnMethods, *, untested: str) -> ServedChurn:
    """The best method that can be had; without a hold-out the model of that title."""
    for method in ranking.mean_briers:
        if method in methods.forecasters:
            return ServedChurn(method, methods.forecasters[method], is_tested=True)
    return ServedChurn(untested, methods.forecasters[untested], is_tested=False)


def is_baseline(method: str) -> bool:
    """Whether it knows nothing but days since the last purchase."""
    return method == RECENCY_ALONE


def _fold(date: ChurnDate, past: Sequence[ChurnDate], terms: ChurnTerms) -> ChurnFold:
    churned, count = int(date.has_churned.sum()), len(date.customers)
    if not 0 < churned < count:
        raise LifetimeError(f"{churned:,} of {count:,} customers churned, which tells nobody apart")
    methods = learn_methods(date.fitted, past, terms=terms)
    found = {m: f.probabilities(date.customers) for m, f in methods.forecasters.items()}
    if RECENCY_ALONE not in found:
        raise LifetimeError(methods.failures[RECENCY_ALONE])
    squares = {m: np.square(p - date.has_churned) for m, p in found.items()}
    gaps = {m: square - squares[RECENCY_ALONE] for m, square in squares.items()}
    return ChurnFold(
        name=date.name,
        customer_count=count,
        scores={m: score_probabilities(p, date.has_churned) for m, p in found.items()},
        bins={m: reliability(p, date.has_churned) for m, p in found.items()},
        gap_errors={m: float(gap.std() / np.sqrt(count)) for m, gap in gaps.items()},
    )


def _verdict(mean_briers: Mapping[str, float], folds: Sequence[ChurnFold], days: int) -> str:
    if not mean_briers:
        return f"churn within {days} days: not tested"
    winner = next(iter(mean_briers))
    base = fmean(_brier_of_base_rate(fold) for fold in folds)
    many = f"{len(folds)} folds" if len(folds) > 1 else "one fold alone"
    won = f"Brier score {mean_briers[winner]:.4f} over {many}, {base:.4f} by the base rate"
    other = next((m for m in mean_briers if is_baseline(m) != is_baseline(winner)), None)
    named = f"a baseline, {winner}," if is_baseline(winner) else winner
    found = f"churn within {days} days: {named} wins the hold-out ({won})"
    if other is None:
        return found
    model = other if is_baseline(winner) else winner
    error = float(np.sqrt(sum(fold.gap_errors[model] ** 2 for fold in folds))) / len(folds)
    gap = mean_briers[other] - mean_briers[winner]
    chance = ", which may be chance" if gap < WITHIN_DEVIATIONS * error else ""
    kind = "the best model" if is_baseline(winner) else "the baseline"
    return f"{found}; {kind}, {other}, has {gap:.4f} ± {error:.4f} more{chance}"


def _brier_of_base_rate(fold: ChurnFold) -> float:
    share = next(iter(fold.scores.values())).observed_share
    return share * (1.0 - share)
