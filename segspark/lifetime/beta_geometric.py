"""What BG/NBD and MBG/NBD share: after a purchase a customer drops out with a chance of their own.

The rate of purchases is Gamma(r, alpha) over customers, the chance to drop out Beta(a, b). The
models differ in one thing alone: whether a customer may drop out right after the first purchase.
"""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from scipy.special import betaln, digamma, expit, gammaln

from segspark.lifetime.arrays import Floats, checked_length, sums_by_group
from segspark.lifetime.histories import PurchaseHistories
from segspark.lifetime.parameters import refuse_parameters
from segspark.lifetime.purchase_models import expected_purchases
from segspark.lifetime.until_drop_out import expected_until_drop_out


@dataclass(frozen=True)
class BetaGeometricModel:
    """Parameters and formulas of both models; see `PurchaseModel` for what the methods say.

    Below, k is the number of chances to drop out that the customer is known to have survived if
    alive: x in BG/NBD, x + 1 in MBG/NBD. With k put for x, the equations of Fader, Hardie & Lee
    2005 (Marketing Science 24(2)) are those of Batislam, Denizel & Filiztekin 2007 (International
    Journal of Research in Marketing 24(3)) for MBG/NBD.

    Attributes:
        r: Shape of the purchase rates.
        alpha: Rate of the purchase rates, in the unit of time.
        a: First parameter of the chances to drop out.
        b: Second parameter of the chances to drop out.

    Raises:
        LifetimeError: A parameter is not positive and finite.
    """

    title: ClassVar[str]
    chances_at_start: ClassVar[int]
    r: float
    alpha: float
    a: float
    b: float

    def __post_init__(self) -> None:
        refuse_parameters(self)

    @classmethod
    def starting_points(cls, mean_repeat_count: float, mean_age: float) -> tuple[Self, ...]:
        """Mixed and even customers, with some drop-out and hardly any."""
        shapes = ((0.3, 1.0, 3.0), (1.0, 1.0, 1.0), (1.0, 0.1, 3.0), (5.0, 0.3, 1.0))
        # A customer buys faster while alive than over the whole age.
        mean_wait = 0.5 * mean_age / mean_repeat_count
        return tuple(cls(r, r * mean_wait, a, b) for r, a, b in shapes)

    def in_time_unit(self, factor: float) -> Self:
        return type(self)(self.r, self.alpha * factor, self.a, self.b)

    def log_likelihoods(self, histories: PurchaseHistories) -> Floats:
        """Fader, Hardie & Lee 2005, eq. 6, in logarithms; constants on distinct x only."""
        return self._log_likelihoods(histories, self._log_odds_to_be_gone(histories))

    def _log_likelihoods(self, histories: PurchaseHistories, log_odds: Floats) -> Floats:
        counts, rows = histories.distinct_counts
        survived = counts + self.chances_at_start
        constants = gammaln(self.r + counts) - gammaln(self.r)
        constants += betaln(self.a, self.b + survived) - betaln(self.a, self.b)
        x, ages = histories.repeat_counts, histories.ages
        alive = -self.r * np.log1p(ages / self.alpha) - x * np.log(self.alpha + ages)
        gone = np.logaddexp(0.0, log_odds)
        found: Floats = constants[rows] + alive + gone
        return found

    def _log_odds_to_be_gone(self, histories: PurchaseHistories) -> Floats:
        """-inf where there was no chance to drop out yet."""
        x, t_x = histories.repeat_counts, histories.last_repeat_times
        survived = x + self.chances_at_start
        since = np.log1p((histories.ages - t_x) / (self.alpha + t_x))
        last_chance = np.where(survived > 0.0, self.b + survived - 1.0, 1.0)
        log_odds = np.log(self.a) - np.log(last_chance) + (self.r + x) * since
        return np.where(survived > 0.0, log_odds, -np.inf)

    def log_likelihood_and_gradient(self, histories: PurchaseHistories) -> tuple[float, Floats]:
        log_odds = self._log_odds_to_be_gone(histories)
        each = self._log_likelihoods(histories, log_odds)
        gone = expit(log_odds)
        gradients = self._rate_gradient(histories, gone), self._drop_out_gradient(histories, gone)
        return float(histories.customer_counts @ each), np.concatenate(gradients)

    def _rate_gradient(self, histories: PurchaseHistories, gone: Floats) -> Floats:
        """Weighted sums of the derivatives by log r and log alpha."""
        weights, x = histories.customer_counts, histories.repeat_counts
        t_x, ages = histories.last_repeat_times, histories.ages
        counts, _ = histories.distinct_counts
        by_r = histories.customers_by_count @ (digamma(self.r + counts) - digamma(self.r))
        since = np.log1p((ages - t_x) / (self.alpha + t_x))
        by_r += weights @ (gone * since - np.log1p(ages / self.alpha))
        pull = (1.0 - gone) / (self.alpha + ages) + gone / (self.alpha + t_x)
        by_alpha = weights @ (self.r / self.alpha - (self.r + x) * pull)
        return np.array([by_r * self.r, by_alpha * self.alpha])

    def _drop_out_gradient(self, histories: PurchaseHistories, gone: Floats) -> Floats:
        """Weighted sums of the derivatives by log a and log b."""
        counts, rows = histories.distinct_counts
        gone_by_count = sums_by_group(gone * histories.customer_counts, rows, len(counts))
        survived = counts + self.chances_at_start
        last_chance = np.where(survived > 0.0, self.b + survived - 1.0, 1.0)
        both = digamma(self.a + self.b) - digamma(self.a + self.b + survived)
        second = digamma(self.b + survived) - digamma(self.b) + both
        weights = histories.customers_by_count
        by_a = weights @ both + gone_by_count.sum() / self.a
        by_b = weights @ second - (gone_by_count / last_chance).sum()
        return np.array([by_a * self.a, by_b * self.b])

    def probabilities_alive(self, histories: PurchaseHistories) -> Floats:
        """The likelihood's term of being alive over the whole likelihood.

        Fader & Hardie 2008, "Computing P(alive) Using the BG/NBD Model".

        BG/NBD has 1 for every customer without a repeat purchase: look at the purchase
        probability instead.
        """
        found: Floats = expit(-self._log_odds_to_be_gone(histories))
        return found

    def expected_purchases_while_alive(
        self, repeat_counts: Floats, ages: Floats, horizon: float
    ) -> Floats:
        """Numerator of Fader, Hardie & Lee 2005, eq. 10: see `expected_until_drop_out`."""
        survived = self.b + repeat_counts + self.chances_at_start
        span = checked_length(horizon, "horizon") / (self.alpha + ages)
        return expected_until_drop_out(self.r + repeat_counts, self.a, survived, span)

    def expected_purchases(self, histories: PurchaseHistories, horizon: float) -> Floats:
        return expected_purchases(self, histories, horizon)

    def expected_purchases_of_a_new_customer(self, horizon: float) -> float:
        """Fader, Hardie & Lee 2005, eq. 9: no purchase at age 0, and alive after the first."""
        alive = self.b / (self.a + self.b) if self.chances_at_start else 1.0
        while_alive = self.expected_purchases_while_alive(np.zeros(1), np.zeros(1), horizon)
        return alive * float(while_alive[0])

    def purchase_probabilities(self, histories: PurchaseHistories, horizon: float) -> Floats:
        """P(alive) (1 - ((alpha + T) / (alpha + T + t))^(r + x)).

        Who is alive at T cannot drop out before the next purchase, so the wait for it is
        exponential with a rate ~ Gamma(r + x, alpha + T), the posterior given alive: the
        denominator's first term of Fader, Hardie & Lee 2005, eq. 6.
        """
        span = checked_length(horizon, "horizon") / (self.alpha + histories.ages)
        waits = -np.expm1(-(self.r + histories.repeat_counts) * np.log1p(span))
        return self.probabilities_alive(histories) * waits
