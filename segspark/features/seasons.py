"""When customers buy: shares by season, favourites, and how sure that is."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from segspark.features import evenness
from segspark.features.evenness import Counts, Floats
from segspark.features.known import known_days
from segspark.settings.behaviour import DayRange, SeasonSettings, day_ranges
from segspark.settings.features import FeatureSettings
from segspark.tables.behaviour import CUSTOMER_SEASONS
from segspark.tables.purchases import DAYPART_HOURS, DAYPARTS

_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NO_HOLIDAY = ""
_HEAD = ("customer_id", "order_count", "later_order_count", "observed_days")
_SCHEMA = ", ".join(
    f"{c.name} {c.dtype.simpleString()}"
    for c in CUSTOMER_SEASONS.columns
    if c.name != "snapshot_id"
)


@dataclass(frozen=True, slots=True)
class _Kind:
    """A way to divide days.

    Attributes:
        name: Kind of season.
        levels: Its levels; one without a name is compared with the others and not told.
        level: Number of the level of the column `day`.
    """

    name: str
    levels: tuple[str, ...]
    level: Column


def customer_seasons(
    ledger: DataFrame, *, settings: FeatureSettings, as_of: date, snapshot_id: str
) -> DataFrame:
    """Shares of orders by month, weekday, part of the day and holiday period.

    Args:
        ledger: Conforms to `CUSTOMER_DAYS`; one ledger.
        settings: Net or gross, and the holidays; the observation window is left out.
        as_of: Last day counted; days and returns are as they were known then.
        snapshot_id: Written into every row.

    Returns:
        Conforms to `CUSTOMER_SEASONS`: every customer known by the date, those without a purchase
        that stands with empty shares.
    """
    kinds = _kinds(settings.seasons)
    calendar = _calendar(ledger, kinds, as_of)
    return (
        known_days(ledger, settings=settings, as_of=as_of)
        .withColumn("day", F.col("purchase_date"))
        .withColumns({kind.name: kind.level for kind in kinds})
        .transform(_counted, kinds, is_net=settings.monetary == "net")
        .join(F.broadcast(calendar), on="first_date", how="left")
        .select(*_kernel_columns(kinds))
        .mapInArrow(_measured(kinds), _SCHEMA)
        .withColumn("snapshot_id", F.lit(snapshot_id))
        .transform(CUSTOMER_SEASONS.conform)
    )


def _kinds(settings: SeasonSettings) -> tuple[_Kind, ...]:
    """The ways to divide days, in which dayparts have no part."""
    day = F.col("day")
    holidays = tuple(settings.holidays)
    rest = len(holidays)
    period = F.lit(rest)
    for number, name in reversed(list(enumerate(holidays))):
        period = F.when(_is_in(day, day_ranges(settings.holidays[name])), number).otherwise(period)
    return (
        _Kind("month", _MONTHS, F.month(day) - 1),
        _Kind("weekday", _WEEKDAYS, F.weekday(day)),
        _Kind("holiday", (*holidays, _NO_HOLIDAY), period),
    )


def _is_in(day: Column, ranges: Sequence[DayRange]) -> Column:
    of_year = F.month(day) * 100 + F.dayofmonth(day)
    found = F.lit(col=False)
    for each in ranges:
        first, last = (d.month * 100 + d.day for d in (each.first, each.last))
        if not each.is_yearly:
            found |= day.between(F.lit(each.first), F.lit(each.last))
        elif first <= last:
            found |= of_year.between(first, last)
        else:
            found |= (of_year >= first) | (of_year <= last)
    return found


def _calendar(ledger: DataFrame, kinds: Sequence[_Kind], as_of: date) -> DataFrame:
    """Days of each level from each day of the ledger's history to the as-of date, both counted.

    One row per `first_date`: its level of each kind, and `<kind>_days`.
    """
    first = ledger.agg(F.min("purchase_date").alias("first"))
    days = first.select(F.explode(F.sequence("first", F.lit(as_of))).alias("day")).withColumns(
        {kind.name: kind.level for kind in kinds}
    )
    # One task sorts all days of the history: some thousands.
    until_the_end = Window.orderBy(F.desc("day")).rowsBetween(
        Window.unboundedPreceding, Window.currentRow
    )
    return days.select(
        F.col("day").alias("first_date"),
        *(F.col(kind.name).alias(f"first_{kind.name}") for kind in kinds),
        *(
            F.array(
                *(
                    F.sum((F.col(kind.name) == level).cast("long")).over(until_the_end)
                    for level in range(len(kind.levels))
                )
            ).alias(f"{kind.name}_days")
            for kind in kinds
        ),
    )


def _counted(days: DataFrame, kinds: Sequence[_Kind], *, is_net: bool) -> DataFrame:
    """Orders of each customer by level: `<kind>_orders`, and what the first day had."""
    orders = F.col("orders")
    bought = F.when(orders > 0, F.col("purchase_date"))

    def daypart_orders(daypart: str) -> Column:
        placed = F.col(f"{daypart}_order_count")
        return placed - F.col(f"undone_{daypart}_order_count") if is_net else placed

    return days.groupBy("customer_id").agg(
        F.sum(orders).alias("order_count"),
        F.min(bought).alias("first_date"),
        F.min_by(orders, bought).alias("first_orders"),
        *(
            F.array(
                *(
                    F.sum(F.when(F.col(kind.name) == level, orders).otherwise(0))
                    for level in range(len(kind.levels))
                )
            ).alias(f"{kind.name}_orders")
            for kind in kinds
        ),
        F.array(*(F.sum(daypart_orders(daypart)) for daypart in DAYPARTS)).alias("daypart_orders"),
    )


def _kernel_columns(kinds: Sequence[_Kind]) -> list[Column]:
    """What is measured, zeros where a customer has no first day."""
    zero = F.lit(0).cast("long")
    found = [
        F.col("customer_id"),
        F.col("order_count"),
        F.coalesce("first_orders", zero).alias("first_orders"),
        F.col("daypart_orders"),
    ]
    for kind in kinds:
        nothing = F.array(*([zero] * len(kind.levels)))
        found += [
            F.col(f"{kind.name}_orders"),
            F.coalesce(f"{kind.name}_days", nothing).alias(f"{kind.name}_days"),
            F.coalesce(f"first_{kind.name}", zero).cast("long").alias(f"first_{kind.name}"),
        ]
    return found


def _measured(
    kinds: Sequence[_Kind],
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Batches of counts → batches of the table's columns."""
    levels = {kind.name: kind.levels for kind in kinds}

    def measure(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            if len(batch):
                yield _measure(batch, levels)

    return measure


def _measure(batch: pa.RecordBatch, levels: dict[str, tuple[str, ...]]) -> pa.RecordBatch:
    first = _numbers(batch.column("first_orders"))
    orders = _numbers(batch.column("order_count"))
    found: dict[str, pa.Array] = {
        "customer_id": batch.column("customer_id"),
        "order_count": batch.column("order_count"),
        "later_order_count": pa.array(orders - first),
        "observed_days": pa.array(_table(batch, "month_days").sum(axis=1)),
    }
    for name, names in levels.items():
        counts, time = _table(batch, f"{name}_orders"), _table(batch, f"{name}_days")
        opening = _numbers(batch.column(f"first_{name}"))
        later = _without(counts, opening, first)
        later_time = _without(time, opening, np.minimum(first, 1))
        found |= _columns(name, names, (counts, time), (later, later_time))
    counts = _table(batch, "daypart_orders")
    hours = np.full_like(counts, DAYPART_HOURS)
    found |= _columns("daypart", tuple(DAYPARTS), (counts, hours), (counts, hours))
    order = [c.name for c in CUSTOMER_SEASONS.columns if c.name != "snapshot_id"]
    return pa.RecordBatch.from_arrays([found[name] for name in order], names=order)


def _columns(
    kind: str,
    names: tuple[str, ...],
    everything: tuple[Counts, Counts],
    tested: tuple[Counts, Counts],
) -> dict[str, pa.Array]:
    """A kind's columns, from counts and time of all levels, and from those that are tested."""
    is_told = np.array([name != _NO_HOLIDAY for name in names])
    counts, time = everything
    favourite = evenness.favourites(counts * is_told, time)
    told = pa.array([*names, None], pa.string())
    return {
        f"{kind}_shares": _shares(counts, is_told, names),
        f"{kind}_concentration_ratio": _nullable(evenness.concentration(counts, time)),
        f"favourite_{kind}": told.take(pa.array(np.where(favourite < 0, len(names), favourite))),
        f"{kind}_strength_ratio": _nullable(evenness.strength(*tested)),
        f"{kind}_p_value": _nullable(evenness.p_value(*tested)),
    }


def _shares(counts: Counts, is_told: NDArray[np.bool_], names: tuple[str, ...]) -> pa.MapArray:
    """Level → share of the counts, of the levels with any."""
    is_there = (counts > 0) & is_told
    ends = np.concatenate([[0], is_there.sum(axis=1).cumsum()]).astype(np.int32)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    keys = pa.array(names, pa.string()).take(pa.array(np.nonzero(is_there)[1]))
    return pa.MapArray.from_arrays(pa.array(ends), keys, pa.array(shares[is_there]))


def _without(table: Counts, level: Counts, taken: Counts) -> Counts:
    rest = table.copy()
    rest[np.arange(len(table)), level] -= taken
    return rest


def _table(batch: pa.RecordBatch, name: str) -> Counts:
    """An array column as one row per customer."""
    values = _numbers(batch.column(name).flatten())
    return values.reshape(len(batch), -1)


def _numbers(column: pa.Array) -> Counts:
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.int64)


def _nullable(values: Floats) -> pa.Array:
    return pa.array(values, mask=np.isnan(values))
