"""What each customer is worth by one chosen pair of models, ready to be sent to where rows are."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from segspark.errors import LifetimeError
from segspark.lifetime.arrays import Floats
from segspark.lifetime.baselines import historic_spend
from segspark.lifetime.fitted import AnyPurchaseModel, FittedModels, SpendBasis, spend_rows
from segspark.lifetime.fitting import Fit
from segspark.lifetime.gamma_gamma import GammaGamma
from segspark.lifetime.holdout import value_method
from segspark.lifetime.intervals import WITHIN_DEVIATIONS, log_deviations
from segspark.lifetime.observed import ObservedCustomers
from segspark.lifetime.valuation import lifetime_values, whole_months


@dataclass(frozen=True, slots=True)
class ValueTerms:
    """What is asked of the models.

    Attributes:
        horizon_days: How far ahead value counts.
        yearly_discount_ratio: 0.1 takes a tenth off what comes in a year.
        margin_ratio: Share of the spend that is counted as value.
    """

    horizon_days: float
    yearly_discount_ratio: float
    margin_ratio: float


class Estimate(NamedTuple):
    """One number per customer and its interval at 90 %, each of shape (n,).

    The interval is that of the logarithm, by the delta method: of what the parameters could be, not
    of what one customer will do by chance.
    """

    expected: Floats
    lower: Floats
    upper: Floats

    @classmethod
    def of(cls, expected: Floats, log_deviations: Floats) -> "Estimate":
        """The estimate whose logarithm has these standard deviations."""
        factor = np.exp(WITHIN_DEVIATIONS * log_deviations)
        return cls(expected, expected / factor, expected * factor)


@dataclass(frozen=True, slots=True, eq=False)
class CustomerValues:
    """What is expected of customers, and what they have spent.

    Attributes:
        purchases: Purchase days within the horizon, not discounted.
        alive: Probability not to have dropped out.
        spends: Spend of a purchase day; an interval without width where it is everybody's mean.
        values: Discounted value of the purchases within the horizon, times the margin.
        historic_spends: Spend so far, prorated to the horizon, times the margin, shape (n,).
    """

    purchases: Estimate
    alive: Estimate
    spends: Estimate
    values: Estimate
    historic_spends: Floats


@dataclass(frozen=True, slots=True, eq=False)
class CustomerValuer:
    """A chosen pair of models and what is asked of them; small, and free of customers.

    Attributes:
        purchases: Fitted in days.
        basis: What purchases are priced by.
        spend: Fit of that basis; None where it is everybody's mean.
        mean_spend: Of a purchase day of everybody, positive where `spend` is None.
        terms: What is asked.
    """

    purchases: Fit[AnyPurchaseModel]
    basis: SpendBasis
    spend: Fit[GammaGamma] | None
    mean_spend: float
    terms: ValueTerms

    @classmethod
    def of(
        cls, fitted: FittedModels, *, title: str, basis: SpendBasis, terms: ValueTerms
    ) -> "CustomerValuer":
        """The valuer of one of the fitted models.

        Raises:
            LifetimeError: That model or basis could not be fitted.
        """
        if title not in fitted.purchases or basis not in fitted.bases:
            raise LifetimeError(
                f"{value_method(title, basis)} could not be fitted, so it values nobody"
            )
        spend = fitted.spends.get(basis)
        return cls(fitted.purchases[title], basis, spend, fitted.mean_spend, terms)

    def value(self, customers: ObservedCustomers) -> CustomerValues:
        """Value customers; a row does not depend on the other rows."""
        terms, model, seen = self.terms, self.purchases.model, customers.histories
        spends = self._spends(customers)
        periods = whole_months(terms.horizon_days, yearly_discount_rate=terms.yearly_discount_ratio)
        values = lifetime_values(model, seen, spends * terms.margin_ratio, periods)
        alive = np.clip(model.probabilities_alive(seen), 0.0, 1.0)
        expected = model.expected_purchases(seen, terms.horizon_days)
        by_alive, by_purchases = self._purchase_deviations(customers)
        by_spends = self._spend_deviations(customers)
        is_alive = Estimate.of(alive, by_alive)
        return CustomerValues(
            purchases=Estimate.of(expected, by_purchases),
            alive=is_alive._replace(upper=np.minimum(is_alive.upper, 1.0)),
            spends=Estimate.of(spends, by_spends),
            # The two fits know nothing of each other, so their variances add up.
            values=Estimate.of(values, np.hypot(by_purchases, by_spends)),
            historic_spends=historic_spend(customers, terms.horizon_days) * terms.margin_ratio,
        )

    def _spends(self, customers: ObservedCustomers) -> Floats:
        if self.spend is None:
            return np.full(len(customers), self.mean_spend)
        return self.spend.model.expected_spends(spend_rows(customers, self.basis))

    def _purchase_deviations(self, customers: ObservedCustomers) -> tuple[Floats, Floats]:
        """Of the logarithms of P(alive) and of the expected purchases, shape (n,) each."""
        seen, days = customers.histories, self.terms.horizon_days
        counts, ages, rows = seen.distinct_counts_and_ages

        def both(model: AnyPurchaseModel) -> Floats:
            alive = model.probabilities_alive(seen)
            while_alive = model.expected_purchases_while_alive(counts, ages, days)
            return np.concatenate([alive, alive * while_alive[rows]])

        by_alive, by_purchases = np.split(log_deviations(self.purchases, both), 2)
        return by_alive, by_purchases

    def _spend_deviations(self, customers: ObservedCustomers) -> Floats:
        """Of the logarithm of the expected spend, shape (n,)."""
        if self.spend is None:
            return np.zeros(len(customers))
        rows = spend_rows(customers, self.basis)
        return log_deviations(self.spend, lambda model: model.expected_spends(rows))
