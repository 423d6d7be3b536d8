"""What candidates would have been good for: figures of a past day and of the period after it."""

from collections.abc import Mapping
from dataclasses import dataclass

from segspark.clustering.engine import Candidate
from segspark.lifetime.usefulness import Usefulness
from segspark.model.scores import Floats, Indices


@dataclass(frozen=True, slots=True, eq=False)
class OutOfTime:
    """All divisions of the same customers on a past day.

    Attributes:
        period: What they were held against, such as `the 90 days after 2017-10-02`.
        points: The customers of the past day, a sample where there are many, by the vector of the
            training, shape (n, d).
        candidates: Of each candidate that could be fitted on the past day.
        labels: Its clusters of these customers, shape (n,).
        baselines: By title, of what needs no clustering.
    """

    period: str
    points: Floats
    candidates: Mapping[Candidate, Usefulness]
    labels: Mapping[Candidate, Indices]
    baselines: Mapping[str, Usefulness]
