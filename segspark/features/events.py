"""Events by day, and what customers do and receive beside purchases, as of a date."""

from collections.abc import Sequence
from datetime import date, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.settings.behaviour import EngagementSettings
from segspark.settings.features import LedgerSettings
from segspark.tables.engagement import (
    CUSTOMER_ENGAGEMENT,
    CUSTOMER_EVENT_DAYS,
    CUSTOMER_EVENT_TYPES,
)

EVENT_COLUMNS = (
    "batch_id",
    "customer_id",
    "event_type",
    "event_date",
    "quantity_units",
    "copies_count",
)
"""Columns of `customer_events` that the ledger of events is made of."""
_PARTS = "array<struct<event_type:string,engagement_score:double>>"
_EXACT = "decimal(28,12)"
"""Sums of it do not depend on the order, as sums of floats do."""


def customer_event_days(
    events: DataFrame, *, settings: LedgerSettings, ledger_id: str
) -> DataFrame:
    """Sum events to customer, type and day.

    Args:
        events: `EVENT_COLUMNS` of `customer_events`; the batches that count.
        settings: Whether exact duplicates count.
        ledger_id: Written into every row.

    Returns:
        Conforms to `CUSTOMER_EVENT_DAYS`.
    """
    copies = _copies(settings)
    quantity = F.col("quantity_units") * copies.cast("decimal(10,0)")
    return (
        events.filter(F.col("customer_id").isNotNull())
        .groupBy("customer_id", "event_type", "event_date")
        .agg(
            F.sum(copies).alias("event_count"),
            F.sum(quantity).cast("decimal(28,4)").alias("quantity_units"),
        )
        .withColumn("ledger_id", F.lit(ledger_id))
        .transform(CUSTOMER_EVENT_DAYS.conform)
    )


def counted_events(events: DataFrame, *, settings: LedgerSettings) -> DataFrame:
    """What a ledger of these events must add up to.

    Args:
        events: As for `customer_event_days`.
        settings: The same.

    Returns:
        One row: `event_count`, of known customers.
    """
    counted = F.sum(F.when(F.col("customer_id").isNotNull(), _copies(settings)))
    return events.agg(F.coalesce(counted, F.lit(0)).alias("event_count"))


def customer_event_types(
    days: DataFrame,
    *,
    settings: EngagementSettings,
    windows_days: Sequence[int],
    as_of: date,
    snapshot_id: str,
) -> DataFrame:
    """Sums of each customer and type of event, whether or not they have bought.

    Args:
        days: Conforms to `CUSTOMER_EVENT_DAYS`; one ledger.
        settings: Weights and half-life of the engagement score.
        windows_days: Lengths of the windows, each ending on the as-of date.
        as_of: Last day counted, inclusive.
        snapshot_id: Written into every row.

    Returns:
        Conforms to `CUSTOMER_EVENT_TYPES`.
    """
    day, count = F.col("event_date"), F.col("event_count")
    ago = F.datediff(F.lit(as_of), day)
    faded = (count * F.pow(F.lit(0.5), ago / F.lit(settings.half_life_days))).cast(_EXACT)
    total = F.sum("quantity_units").cast("decimal(28,4)")
    return (
        days.filter(day <= F.lit(as_of))
        .groupBy("customer_id", "event_type")
        .agg(
            F.min(day).alias("first_event_date"),
            F.max(day).alias("last_event_date"),
            F.min(ago).alias("event_recency_days"),
            F.sum(count).alias("events"),
            F.count("*").alias("event_days_count"),
            total.alias("quantity_units"),
            (total.cast("double") / F.sum(count)).alias("mean_quantity_units"),
            *_windows(windows_days, as_of),
            (F.sum(faded).cast("double") * _weight(settings)).alias("engagement_score"),
        )
        .withColumnRenamed("events", "event_count")
        .withColumn("snapshot_id", F.lit(snapshot_id))
        .transform(CUSTOMER_EVENT_TYPES.conform)
    )


