"""Customers as of a past day and who of them churned, from Spark to arrays."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.features.lifetime_histories import (
    feature_names,
    numbers_of,
    sorted_columns,
)
from segspark.lifetime.arrays import Floats
from segspark.lifetime.churn_learning import ChurnDate
from segspark.lifetime.churn_methods import SeenCustomers
from segspark.lifetime.histories import PurchaseHistories

_TIMES = ("repeat_count", "last_repeat_days", "age_days")


def collect_churn_date(held_out: DataFrame, *, name: str) -> ChurnDate:
    """Bring a past day to the driver.

    Args:
        held_out: From `held_out_histories`, with features, over the churn days that follow the day:
            who has no purchase there, as it was known at their end, has churned.
        name: Of the day, for people.

    Returns:
        Rows in an order of their own, whatever Spark's was.
    """
    features = feature_names(held_out)
    churned = (F.col("later_count") == 0).cast("double")
    names = (*_TIMES, "has_churned", *features)
    columns = sorted_columns(held_out.withColumn("has_churned", churned), names)
    customers = _seen(columns[:3], columns[4:])
    return ChurnDate.of(name, customers, columns[3])


def seen_customers(rows: pa.Table | pa.RecordBatch, features: Sequence[str]) -> SeenCustomers:
    """Customers of Arrow columns of histories and features, in their order."""
    columns = [numbers_of(rows.column(name)) for name in (*_TIMES, *features)]
    return _seen(columns[:3], columns[3:])


def _seen(times: Sequence[Floats], features: Sequence[Floats]) -> SeenCustomers:
    x, t_x, ages = times
    count = len(ages)
    matrix = np.column_stack(features) if features else np.empty((count, 0))
    return SeenCustomers(PurchaseHistories(x, t_x, ages, np.ones(count)), matrix)
