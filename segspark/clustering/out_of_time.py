"""What candidates would have been good for: figures of a past day and of the period after it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Self

from segspark.clustering.engine import Candidate
from segspark.lifetime.usefulness import Usefulness
from segspark.model.outliers import OutlierRule
from segspark.model.scores import Floats, Indices


@dataclass(frozen=True, slots=True, eq=False)
class OutOfTime:
    """All divisions of the same customers on a past day.

    Attributes:
        after: The past day.
        days: Length of the period after it.
        customer_count: Customers of the past day, of a sample where there are many.
        points: Those of them who were fitted, by the vector of the training, shape (n, d).
        candidates: Of each candidate that could be fitted on the past day.
        labels: Its clusters of the customers who were fitted, shape (n,).
        baselines: By title, of what needs no clustering.
    """

    after: date
    days: int
    customer_count: int
    points: Floats
    candidates: Mapping[Candidate, Usefulness]
    labels: Mapping[Candidate, Indices]
    baselines: Mapping[str, Usefulness]

    @property
    def period(self) -> str:
        """What they were held against, such as `the 90 days after 2017-10-02`."""
        return f"the {self.days} days after {self.after}"

    def fitted_by(self, rule: OutlierRule) -> Self:
        """Leave customers to compare whom a rule of today fits, too, where it takes them to be."""
        is_fitted = rule.is_fitted(self.points)
        labels = {candidate: own[is_fitted] for candidate, own in self.labels.items()}
        return replace(self, points=rule.fitted(self.points), labels=labels)
