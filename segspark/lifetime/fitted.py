"""All models fitted to the same customers, and a sentence for each that could not be."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from segspark.errors import LifetimeError
from segspark.lifetime.arrays import Floats
from segspark.lifetime.baselines import mean_spend
from segspark.lifetime.bg_nbd import BgNbd
from segspark.lifetime.compression import merge_equal_histories, merge_spends_in_cells
from segspark.lifetime.fitting import Fit, fit_gamma_gamma, fit_purchase_model
from segspark.lifetime.gamma_gamma import GammaGamma
from segspark.lifetime.histories import PurchaseHistories, SpendHistories
from segspark.lifetime.mbg_nbd import MbgNbd
from segspark.lifetime.observed import ObservedCustomers
from segspark.lifetime.pareto_nbd import ParetoNbd

AnyPurchaseModel = BgNbd | MbgNbd | ParetoNbd
PURCHASE_MODELS: tuple[type[BgNbd] | type[MbgNbd] | type[ParetoNbd], ...] = (
    MbgNbd,
    BgNbd,
    ParetoNbd,
)
"""In the order in which they are taken where no hold-out tells which is best: BG/NBD takes every
customer without a repeat purchase to be alive, and Pareto/NBD is the slowest."""


class SpendBasis(StrEnum):
    """What a customer's purchases are priced by, in the order taken without a hold-out."""

    ALL_DAYS = "Gamma-Gamma of all days"
    REPEAT_DAYS = "Gamma-Gamma of repeat days"
    EVERYBODY = "mean spend of everybody"


@dataclass(frozen=True, eq=False)
class Statistics:
    """All that the fits need of customers, merged into few rows; times in days.

    Attributes:
        histories: One row per distinct (x, t_x, T), or per cell of them.
        repeat_spends: Cells of the mean spends of repeat days.
        day_spends: Cells of the mean spends of all purchase days.
        mean_spend: Of a purchase day, over all days of all customers.
    """

    histories: PurchaseHistories
    repeat_spends: SpendHistories
    day_spends: SpendHistories
    mean_spend: float

    @classmethod
    def of(cls, customers: ObservedCustomers) -> "Statistics":
        """Merge customers that are the same to the models."""
        return cls(
            merge_equal_histories(customers.histories),
            merge_spends_in_cells(customers.repeat_spends),
            merge_spends_in_cells(customers.day_spends),
            mean_spend(customers),
        )


@dataclass(frozen=True, eq=False)
class FittedPurchases:
    """The purchase models that could be fitted.

    Attributes:
        fits: Title → fit.
        failures: Title → why it could not be fitted.
    """

    fits: Mapping[str, Fit[AnyPurchaseModel]]
    failures: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class FittedModels:
    """The models that could be fitted.

    Attributes:
        purchases: Title → fit.
        spends: Basis → fit; neither where Gamma-Gamma could not be fitted.
        mean_spend: Of a purchase day of everybody.
        failures: Title of a purchase model, or a basis → why it could not be fitted.
    """

    purchases: Mapping[str, Fit[AnyPurchaseModel]]
    spends: Mapping[SpendBasis, Fit[GammaGamma]]
    mean_spend: float
    failures: Mapping[str, str]

    @property
    def bases(self) -> tuple[SpendBasis, ...]:
        """What purchases can be priced by; everybody's mean only where it is above 0."""
        found = [basis for basis in SpendBasis if basis in self.spends]
        return (*found, SpendBasis.EVERYBODY) if self.mean_spend > 0.0 else tuple(found)

    def expected_spends(self, customers: ObservedCustomers, basis: SpendBasis) -> Floats:
        """Expected spend of a purchase day of each customer, shape (n,), positive."""
        if basis is SpendBasis.EVERYBODY:
            return np.full(len(customers), self.mean_spend)
        return self.spends[basis].model.expected_spends(spend_rows(customers, basis))


def spend_rows(customers: ObservedCustomers, basis: SpendBasis) -> SpendHistories:
    """The customers' spends that Gamma-Gamma of this basis sees."""
    return customers.repeat_spends if basis is SpendBasis.REPEAT_DAYS else customers.day_spends


def fit_models(statistics: Statistics) -> FittedModels:
    """Fit every model that can be; one that has not converged says so in its warnings.

    Never refuses: where nothing can be fitted there is a sentence for each model.
    """
    purchases = fit_purchase_models(statistics.histories)
    spends: dict[SpendBasis, Fit[GammaGamma]] = {}
    failures = dict(purchases.failures)
    for basis, rows in (
        (SpendBasis.ALL_DAYS, statistics.day_spends),
        (SpendBasis.REPEAT_DAYS, statistics.repeat_spends),
    ):
        try:
            spends[basis] = fit_gamma_gamma(rows)
        except LifetimeError as error:
            failures[basis] = str(error)
    return FittedModels(purchases.fits, spends, statistics.mean_spend, failures)


def fit_purchase_models(histories: PurchaseHistories) -> FittedPurchases:
    """Fit every purchase model that can be; never refuses, as `fit_models`."""
    fits: dict[str, Fit[AnyPurchaseModel]] = {}
    failures: dict[str, str] = {}
    for kind in PURCHASE_MODELS:
        try:
            fits[kind.title] = fit_purchase_model(kind, histories)
        except LifetimeError as error:
            failures[kind.title] = str(error)
    return FittedPurchases(fits, failures)
