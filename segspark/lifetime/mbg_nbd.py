"""MBG/NBD: Batislam, Denizel & Filiztekin 2007, International Journal of Research in Marketing."""

from dataclasses import dataclass
from typing import ClassVar

from segspark.lifetime.beta_geometric import BetaGeometricModel


@dataclass(frozen=True)
class MbgNbd(BetaGeometricModel):
    """Modified BG/NBD: a customer may drop out right after the first purchase as well.

    The same model is the CBG/NBD of Hoppe & Wagner 2007, Marketing JRM 3(2), whose equation for
    the conditional expectation is used: c = a + b + x.
    """

    title: ClassVar[str] = "MBG/NBD"
    chances_at_start: ClassVar[int] = 1
