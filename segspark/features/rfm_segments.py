"""The named RFM map: one name for each of the 125 cells of three scores."""

from collections.abc import Sequence

from pyspark.sql import Column
from pyspark.sql import functions as F

RFM_MAP: Sequence[tuple[str, tuple[int, int], tuple[int, int]]] = (
    ("champions", (4, 5), (4, 5)),
    ("loyal customers", (4, 5), (3, 3)),
    ("loyal customers", (3, 3), (4, 5)),
    ("potential loyalists", (4, 5), (2, 2)),
    ("new customers", (5, 5), (1, 1)),
    ("promising", (4, 4), (1, 1)),
    ("need attention", (3, 3), (2, 3)),
    ("about to sleep", (2, 3), (1, 1)),
    ("at risk", (2, 2), (3, 5)),
    ("at risk", (1, 1), (3, 3)),
    ("cannot lose them", (1, 1), (4, 5)),
    ("hibernating", (1, 2), (2, 2)),
    ("lost", (1, 1), (1, 1)),
)
"""Name, first and last recency score, first and last level of frequency and monetary value.

Each rectangle lies within the published ranges of its name; where those overlap, it is what is left
to the narrower one. None overlaps another, and together they are the whole square.
"""


def value_level(frequency_score: Column, monetary_score: Column) -> Column:
    """Mean of the two scores as a whole number, halves upwards."""
    return F.floor((frequency_score + monetary_score + 1) / 2)


def rfm_segment(recency_score: Column, frequency_score: Column, monetary_score: Column) -> Column:
    """The name of a customer's cell; NULL where a score is missing."""
    level = value_level(frequency_score, monetary_score)
    return F.coalesce(
        *(
            F.when(recency_score.between(*recency) & level.between(*value), name)
            for name, recency, value in RFM_MAP
        )
    )
