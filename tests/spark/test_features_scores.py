"""RFM scores: quintiles as numpy computes them, ties together."""

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession

from segspark.features.scores import score_columns, score_cuts
from segspark.settings.features import FeatureSettings
from tests.builders import table
from tests.purchases import values

SCHEMA = (
    "recency_days int, frequency_count long, monetary_amount decimal(28,4), exclusion_reason string"
)
ROWS = [(n % 23, n % 4 + 1, round(n**1.7), None) for n in range(57)]
FIXED = {
    "recency_days": (10.0, 20.0, 30.0, 40.0),
    "frequency_count": (1.0, 2.0, 2.0, 6.0),
    "monetary_amount": (5.0, 50.0, 500.0, 5000.0),
}


def summaries(spark: SparkSession, *rows: tuple[object, ...]) -> DataFrame:
    from_ints = table(spark, SCHEMA.replace("decimal(28,4)", "long"), *rows)
    return from_ints.withColumn(
        "monetary_amount", from_ints["monetary_amount"].cast("decimal(28,4)")
    )


def test_cuts_are_linear_quintiles_of_the_eligible_customers(spark: SparkSession) -> None:
    frame = summaries(spark, *ROWS, (9999, 9999, 9999, "every purchase was undone"))
    cuts = score_cuts(frame, settings=FeatureSettings())
    expected = np.quantile(np.array([row[:3] for row in ROWS]), [0.2, 0.4, 0.6, 0.8], axis=0)
    for column, name in enumerate(FIXED):
        np.testing.assert_allclose(cuts[name], expected[:, column], rtol=1e-12)


def test_cuts_do_not_depend_on_partitioning(spark: SparkSession) -> None:
    frame = summaries(spark, *ROWS)
    settings = FeatureSettings()
    assert score_cuts(frame.repartition(5), settings=settings) == score_cuts(
        frame.coalesce(1), settings=settings
    )


def test_fixed_cuts_are_taken_as_they_are(spark: SparkSession) -> None:
    settings = FeatureSettings.model_validate({"score_cuts": FIXED})
    assert score_cuts(summaries(spark, *ROWS), settings=settings) == FIXED


def test_without_an_eligible_customer_there_are_still_cuts(spark: SparkSession) -> None:
    frame = summaries(spark, (None, 0, 0, "no purchase, only returns"))
    assert set(score_cuts(frame, settings=FeatureSettings()).values()) == {(0.0, 0.0, 0.0, 0.0)}


@pytest.mark.parametrize(
    ("values_of_row", "score"),
    [
        ((0, 1, 0), "511"),
        ((10, 1, 5), "511"),
        ((11, 2, 6), "422"),
        ((40, 6, 5000), "244"),
        ((41, 7, 5001), "155"),
        ((30, 3, 51), "343"),
    ],
)
def test_a_value_on_a_cut_scores_as_below_it(
    spark: SparkSession, values_of_row: tuple[int, int, int], score: str
) -> None:
    frame = summaries(spark, (*values_of_row, None)).withColumns(score_columns(FIXED))
    assert values(frame, "rfm_score") == [(score,)]


def test_equal_values_share_their_scores_and_missing_ones_have_none(spark: SparkSession) -> None:
    frame = summaries(spark, *[(5, 2, 7, None)] * 9, (None, 2, 7, "undone"))
    scored = frame.repartition(4).withColumns(
        score_columns(score_cuts(frame, settings=FeatureSettings()))
    )
    found = values(scored, "recency_score", "rfm_score")
    assert len(set(found[:9])) == 1
    assert found[9] == (None, None)
