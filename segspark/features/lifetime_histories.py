"""What lifetime models see of a ledger: histories as of a day, and the purchases after it."""

from collections.abc import Iterable, Sequence
from datetime import date

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from segspark.features.customers import (
    customer_histories,
    customer_summaries,
    without_scores,
)
from segspark.features.known import known_days
from segspark.lifetime.arrays import Floats
from segspark.lifetime.compression import CELL_DAYS, CELL_LOG_SPEND
from segspark.lifetime.fitted import Statistics
from segspark.lifetime.histories import PurchaseHistories, SpendHistories
from segspark.lifetime.observed import Fold, ObservedCustomers
from segspark.settings.features import FeatureSettings
from segspark.tables.features import built_in_features
from segspark.tables.purchase_features import SCORE_FEATURES

OBSERVED = ("repeat_count", "last_repeat_days", "age_days", "repeat_mean", "day_mean")
MOST_TRIPLES = 5_000_000
"""So many distinct (x, t_x, T) are fitted exactly; of more, cells."""
_OWN_COLUMNS = {
    "customer_id",
    "exclusion_reason",
    "first_purchase_date",
    *OBSERVED,
    "later_count",
    "later_amount",
}
_HASHES = 1_000_000
_EXACT_SPEND = "decimal(34,10)"
"""Sums of it do not depend on the order, as sums of floats do."""


def purchase_histories(
    ledger: DataFrame, *, settings: FeatureSettings, as_of: date, with_features: bool = False
) -> DataFrame:
    """Histories of every customer known by the date.

    The observation window is left out: without the customers who have long been silent, the models
    would learn that nobody drops out.

    Args:
        ledger: Conforms to `CUSTOMER_DAYS`; one ledger.
        settings: Net or gross, and the windows of recent days.
        as_of: Last day counted, inclusive.
        with_features: Whether to add the numbers of `customer_features`, which only trees ask for:
            all but scores, those of the windows asked for, and custom ones as `custom_` and their
            name, so that none is called like a column of histories.

    Returns:
        One row per customer: `customer_id`, `exclusion_reason`, `first_purchase_date`,
        `OBSERVED` as doubles: x, t_x and T in days, mean spends of repeat days (0 without one) and
        of all days, NULL where there is a reason; and the features as doubles.
    """
    whole = settings.model_copy(update={"observation_days": None})
    if with_features:
        summaries = customer_summaries(ledger, settings=whole, as_of=as_of)
        customers = without_scores(summaries, settings=whole, as_of=as_of)
    else:
        customers = customer_histories(ledger, settings=whole, as_of=as_of)
    features = _features(settings) if with_features else {}
    repeat_mean = F.coalesce("btyd_repeat_mean_amount", F.lit(0.0))
    columns = {
        "repeat_count": F.col("btyd_repeat_count"),
        "last_repeat_days": F.col("btyd_last_repeat_days"),
        "age_days": F.col("btyd_age_days"),
        "repeat_mean": F.when(F.col("exclusion_reason").isNull(), repeat_mean),
        "day_mean": F.col("btyd_day_mean_amount"),
    }
    return customers.select(
        "customer_id",
        "exclusion_reason",
        "first_purchase_date",
        *(column.cast("double").alias(name) for name, column in columns.items()),
        *(F.col(feature).cast("double").alias(name) for name, feature in features.items()),
    )


def _features(settings: FeatureSettings) -> dict[str, str]:
    """Name beside a history → column of `customer_features`."""
    built_in = {
        each.name: each.name
        for each in built_in_features(settings)
        if isinstance(each.dtype, T.NumericType) and each not in SCORE_FEATURES
    }
    return built_in | {f"custom_{each.name}": each.name for each in settings.custom}


def feature_names(histories: DataFrame) -> tuple[str, ...]:
    """The features beside histories, from `purchase_histories` or `held_out_histories`."""
    return tuple(name for name in histories.columns if name not in _OWN_COLUMNS)


def held_out_histories(
    ledger: DataFrame,
    *,
    settings: FeatureSettings,
    after: date,
    until: date,
    with_features: bool = False,
) -> DataFrame:
    """Histories as of a day, with what customers bought after it.

    Args:
        ledger: Conforms to `CUSTOMER_DAYS`; one ledger.
        settings: Net or gross, and the windows of recent days.
        after: Last day of calibration.
        until: Last day held out, inclusive; returns up to then count.
        with_features: As for `purchase_histories`.

    Returns:
        `purchase_histories` of the customers that have one, `later_count` (purchase days) and
        `later_amount` (spend on them), 0 of who bought nothing.
    """
    later = later_purchases(ledger, settings=settings, after=after, until=until)
    histories = purchase_histories(
        ledger, settings=settings, as_of=after, with_features=with_features
    )
    known = histories.filter(F.col("exclusion_reason").isNull())
    return known.join(later, on="customer_id", how="left").na.fill(
        0.0, ["later_count", "later_amount"]
    )


def later_purchases(
    ledger: DataFrame, *, settings: FeatureSettings, after: date, until: date
) -> DataFrame:
    """What customers bought after a day.

    Args:
        ledger: Conforms to `CUSTOMER_DAYS`; one ledger.
        settings: Net or gross.
        after: The day.
        until: Last day counted, inclusive; returns up to then count.

    Returns:
        One row per customer who bought: `customer_id`, `later_count` (purchase days) and
        `later_amount` (spend on them), doubles.
    """
    days = known_days(ledger, settings=settings, as_of=until)
    bought = days.filter((F.col("purchase_date") > F.lit(after)) & (F.col("orders") > 0))
    return bought.groupBy("customer_id").agg(
        F.count("*").cast("double").alias("later_count"),
        F.sum("spend").cast("double").alias("later_amount"),
    )


