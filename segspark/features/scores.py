"""RFM scores 1 to 5 by cuts: ties share a score, whatever the partitioning."""

from collections.abc import Mapping
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.features.rfm_segments import rfm_segment
from segspark.settings.features import FeatureSettings

Cuts = Mapping[str, tuple[float, ...]]
"""Feature column → four cuts that do not fall."""
_SCORED = {
    "recency_days": "recency_score",
    "frequency_count": "frequency_score",
    "monetary_amount": "monetary_score",
}
_QUINTILES = (0.2, 0.4, 0.6, 0.8)


def score_cuts(summaries: DataFrame, *, settings: FeatureSettings) -> Cuts:
    """The cuts of the settings, or the quintiles of the eligible customers.

    Args:
        summaries: From `customer_summaries`; read by one Spark job, for quintiles only.
        settings: May hold fixed cuts.

    Returns:
        Four cuts for each of recency, frequency and monetary value; quantiles are exact, with
        linear interpolation. Without an eligible customer the cuts are zeros.
    """
    if settings.score_cuts is not None:
        return {name: tuple(getattr(settings.score_cuts, name)) for name in _SCORED}
    eligible = summaries.filter(F.col("exclusion_reason").isNull())
    probabilities = F.array(*map(F.lit, _QUINTILES))
    row = eligible.agg(
        *(F.percentile(F.col(name).cast("double"), probabilities).alias(name) for name in _SCORED)
    ).collect()[0]
    return {name: tuple(row[name] or (0.0,) * len(_QUINTILES)) for name in _SCORED}


def score_columns(cuts: Cuts) -> dict[str, Column]:
    """The three scores, their string and the name of their cell.

    Score = 1 + number of cuts below the value; recency counts down from 5, since few days are good.
    NULL values have NULL scores.
    """
    scores: dict[str, Column] = {}
    for feature, score in _SCORED.items():
        value = F.col(feature).cast("double")
        above = reduce(Column.__add__, [(value > cut).cast("int") for cut in cuts[feature]])
        scores[score] = 5 - above if feature == "recency_days" else 1 + above
    # concat, not concat_ws: a missing score leaves no shorter string behind.
    text = F.concat(*(score.cast("string") for score in scores.values()))
    return {**scores, "rfm_score": text, "rfm_segment": rfm_segment(*scores.values())}
