"""Gamma-Gamma: what a purchase of a customer is worth on average.

Equations are those of Fader & Hardie 2013, "The Gamma-Gamma Model of Monetary Value", after
Colombo & Jiang 1999, Journal of Interactive Marketing 13(3).
"""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from scipy.special import digamma, gammaincinv, gammaln

from segspark.lifetime.arrays import Floats
from segspark.lifetime.histories import SpendHistories
from segspark.lifetime.parameters import refuse_parameters

_LEAST_EXCESS = 1e-6
"""A mean whose shape is not above 1 by this is taken not to exist."""
_LEAST_SHAPE_OF_MEDIAN = 0.05


@dataclass(frozen=True)
class GammaGamma:
    """A spend is Gamma(p, nu), and nu is Gamma(q, v) over customers, whatever their frequency.

    Attributes:
        p: Shape of one customer's spends.
        q: Shape of the rates over customers; at most 1 means that no population mean exists.
        v: Rate of the rates over customers, in the currency.

    Raises:
        LifetimeError: A parameter is not positive and finite.
    """

    title: ClassVar[str] = "Gamma-Gamma"
    p: float
    q: float
    v: float

    def __post_init__(self) -> None:
        refuse_parameters(self)

    @classmethod
    def starting_points(cls, mean_spend: float) -> tuple[Self, ...]:
        """Even and uneven customers of that mean."""
        shapes = ((1.0, 3.0), (6.0, 4.0), (2.0, 1.5), (20.0, 10.0))
        return tuple(cls(p, q, mean_spend * (q - 1.0) / p) for p, q in shapes)

    def in_currency(self, factor: float) -> Self:
        """The same model where every amount is multiplied by `factor`."""
        return type(self)(self.p, self.q, self.v * factor)

    @property
    def has_mean(self) -> bool:
        """Whether the population mean exists."""
        return self.q - 1.0 > _LEAST_EXCESS

    @property
    def typical_spend(self) -> float:
        """The population mean, v p / (q - 1).

        Where q is not above 1 and there is none, it is the median customer's mean instead,
        v p / (median of Gamma(q, 1)).
        """
        if self.has_mean:
            return self.v * self.p / (self.q - 1.0)
        return self.v * self.p / float(gammaincinv(max(self.q, _LEAST_SHAPE_OF_MEDIAN), 0.5))

    def log_likelihoods(self, spends: SpendHistories) -> Floats:
        """Fader & Hardie 2013, eq. 1a, in logarithms.

        Args:
            spends: Only rows with a repeat purchase and a positive mean spend, shape (n,).

        Returns:
            Shape (n,), not weighted by customers.
        """
        x, m = spends.repeat_counts, spends.mean_spends
        shape, share = self.p * x, x * m / self.v
        found = gammaln(shape + self.q) - gammaln(shape) - gammaln(self.q) - np.log(m)
        # v^q (x m)^(p x) / (v + x m)^(p x + q), of which no power is large by itself.
        found -= shape * np.log1p(1.0 / share) + self.q * np.log1p(share)
        return np.asarray(found)

    def log_likelihood_and_gradient(self, spends: SpendHistories) -> tuple[float, Floats]:
        """Weighted sum over the rows, and its gradient by log p, log q and log v, shape (3,)."""
        weights, x = spends.customer_counts, spends.repeat_counts
        shape, share = self.p * x, x * spends.mean_spends / self.v
        both = digamma(shape + self.q)
        by_p = weights @ (x * (both - digamma(shape) - np.log1p(1.0 / share)))
        by_q = weights @ (both - digamma(self.q) - np.log1p(share))
        by_log_v = weights @ ((self.q * share - shape) / (1.0 + share))
        gradient = np.array([self.p * by_p, self.q * by_q, by_log_v])
        return float(weights @ self.log_likelihoods(spends)), gradient

    def expected_spends(self, spends: SpendHistories) -> Floats:
        """Expected mean spend of each customer, given what they spent: Fader & Hardie 2013.

        p (v + x m) / (p x + q - 1), the mean of the own spend and the population's. Customers
        without a repeat purchase, or with m of 0 or less, get `typical_spend`. Where p x + q is
        not above 1, so that this mean does not exist either, it is the own mean m.

        Returns:
            Shape (n,), positive.
        """
        x, m = spends.repeat_counts, spends.mean_spends
        excess = self.p * x + self.q - 1.0
        exists = excess > _LEAST_EXCESS
        conditional = self.p * (self.v + x * m) / np.where(exists, excess, 1.0)
        own = np.where(exists, conditional, m)
        return np.where((x > 0.0) & (m > 0.0), own, self.typical_spend)


def correlation_of_frequency_and_spend(spends: SpendHistories) -> float:
    """Pearson correlation of x and m over customers with spend, from -1 to 1.

    Gamma-Gamma takes it to be 0. Where x or m does not vary, or nobody has spend, it is 0.
    """
    kept = spends.with_spend()
    weights = kept.customer_counts
    if not len(kept):
        return 0.0
    x = kept.repeat_counts - np.average(kept.repeat_counts, weights=weights)
    m = kept.mean_spends - np.average(kept.mean_spends, weights=weights)
    scale = np.sqrt((weights @ (x * x)) * (weights @ (m * m)))
    return float(np.clip(weights @ (x * m) / scale, -1.0, 1.0)) if scale > 0.0 else 0.0