def collect_fold(held_out: DataFrame, *, days: int, name: str) -> Fold:
    """Bring a fold to the driver.

    Args:
        held_out: From `held_out_histories`.
        days: Length of the hold-out period.
        name: Of the fold, for people.

    Returns:
        Rows in an order of their own, whatever Spark's was.
    """
    columns = (*OBSERVED, "later_count", "later_amount")
    found = sorted_columns(held_out, columns)
    return Fold(name, float(days), _customers(found[:5]), found[5], found[6])


def sampled(ledger: DataFrame, *, customer_count: int, most: int) -> DataFrame:
    """The rows of all customers, or of about `most`, by a hash of the id: always the same ones.

    Args:
        ledger: Conforms to `CUSTOMER_DAYS`. Spark sees nothing through what Python works out, so
            what is made of it is too late to sample: all of it would have been worked out.
        customer_count: No fewer customers than there are.
        most: How many are enough.
    """
    if customer_count <= most:
        return ledger
    limit = int(most / customer_count * _HASHES)
    return ledger.filter(F.pmod(F.xxhash64("customer_id"), F.lit(_HASHES)) < limit)


def observed_customers(rows: pa.Table | pa.RecordBatch) -> ObservedCustomers:
    """Customers of Arrow columns named `OBSERVED`, none of them NULL, in their order."""
    return _customers([numbers_of(rows.column(name)) for name in OBSERVED])


def history_statistics(histories: DataFrame, *, customer_count: int) -> Statistics:
    """What the fits need, counted by Spark: three queries, however many customers.

    The same formulas as in `segspark.lifetime.compression`.

    Args:
        histories: From `purchase_histories`; only rows without a reason count.
        customer_count: No fewer customers than there are.
    """
    known = histories.filter(F.col("exclusion_reason").isNull())
    return Statistics(
        _triples(known, customer_count),
        *_spend_cells(known),
        mean_spend=_mean_spend(known),
    )


def _triples(known: DataFrame, customer_count: int) -> PurchaseHistories:
    times = ("last_repeat_days", "age_days")
    keys: list[Column] = [F.col(name) for name in ("repeat_count", *times)]
    customers = F.count("*").cast("double").alias("customers")
    counted = known.groupBy(*keys).agg(customers)
    # There are no more of them than customers, so most shops need not be asked.
    if customer_count > MOST_TRIPLES and counted.count() > MOST_TRIPLES:
        cells = [F.floor(F.col(name) / CELL_DAYS).alias(f"{name}_cell") for name in times]
        # Whole days are summed exactly, in whatever order.
        means = (F.avg(name).alias(name) for name in times)
        counted = known.groupBy("repeat_count", *cells).agg(*means, customers)
    columns = ("repeat_count", *times, "customers")
    return PurchaseHistories(*sorted_columns(counted, columns))


def _spend_cells(known: DataFrame) -> tuple[SpendHistories, SpendHistories]:
    """Of repeat days, and of all days."""
    pairs = F.array(
        _spend(is_all_days=False, days=F.col("repeat_count"), mean=F.col("repeat_mean")),
        _spend(is_all_days=True, days=F.col("repeat_count") + 1.0, mean=F.col("day_mean")),
    )
    exploded = known.select(F.inline(pairs)).filter((F.col("days") > 0) & (F.col("mean") > 0))
    cells = exploded.groupBy(
        "is_all_days", "days", F.floor(F.log("mean") / CELL_LOG_SPEND).alias("cell")
    ).agg(
        (F.sum(F.col("mean").cast(_EXACT_SPEND)).cast("double") / F.count("*")).alias("mean"),
        F.count("*").cast("double").alias("customers"),
    )
    columns = ("is_all_days", "days", "mean", "customers")
    kind, days, means, customers = sorted_columns(cells, columns)
    repeats = kind == 0.0
    return (
        SpendHistories(days[repeats], means[repeats], customers[repeats]),
        SpendHistories(days[~repeats], means[~repeats], customers[~repeats]),
    )


def _spend(*, is_all_days: bool, days: Column, mean: Column) -> Column:
    kind = F.lit(float(is_all_days))
    return F.struct(kind.alias("is_all_days"), days.alias("days"), mean.alias("mean"))


def _mean_spend(known: DataFrame) -> float:
    days = F.col("repeat_count") + 1.0
    spent = F.sum((days * F.col("day_mean")).cast(_EXACT_SPEND)).cast("double")
    found = known.agg((spent / F.sum(days)).alias("mean")).collect()[0]["mean"]
    return float(found) if found is not None else 0.0


def _customers(columns: Iterable[Floats]) -> ObservedCustomers:
    x, t_x, ages, repeat_means, day_means = columns
    seen = PurchaseHistories(x, t_x, ages, np.ones(len(x)))
    return ObservedCustomers(seen, repeat_means, day_means)


def sorted_columns(df: DataFrame, names: Sequence[str]) -> list[Floats]:
    """Columns of numbers with the rows in the order of their values: Spark's own may differ."""
    rows = df.select(*names).toArrow()
    columns = [numbers_of(rows.column(name)) for name in names]
    order = np.lexsort(columns[::-1])
    return [column[order] for column in columns]


def numbers_of(column: pa.ChunkedArray | pa.Array) -> Floats:
    """A column of numbers, with NaN where there is none."""
    return np.asarray(column.to_numpy(), dtype=np.float64)
