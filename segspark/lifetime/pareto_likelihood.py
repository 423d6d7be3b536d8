"""The likelihood of Pareto/NBD and its derivatives, without the 2F1 that they are written with."""

from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, gammaln

from segspark.lifetime.arrays import Floats
from segspark.lifetime.first_events import FirstEvent, Waiting, first_event
from segspark.lifetime.histories import PurchaseHistories


@dataclass(frozen=True, slots=True, eq=False)
class ParetoLikelihood:
    """Likelihoods of rows, in the parts that their logarithm, P(alive) and gradient share.

    Integrated over the rates, a history's likelihood is that of being alive at T, and that of
    dying between t_x and T without another purchase (Fader & Hardie 2005, "A Note on Deriving the
    Pareto/NBD Model", section 3; their eq. 18 is its closed form). With
    h(t) = (alpha + t)^-(r + x) (beta + t)^-s and K(t) the probability to die, before a purchase,
    between t and some U after T, the sum is h(T) + h(t_x) K(t_x) - h(T) K(T). All terms of
    h(T) (1 - K(T)) + h(t_x) K(t_x) are positive, so no digits are lost.

    Attributes:
        r: Shape of the purchase rates.
        alpha: Rate of the purchase rates.
        s: Shape of the death rates.
        beta: Rate of the death rates.
        histories: The rows.
        sums: The sum above divided by h(t_x), shape (n,).
        alive: Its part of being alive at T, shape (n,).
        deaths_after_last: K(t_x).
        deaths_after_age: K(T).
    """

    r: float
    alpha: float
    s: float
    beta: float
    histories: PurchaseHistories
    sums: Floats
    alive: Floats
    deaths_after_last: FirstEvent
    deaths_after_age: FirstEvent

    @classmethod
    def of(
        cls, histories: PurchaseHistories, *, r: float, alpha: float, s: float, beta: float
    ) -> "ParetoLikelihood":
        """Evaluate the integrals, each on distinct spans of time."""
        spans = histories.spans
        death = Waiting(np.full(len(spans.starts), s), beta)
        purchase = Waiting(r + spans.repeat_counts, alpha)
        deaths = first_event(
            death, purchase, starts=spans.starts, lengths=spans.ends - spans.starts
        )
        after_last = deaths.at(spans.rows_of_last_repeat)
        after_age = deaths.at(spans.rows_of_age)
        t_x, silent = histories.last_repeat_times, histories.ages - histories.last_repeat_times
        decay = (r + histories.repeat_counts) * np.log1p(silent / (alpha + t_x))
        decay += s * np.log1p(silent / (beta + t_x))
        alive = np.exp(-decay)
        sums = alive * (1.0 - after_age.probabilities) + after_last.probabilities
        return cls(r, alpha, s, beta, histories, sums, alive, after_last, after_age)

    def logarithms(self) -> Floats:
        """Log-likelihood of each row, shape (n,)."""
        x, t_x = self.histories.repeat_counts, self.histories.last_repeat_times
        counts, rows = self.histories.distinct_counts
        found = (gammaln(self.r + counts) - gammaln(self.r))[rows] + np.log(self.sums)
        found -= self.r * np.log1p(t_x / self.alpha) + x * np.log(self.alpha + t_x)
        found -= self.s * np.log1p(t_x / self.beta)
        return found

    def probabilities_alive(self) -> Floats:
        """Probability not to have died by T, shape (n,): Fader & Hardie 2005, section 5."""
        return np.minimum(self.alive / self.sums, 1.0)

    def gradient(self) -> Floats:
        """Weighted sums of the derivatives by r, alpha, s and beta, shape (4,)."""
        weights, x = self.histories.customer_counts, self.histories.repeat_counts
        t_x, ages = self.histories.last_repeat_times, self.histories.ages
        counts, _ = self.histories.distinct_counts
        by_r = self.histories.customers_by_count @ (digamma(self.r + counts) - digamma(self.r))
        at_age = self.alive * (1.0 - self.deaths_after_age.probabilities) / self.sums
        at_last = 1.0 - at_age
        pulls = []
        for rate in (self.alpha, self.beta):
            log_decay = np.log1p(t_x / rate) + at_age * np.log1p((ages - t_x) / (rate + t_x))
            pulls += [-log_decay, at_age / (rate + ages) + at_last / (rate + t_x)]
        by_shape, alpha_pull, by_death_shape, beta_pull = pulls
        by_alpha = self.r / self.alpha - (self.r + x) * alpha_pull
        by_beta = self.s / self.beta - self.s * beta_pull
        known = np.stack([by_shape, by_alpha, by_death_shape, by_beta]) + self._of_integrals()
        found: Floats = known @ weights + np.array([by_r, 0.0, 0.0, 0.0])
        return found

    def _of_integrals(self) -> Floats:
        """Derivatives through K(t_x) and K(T), shape (4, n)."""
        last, age = self.deaths_after_last, self.deaths_after_age
        after_last = (last.by_other_shape, last.by_other_rate, last.by_shape, last.by_rate)
        after_age = (age.by_other_shape, age.by_other_rate, age.by_shape, age.by_rate)
        found: Floats = (np.stack(after_last) - self.alive * np.stack(after_age)) / self.sums
        return found
