"""Pareto/NBD: Schmittlein, Morrison & Colombo 1987, Management Science 33(1)."""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from scipy.special import exprel

from segspark.errors import LifetimeError
from segspark.lifetime.arrays import Floats, checked_length
from segspark.lifetime.first_events import Waiting, first_event
from segspark.lifetime.histories import PurchaseHistories
from segspark.lifetime.parameters import refuse_parameters
from segspark.lifetime.pareto_likelihood import ParetoLikelihood
from segspark.lifetime.purchase_models import expected_purchases
from segspark.lifetime.quadrature import gauss_legendre

_NODES = 96
_NEGLIGIBLE = 45.0
"""What decays to below exp(-45) is cut off."""


@dataclass(frozen=True)
class ParetoNbd:
    """Purchases at a rate ~ Gamma(r, alpha) until a death at a rate ~ Gamma(s, beta).

    See `PurchaseModel` for what the methods say.

    Attributes:
        r: Shape of the purchase rates.
        alpha: Rate of the purchase rates, in the unit of time.
        s: Shape of the death rates.
        beta: Rate of the death rates, in the unit of time.

    Raises:
        LifetimeError: A parameter is not positive and finite.
    """

    title: ClassVar[str] = "Pareto/NBD"
    r: float
    alpha: float
    s: float
    beta: float

    def __post_init__(self) -> None:
        refuse_parameters(self)

    @classmethod
    def starting_points(cls, mean_repeat_count: float, mean_age: float) -> tuple[Self, ...]:
        """Mixed and even customers, with some deaths and hardly any."""
        shapes = ((0.5, 0.5, 1.0), (1.0, 1.0, 1.0), (1.0, 0.3, 3.0), (5.0, 0.5, 0.3))
        # A customer buys faster while alive than over the whole age.
        mean_wait = 0.5 * mean_age / mean_repeat_count
        return tuple(cls(r, r * mean_wait, s, b * mean_age) for r, s, b in shapes)

    def in_time_unit(self, factor: float) -> Self:
        return type(self)(self.r, self.alpha * factor, self.s, self.beta * factor)

    def log_likelihoods(self, histories: PurchaseHistories) -> Floats:
        return self._likelihood(histories).logarithms()

    def log_likelihood_and_gradient(self, histories: PurchaseHistories) -> tuple[float, Floats]:
        likelihood = self._likelihood(histories)
        log_likelihood = float(histories.customer_counts @ likelihood.logarithms())
        parameters = np.array([self.r, self.alpha, self.s, self.beta])
        return log_likelihood, likelihood.gradient() * parameters

    def probabilities_alive(self, histories: PurchaseHistories) -> Floats:
        return self._likelihood(histories).probabilities_alive()

    def _likelihood(self, histories: PurchaseHistories) -> ParetoLikelihood:
        return ParetoLikelihood.of(histories, r=self.r, alpha=self.alpha, s=self.s, beta=self.beta)

    def expected_purchases_while_alive(
        self, repeat_counts: Floats, ages: Floats, horizon: float
    ) -> Floats:
        """Fader & Hardie 2005, "A Note on Deriving the Pareto/NBD Model", section 6.

        (r + x) (beta + T) / ((alpha + T) (s - 1)) (1 - ((beta + T) / (beta + T + t))^(s - 1)),
        written so that it holds at s = 1 too.
        """
        before_death = self.beta + ages
        log_span = np.log1p(checked_length(horizon, "horizon") / before_death)
        time_alive = before_death * log_span * exprel((1.0 - self.s) * log_span)
        found: Floats = (self.r + repeat_counts) / (self.alpha + ages) * time_alive
        return found

    def expected_purchases(self, histories: PurchaseHistories, horizon: float) -> Floats:
        return expected_purchases(self, histories, horizon)

    def expected_purchases_of_a_new_customer(self, horizon: float) -> float:
        """Fader & Hardie 2005, section 4: no purchase at age 0, when everybody is alive."""
        return float(self.expected_purchases_while_alive(np.zeros(1), np.zeros(1), horizon)[0])

    def purchase_probabilities(self, histories: PurchaseHistories, horizon: float) -> Floats:
        """P(alive) times the probability to buy before death, and before the horizon.

        Given alive at T, the rates are independently Gamma(r + x, alpha + T) and
        Gamma(s, beta + T), since the likelihood of being alive is x purchases and no death in T.
        """
        time = checked_length(horizon, "horizon")
        counts, ages, rows = histories.distinct_counts_and_ages
        purchase = Waiting(self.r + counts, self.alpha)
        death = Waiting(np.full(len(counts), self.s), self.beta)
        lengths = np.full(len(counts), time)
        bought = first_event(purchase, death, starts=ages, lengths=lengths)
        while_alive = np.minimum(bought.probabilities, 1.0)
        return self.probabilities_alive(histories) * while_alive[rows]

    def discounted_residual_purchases(
        self, histories: PurchaseHistories, discount_rate: float
    ) -> Floats:
        """DERT: expected purchases after T without an end, discounted continuously.

        Fader, Hardie & Lee 2005, "RFM and CLV", Journal of Marketing Research 42(4):
        P(alive) (r + x) / (alpha + T) times the discounted time alive.

        Args:
            histories: Shape (n,).
            discount_rate: Per unit of time, compounded continuously; positive.

        Returns:
            Shape (n,).

        Raises:
            LifetimeError: The rate is not positive: the sum may be without bound.
        """
        if not (np.isfinite(discount_rate) and discount_rate > 0.0):
            raise LifetimeError(
                f"purchases without an end need a positive discount rate, not {discount_rate:g}"
            )
        distinct, rows = np.unique(histories.ages, return_inverse=True)
        time_alive = self._discounted_time_alive(distinct, discount_rate)[rows]
        rates = (self.r + histories.repeat_counts) / (self.alpha + histories.ages)
        return self.probabilities_alive(histories) * rates * time_alive

    def _discounted_time_alive(self, ages: Floats, discount_rate: float) -> Floats:
        """Integral over t of exp(-discount_rate t) ((beta + T) / (beta + T + t))^s.

        It is (beta + T) U(1, 2 - s, discount_rate (beta + T)) with Tricomi's U; integrated in
        log(beta + T + t), since SciPy's U is not to be relied on for small arguments.
        """
        decay = discount_rate * (self.beta + ages)
        width = np.log1p(_NEGLIGIBLE / decay)
        if self.s > 1.0:
            width = np.minimum(width, _NEGLIGIBLE / (self.s - 1.0))
        total = np.zeros(len(ages))
        for node, weight in zip(*gauss_legendre(_NODES), strict=True):
            log_span = node * width
            total += weight * np.exp((1.0 - self.s) * log_span - decay * np.expm1(log_span))
        found: Floats = total * width * (self.beta + ages)
        return found
