"""What every model of repeat purchases can say."""

from typing import Any, ClassVar, Protocol, Self

from segspark.lifetime.arrays import Floats
from segspark.lifetime.histories import PurchaseHistories


class PurchaseModel(Protocol):
    """A customer buys at a rate of their own while alive, and drops out at some unseen time.

    A model is a frozen dataclass of positive parameters, in the unit of time that it was fitted
    in; histories and horizons are in that unit too. Arrays have one entry per row of the
    histories, shape (n,), not weighted by customers, and are always finite.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]
    title: ClassVar[str]
    """What the literature calls it."""

    @classmethod
    def starting_points(cls, mean_repeat_count: float, mean_age: float) -> tuple[Self, ...]:
        """Models to begin a fit from, for customers of those means; the count is positive."""
        ...

    def in_time_unit(self, factor: float) -> Self:
        """The same model where every time is multiplied by `factor`."""
        ...

    def log_likelihoods(self, histories: PurchaseHistories) -> Floats:
        """Logarithm of each row's likelihood."""
        ...

    def log_likelihood_and_gradient(self, histories: PurchaseHistories) -> tuple[float, Floats]:
        """Weighted sum over the rows, and its gradient by the logarithms of the parameters."""
        ...

    def probabilities_alive(self, histories: PurchaseHistories) -> Floats:
        """Probability not to have dropped out by T."""
        ...

    def expected_purchases_while_alive(
        self, repeat_counts: Floats, ages: Floats, horizon: float
    ) -> Floats:
        """Expected purchases in (T, T + horizon] of customers alive at T; free of t_x."""
        ...

    def expected_purchases(self, histories: PurchaseHistories, horizon: float) -> Floats:
        """Expected purchases in (T, T + horizon], whether the customer is alive or not."""
        ...

    def expected_purchases_of_a_new_customer(self, horizon: float) -> float:
        """Expected repeat purchases within `horizon` of the first purchase."""
        ...

    def purchase_probabilities(self, histories: PurchaseHistories, horizon: float) -> Floats:
        """Probability of a purchase in (T, T + horizon]; churn within the horizon is 1 - this."""
        ...


def expected_purchases(
    model: PurchaseModel, histories: PurchaseHistories, horizon: float
) -> Floats:
    """P(alive at T) times the expectation while alive, which is computed on distinct (x, T)."""
    counts, ages, rows = histories.distinct_counts_and_ages
    while_alive = model.expected_purchases_while_alive(counts, ages, horizon)
    return model.probabilities_alive(histories) * while_alive[rows]