def customer_engagement(types: DataFrame, customers: DataFrame, *, snapshot_id: str) -> DataFrame:
    """Sum the types up.

    Args:
        types: Conforms to `CUSTOMER_EVENT_TYPES`; one snapshot.
        customers: One row per `customer_id` of the snapshot.
        snapshot_id: Written into every row.

    Returns:
        Conforms to `CUSTOMER_ENGAGEMENT`: every one of the customers.
    """
    part = F.struct("event_type", "engagement_score")
    summed = types.groupBy("customer_id").agg(
        F.sum("event_count").alias("event_count"),
        F.count("*").alias("event_type_count"),
        F.max("last_event_date").alias("last_event_date"),
        F.min("event_recency_days").alias("event_recency_days"),
        F.sort_array(F.collect_list(part)).alias("parts"),
    )
    nothing = F.lit(0).cast("long")
    parts = F.coalesce(F.col("parts").cast(_PARTS), F.array().cast(_PARTS))
    # In order of the types, so that the sum of floats is always the same.
    score = F.aggregate(parts, F.lit(0.0), lambda sum_, each: sum_ + each["engagement_score"])
    return (
        customers.join(summed, on="customer_id", how="left")
        .withColumns(
            {
                "snapshot_id": F.lit(snapshot_id),
                "event_count": F.coalesce("event_count", nothing),
                "event_type_count": F.coalesce("event_type_count", nothing),
                "engagement_score": score,
                "engagement_parts": F.map_from_entries(parts),
            }
        )
        .transform(CUSTOMER_ENGAGEMENT.conform)
    )


def _copies(settings: LedgerSettings) -> Column:
    """How often a row counts."""
    copies = F.col("copies_count") if settings.exact_duplicates == "all" else F.lit(1)
    return copies.cast("long")


def _weight(settings: EngagementSettings) -> Column:
    """The weight of the row's type: 1 where no type has any, 0 of a type that has none."""
    if not settings.weights:
        return F.lit(1.0)
    weights = F.create_map(*(F.lit(x) for pair in settings.weights.items() for x in pair))
    return F.coalesce(F.try_element_at(weights, F.col("event_type")), F.lit(0.0))


def _windows(windows_days: Sequence[int], as_of: date) -> list[Column]:
    """Maps from the windows' lengths to counts, sums and means of units, and trends."""

    def summed(name: str, *, after: int, until: int = 0) -> Column:
        """Sum of the days that are at least `until` and fewer than `after` days ago."""
        first, last = as_of - timedelta(days=after), as_of - timedelta(days=until)
        is_inside = (F.col("event_date") > F.lit(first)) & (F.col("event_date") <= F.lit(last))
        return F.sum(F.when(is_inside, F.col(name)))

    counts = [F.coalesce(summed("event_count", after=n), F.lit(0)) for n in windows_days]
    units = [summed("quantity_units", after=n).cast("decimal(28,4)") for n in windows_days]
    means = [
        total.cast("double") / F.nullif(count, F.lit(0))
        for total, count in zip(units, counts, strict=True)
    ]
    trends = [
        F.coalesce(summed("event_count", after=n), F.lit(0))
        / F.nullif(summed("event_count", after=2 * n, until=n), F.lit(0))
        for n in windows_days
    ]
    return [
        _map(windows_days, counts).alias("window_event_counts"),
        _map(windows_days, units).alias("window_quantity_units"),
        _map(windows_days, means).alias("window_mean_quantity_units"),
        _map(windows_days, trends).alias("window_trend_ratios"),
    ]


def _map(keys: Sequence[int], values: Sequence[Column]) -> Column:
    """The values that are not NULL, by their keys."""
    everything = F.map_from_arrays(F.array(*map(F.lit, keys)), F.array(*values))
    return F.map_filter(everything, lambda _, value: value.isNotNull())
