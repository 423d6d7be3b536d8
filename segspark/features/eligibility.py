"""Who can be clustered: the features' own reasons, and those of the vector asked for."""

from collections.abc import Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F


def with_vector_eligibility(features: DataFrame, *, columns: Sequence[str]) -> DataFrame:
    """Add the reasons that the vector's logarithms give.

    Args:
        features: Conforms to `CUSTOMER_FEATURES`; one snapshot.
        columns: Columns that enter the vector.

    Returns:
        The same rows; `exclusion_reason` also says where money of the vector is not above zero.
    """
    money = [name for name in columns if name.endswith("_amount")]
    reasons = [F.when(F.col(name) <= 0, f"{name} not above zero") for name in money]
    own = F.col("exclusion_reason")
    return features.withColumn("exclusion_reason", reduce(_first, reasons, own))


def eligible(features: DataFrame) -> DataFrame:
    """Customers without a reason to be excluded."""
    return features.filter(F.col("exclusion_reason").isNull())


def _first(found: Column, other: Column) -> Column:
    return F.coalesce(found, other)
