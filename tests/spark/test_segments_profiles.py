"""What each segment is like, whatever the features of a user's own are called."""

from decimal import Decimal

from pyspark.sql import DataFrame, SparkSession

from segspark.segments.profiles import summarise
from tests.builders import table

ASSIGNED = "customer_id string, segment_id string, confidence_ratio double, is_outlier boolean"
FEATURES = (
    "customer_id string, monetary_amount decimal(28,4), recency_score int, frequency_score int, "
    "monetary_score int, recency_days int, frequency_count long, average_order_amount double, "
    "tenure_days int, segment_id double, is_outlier double, confidence_ratio double, spend double"
)
OWN = ("segment_id", "is_outlier", "confidence_ratio", "spend")


def features(spark: SparkSession) -> DataFrame:
    return table(
        spark,
        FEATURES,
        ("a", Decimal(30), 5, 1, 3, 2, 1, 30.0, 2, 7.0, 0.5, 10.0, None),
        ("b", Decimal(10), 3, 1, 1, 4, 1, 10.0, 4, 9.0, 0.5, 20.0, None),
        ("c", Decimal(90), 1, 5, 5, 9, 3, 30.0, 99, 1.0, 2.5, 30.0, None),
    )


def test_custom_features_called_like_columns_of_the_segments_are_profiled_as_well(
    spark: SparkSession,
) -> None:
    assigned = table(
        spark, ASSIGNED, ("a", "S2", 0.9, True), ("b", "S2", 0.7, False), ("c", "S1", 0.8, False)
    )

    rows = summarise(assigned, features(spark), by="segment_id", custom=OWN)

    assert [row["segment_id"] for row in rows] == ["S1", "S2"]
    assert [row["spend"] for row in rows] == [90, 40]
    assert [row["is_outlier"] for row in rows] == [0.0, 0.5]
    own = [[row[f"{name}_mean"] for name in OWN] for row in rows]
    assert own == [[1.0, 2.5, 30.0, None], [8.0, 0.5, 15.0, None]]
