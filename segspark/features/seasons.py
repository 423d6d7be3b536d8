"""When customers buy: shares by season, favourites, and how sure that is."""

from collections.abc import Callable, Iterator
from datetime import date

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.features import evenness
from segspark.features.calendars import NO_HOLIDAY, Calendar, calendars
from segspark.features.day_arrays import DayArrays, day_arrays, number_of_day, whole_customers
from segspark.features.evenness import Counts, Floats
from segspark.features.known import in_order, kept, known_rows
from segspark.settings.features import FeatureSettings
from segspark.tables.behaviour import CUSTOMER_SEASONS
from segspark.tables.purchases import DAYPART_HOURS, DAYPARTS

_DAYPART_COLUMNS = tuple(f"{daypart}_orders" for daypart in DAYPARTS)
_SUMMED = ("orders", *_DAYPART_COLUMNS)
_NAMES = tuple(c.name for c in CUSTOMER_SEASONS.columns if c.name != "snapshot_id")
_SCHEMA = ", ".join(
    f"{c.name} {c.dtype.simpleString()}" for c in CUSTOMER_SEASONS.columns if c.name in _NAMES
)


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
    dayparts = {
        f"{name}_orders": kept(settings, f"{name}_order_count", f"undone_{name}_order_count")
        for name in DAYPARTS
    }
    return (
        known_rows(ledger, settings=settings, as_of=as_of)
        .withColumns(dayparts)
        .transform(in_order, _SUMMED)
        .mapInArrow(_measured(calendars(settings.seasons), number_of_day(as_of)), _SCHEMA)
        .withColumn("snapshot_id", F.lit(snapshot_id))
        .transform(CUSTOMER_SEASONS.conform)
    )


def _measured(
    divided: tuple[Calendar, ...], as_of: int
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Batches of sorted rows of the ledger → batches of the table's columns."""

    def measure(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for rows in whole_customers(batches):
            yield _measure(day_arrays(rows, _SUMMED), divided, as_of)

    return measure


def _measure(days: DayArrays, divided: tuple[Calendar, ...], as_of: int) -> pa.RecordBatch:
    orders = days.sums["orders"]
    first = days.first(orders > 0)
    # Who never bought has had no day to buy on: time begins after the last one.
    first_day = np.where(first >= 0, days.day[first], as_of + 1)
    first_orders = np.where(first >= 0, orders[first], 0)
    order_count = days.of_customers(orders)
    found: dict[str, pa.Array] = {
        "customer_id": days.customer_ids,
        "order_count": pa.array(order_count),
        "later_order_count": pa.array(order_count - first_orders),
        "observed_days": pa.array(as_of + 1 - first_day),
    }
    for calendar in divided:
        counts = _counted(days, calendar)
        time = calendar.time(first_day, as_of)
        opening = calendar.level(first_day)
        later = _without(counts, opening, first_orders)
        later_time = _without(time, opening, (first >= 0).astype(np.int64))
        found |= _columns(calendar.name, calendar.levels, (counts, time), (later, later_time))
    counts = np.stack([days.of_customers(days.sums[name]) for name in _DAYPART_COLUMNS], axis=1)
    hours = np.full_like(counts, DAYPART_HOURS)
    found |= _columns("daypart", tuple(DAYPARTS), (counts, hours), (counts, hours))
    return pa.RecordBatch.from_arrays([found[name] for name in _NAMES], names=_NAMES)


def _counted(days: DayArrays, calendar: Calendar) -> Counts:
    """Orders of each customer in each level, shape (customers, levels)."""
    levels, customers = len(calendar.levels), len(days.customer_ids)
    cell = days.owner * levels + calendar.level(days.day)
    counted = np.bincount(cell, days.sums["orders"], minlength=customers * levels)
    return counted.astype(np.int64).reshape(customers, levels)


def _columns(
    kind: str,
    names: tuple[str, ...],
    everything: tuple[Counts, Counts],
    tested: tuple[Counts, Counts],
) -> dict[str, pa.Array]:
    """A kind's columns, from counts and time of all levels, and from those that are tested."""
    is_told = np.array([name != NO_HOLIDAY for name in names])
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


def _nullable(values: Floats) -> pa.Array:
    return pa.array(values, mask=np.isnan(values))
