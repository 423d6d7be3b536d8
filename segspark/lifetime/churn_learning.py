"""What is learnt of churn from past days: every method that can be had on a day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from segspark.lifetime.arrays import Floats, checked_columns
from segspark.lifetime.churn_methods import (
    BoostedTrees,
    ChurnForecaster,
    OwnChurn,
    SeenCustomers,
    learn_recalibration,
    learn_recency_rate,
    learn_trees,
)
from segspark.lifetime.compression import merge_equal_histories
from segspark.lifetime.fitted import PURCHASE_MODELS, FittedPurchases, fit_purchase_models
from segspark.lifetime.histories import PurchaseHistories

RECENCY_ALONE, BOOSTED_TREES = "recency alone", "boosted trees"
_LEAST_OF_EACH = 10
"""Customers who churned, and who did not, that a method needs to learn from."""


def recalibrated(method: str) -> str:
    """Name of the method that recalibrates another."""
    return f"{method} recalibrated"


def churn_methods() -> tuple[str, ...]:
    """All that there are, whether they can be had or not; of equals the first is taken."""
    titles = [kind.title for kind in PURCHASE_MODELS]
    mended = (*titles, BOOSTED_TREES)
    return (*titles, *map(recalibrated, mended), RECENCY_ALONE, BOOSTED_TREES)


@dataclass(frozen=True, eq=False)
class ChurnDate:
    """Customers as of a past day, and who of them churned.

    Attributes:
        name: The day, for people.
        customers: As of the day.
        has_churned: 1 for who bought nothing in the churn days after it, else 0, shape (n,).
        fitted: Purchase models fitted to these histories, which know nothing later.

    Raises:
        LifetimeError: The columns differ in length.
    """

    name: str
    customers: SeenCustomers
    has_churned: Floats
    fitted: FittedPurchases

    @classmethod
    def of(cls, name: str, customers: SeenCustomers, has_churned: Floats) -> "ChurnDate":
        """Fit the models of the day."""
        seen = customers.histories
        checked_columns({"ages": seen.ages, "outcomes": has_churned})
        fitted = fit_purchase_models(merge_equal_histories(seen))
        return cls(name, customers, has_churned, fitted)

    def forecast_by(
        self, title: str, terms: "ChurnTerms"
    ) -> tuple[ChurnForecaster, SeenCustomers, Floats]:
        """The model of the day, and what it is told and what came of it."""
        own = OwnChurn(self.fitted.fits[title].model, terms.days)
        return own, self.customers, self.has_churned


@dataclass(frozen=True, slots=True)
class ChurnTerms:
    """What is asked of a forecast of churn.

    Attributes:
        days: Who buys nothing for so long has churned.
        feature_names: Of the columns of `SeenCustomers.features`.
    """

    days: float
    feature_names: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class ChurnMethods:
    """The methods that could be learnt.

    Attributes:
        forecasters: Method → forecaster.
        failures: Method → why there is none.
    """

    forecasters: Mapping[str, ChurnForecaster]
    failures: Mapping[str, str]


def learn_methods(
    fitted: FittedPurchases, past: Sequence[ChurnDate], *, terms: ChurnTerms
) -> ChurnMethods:
    """Every method that can be had on a day.

    Args:
        fitted: Purchase models as of the day.
        past: Earlier days whose outcome is known by the day; without them models alone are left.
        terms: What is asked.
    """
    own = {title: OwnChurn(fit.model, terms.days) for title, fit in fitted.fits.items()}
    failures = dict(fitted.failures)
    poor = _too_few(past)
    if poor:
        failures |= {m: poor for m in churn_methods() if m not in (*own, *failures)}
        return ChurnMethods({**own}, failures)
    mended: dict[str, ChurnForecaster] = {}
    for title in (kind.title for kind in PURCHASE_MODELS):
        days = (fitted, *(date.fitted for date in past))
        found = next((day.failures[title] for day in days if title in day.failures), None)
        if found is None:
            mended[recalibrated(title)] = learn_recalibration(
                own[title], [date.forecast_by(title, terms) for date in past]
            )
        else:
            failures[recalibrated(title)] = found
    customers, has_churned = _stacked(past)
    trees = _trees(customers, has_churned, terms)
    mended[recalibrated(BOOSTED_TREES)] = learn_recalibration(trees, _tree_trials(past, terms))
    learnt: dict[str, ChurnForecaster] = {
        RECENCY_ALONE: learn_recency_rate(customers, has_churned),
        BOOSTED_TREES: trees,
    }
    return ChurnMethods({**own, **mended, **learnt}, failures)


def _tree_trials(
    past: Sequence[ChurnDate], terms: ChurnTerms
) -> list[tuple[ChurnForecaster, SeenCustomers, Floats]]:
    """Trees and customers that they have not learnt from: earlier days', or half of the only one.

    What a day's own customers would say of trees is far too good.
    """
    newest, *older = past
    if older and _too_few(older) is None:
        trees = _trees(*_stacked(older), terms)
        return [(trees, newest.customers, newest.has_churned)]
    rows, truth = _stacked(past)
    halves = [np.arange(start, len(truth), 2) for start in (0, 1)]
    return [
        (_trees(rows.at(learnt), truth[learnt], terms), rows.at(tried), truth[tried])
        for learnt, tried in (halves, halves[::-1])
    ]


def _trees(customers: SeenCustomers, has_churned: Floats, terms: ChurnTerms) -> BoostedTrees:
    return learn_trees(customers, has_churned, feature_names=terms.feature_names)


def _too_few(past: Sequence[ChurnDate]) -> str | None:
    """Why nothing can be learnt from these days."""
    count = sum(len(date.customers) for date in past)
    churned = int(sum(date.has_churned.sum() for date in past))
    if min(churned, count - churned) >= _LEAST_OF_EACH:
        return None
    return (
        f"too little to learn churn from: {churned:,} of {count:,} customers of past days "
        f"churned, and {_LEAST_OF_EACH} who did and {_LEAST_OF_EACH} who did not are needed"
    )


def _stacked(past: Sequence[ChurnDate]) -> tuple[SeenCustomers, Floats]:
    seen = [date.customers.histories for date in past]
    columns = [
        np.concatenate([getattr(rows, name) for rows in seen])
        for name in ("repeat_counts", "last_repeat_times", "ages", "customer_counts")
    ]
    features = np.concatenate([date.customers.features for date in past])
    truth = np.concatenate([date.has_churned for date in past])
    return SeenCustomers(PurchaseHistories(*columns), features), truth
