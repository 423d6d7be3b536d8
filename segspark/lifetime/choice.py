"""Which fitted models customers are valued with, and into which folds a history is cut."""

from dataclasses import dataclass

from segspark.lifetime.fitted import FittedModels, SpendBasis
from segspark.lifetime.holdout import Ranking, value_method

LEAST_HOLDOUT_DAYS = 7
"""A shorter hold-out sees not even one of each weekday."""
FOLD_COUNT = 2


@dataclass(frozen=True, slots=True)
class Choice:
    """The models that value customers.

    Attributes:
        title: Of the purchase model.
        basis: What its purchases are priced by.
    """

    title: str
    basis: SpendBasis


def choose_models(fitted: FittedModels, *, value: Ranking) -> Choice | None:
    """The pair of models that forecasts value best in the hold-out.

    A baseline may win over all pairs; customers are valued with models even so, since a baseline
    knows neither a churn nor an interval. Without a hold-out, the first pair that could be fitted.
    A purchase model that has not converged as of the date comes last, however well it did before.

    Returns:
        None where no purchase model could be fitted, or nothing that prices purchases.
    """
    pairs = {
        value_method(title, basis): Choice(title, basis)
        for title in fitted.purchases
        for basis in fitted.bases
    }
    ranked = [pairs[method] for method in value.mean_ranks if method in pairs]
    return min(
        ranked or pairs.values(),
        key=lambda pair: not fitted.purchases[pair.title].is_converged,
        default=None,
    )


def fold_days(history_days: int, *, wanted_days: int) -> int | None:
    """Length of the hold-out periods, two of which follow a calibration at least as long as one.

    Returns:
        At most `wanted_days`; None where a third of the history is shorter than a week.
    """
    days = min(wanted_days, history_days // (FOLD_COUNT + 1))
    return days if days >= LEAST_HOLDOUT_DAYS else None
