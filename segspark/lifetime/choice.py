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


def choose_models(fitted: FittedModels, *, purchases: Ranking, value: Ranking) -> Choice | None:
    """The best purchase model of the hold-out, priced by what forecasts its value best.

    A baseline may win over all models; customers are valued with a model even so, since a baseline
    knows neither a churn nor an interval. Without a hold-out, the first that could be fitted. One
    that has not converged as of the date comes last, however well it did before.

    Returns:
        None where no purchase model could be fitted, or nothing that prices purchases.
    """
    ranked = [title for title in purchases.mean_ranks if title in fitted.purchases]
    titles = ranked or list(fitted.purchases)
    if not titles or not fitted.bases:
        return None
    titles.sort(key=lambda title: not fitted.purchases[title].is_converged)
    methods = {value_method(titles[0], basis): basis for basis in fitted.bases}
    bases = [methods[method] for method in value.mean_ranks if method in methods]
    return Choice(titles[0], (bases or list(fitted.bases))[0])


def fold_days(history_days: int, *, wanted_days: int) -> int | None:
    """Length of the hold-out periods, two of which follow a calibration at least as long as one.

    Returns:
        At most `wanted_days`; None where a third of the history is shorter than a week.
    """
    days = min(wanted_days, history_days // (FOLD_COUNT + 1))
    return days if days >= LEAST_HOLDOUT_DAYS else None
