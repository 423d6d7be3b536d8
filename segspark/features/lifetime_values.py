"""Fitted models and histories → each customer's lifetime value."""

from collections.abc import Callable, Iterator
from itertools import chain

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.features.churn import seen_customers
from segspark.features.lifetime_histories import OBSERVED, observed_customers
from segspark.lifetime.arrays import CHUNK_ROWS, Floats
from segspark.lifetime.baselines import historic_spend
from segspark.lifetime.churn_holdout import ServedChurn
from segspark.lifetime.customer_values import CustomerValuer, CustomerValues, ValueTerms
from segspark.tables.lifetime import CUSTOMER_LIFETIME_VALUES

Forecasts = tuple[CustomerValuer, ServedChurn]
"""Of value and of churn."""
_ESTIMATES = (
    "expected_purchase_count",
    "expected_purchase_lower_count",
    "expected_purchase_upper_count",
    "probability_alive_ratio",
    "probability_alive_lower_ratio",
    "probability_alive_upper_ratio",
    "expected_purchase_amount",
    "expected_purchase_lower_amount",
    "expected_purchase_upper_amount",
    "lifetime_value_amount",
    "lifetime_value_lower_amount",
    "lifetime_value_upper_amount",
    "churn_probability_ratio",
)
_NAMES = (*_ESTIMATES, "historic_spend_amount")
_SCORED = ", ".join(["customer_id string", *(f"{name} double" for name in _NAMES)])


def customer_lifetime_values(
    histories: DataFrame,
    *,
    forecasts: Forecasts | None,
    terms: ValueTerms,
    failure: str,
    lifetime_id: str,
) -> DataFrame:
    """Value every customer, or say why not.

    Args:
        histories: From `purchase_histories`, with the features that the forecast of churn needs.
        forecasts: The chosen models and the forecast of churn; None where none could be fitted.
        terms: Horizon and margin of the baseline.
        failure: Why there are no forecasts.
        lifetime_id: Written into every row.

    Returns:
        Conforms to `CUSTOMER_LIFETIME_VALUES`: as many rows as there are histories.
    """
    known = histories.filter(F.col("exclusion_reason").isNull())
    # Equal (x, T) side by side are worked out once, and rows come in an order of their own.
    names = forecasts[1].forecaster.feature_names if forecasts else ()
    ordered = known.select("customer_id", *OBSERVED, *names).sortWithinPartitions(
        "repeat_count", "age_days", "customer_id"
    )
    scored = ordered.mapInArrow(_scorer(forecasts, terms), _SCORED)
    reason = F.lit(failure if forecasts is None else None).cast("string")
    without = histories.filter(F.col("exclusion_reason").isNotNull()).select(
        "customer_id", F.col("exclusion_reason").alias("reason")
    )
    method = F.lit(forecasts[1].method if forecasts else None).cast("string")
    with_reason = scored.withColumns({"reason": reason, "churn_method": method})
    everyone = with_reason.unionByName(without, allowMissingColumns=True)
    return everyone.withColumn("lifetime_id", F.lit(lifetime_id)).transform(
        CUSTOMER_LIFETIME_VALUES.conform
    )


def _scorer(
    forecasts: Forecasts | None, terms: ValueTerms
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Batches of histories → batches of values, many rows at once: equal (x, T) cost one."""

    def score(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for rows in _in_chunks(batches):
            customers = observed_customers(rows)
            if forecasts is None:
                historic = historic_spend(customers, terms.horizon_days) * terms.margin_ratio
                missing = pa.nulls(len(customers), pa.float64())
                columns = [*([missing] * len(_ESTIMATES)), pa.array(historic)]
            else:
                valuer, churn = forecasts
                seen = seen_customers(rows, churn.forecaster.feature_names)
                likely = churn.forecaster.probabilities(seen)
                columns = [pa.array(each) for each in _columns(valuer.value(customers), likely)]
            ids = rows.column("customer_id").combine_chunks()
            yield pa.RecordBatch.from_arrays([ids, *columns], names=["customer_id", *_NAMES])

    return score


def _columns(found: CustomerValues, churn: Floats) -> list[Floats]:
    """In the order of `_NAMES`."""
    estimates = (found.purchases, found.alive, found.spends, found.values)
    return [*chain.from_iterable(estimates), churn, found.historic_spends]


def _in_chunks(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        if sum(map(len, held)) >= CHUNK_ROWS:
            yield pa.Table.from_batches(held)
            held = []
    if sum(map(len, held)):
        yield pa.Table.from_batches(held)
