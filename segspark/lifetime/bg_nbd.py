"""BG/NBD: Fader, Hardie & Lee 2005, "Counting Your Customers" the Easy Way, Marketing Science."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import betainc, betaln, gammaln

from segspark.errors import LifetimeError
from segspark.lifetime.arrays import Floats, checked_length
from segspark.lifetime.beta_geometric import BetaGeometricModel


@dataclass(frozen=True)
class BgNbd(BetaGeometricModel):
    """Beta-geometric / NBD: nobody drops out before the first repeat purchase."""

    title: ClassVar[str] = "BG/NBD"
    chances_at_start: ClassVar[int] = 0

    def purchase_count_probabilities(self, repeat_counts: Floats, horizon: float) -> Floats:
        """Probabilities that a new customer makes so many repeat purchases within the horizon.

        Fader, Hardie & Lee 2005, eq. 8; its sum over j is the distribution function of a
        negative binomial, here an incomplete beta function, which keeps its digits.

        Args:
            repeat_counts: Whole numbers from 0 on, shape (k,).
            horizon: Time since the first purchase.

        Returns:
            Shape (k,), each within [0, 1].

        Raises:
            LifetimeError: A count is negative, or the horizon is.
        """
        x, time = np.asarray(repeat_counts, dtype=np.float64), checked_length(horizon, "horizon")
        if (x < 0.0).any():
            raise LifetimeError("repeat purchases are counted from 0 on, and a count is negative")
        share = time / (self.alpha + time)
        never_gone = gammaln(self.r + x) - gammaln(self.r) - gammaln(x + 1.0)
        never_gone += -self.r * np.log1p(time / self.alpha) + _times_log(x, share)
        never_gone += betaln(self.a, self.b + x) - betaln(self.a, self.b)
        at_least_one = np.maximum(x, 1.0)
        log_gone = betaln(self.a + 1.0, self.b + at_least_one - 1.0) - betaln(self.a, self.b)
        gone = np.exp(log_gone) * betainc(at_least_one, self.r, share)
        found: Floats = np.clip(np.exp(never_gone) + np.where(x > 0.0, gone, 0.0), 0.0, 1.0)
        return found


def _times_log(counts: Floats, share: float) -> Floats:
    """Counts times the logarithm of the share, 0 log 0 being 0."""
    if share > 0.0:
        return np.asarray(counts * np.log(share))
    return np.where(counts > 0.0, -np.inf, 0.0)
