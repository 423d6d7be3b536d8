"""When customers buy: shares by season, favourites, and how sure that is."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.features import evenness
from segspark.features.calendars import NO_HOLIDAY, Calendar
from segspark.features.day_arrays import DayArrays
from segspark.features.evenness import Counts, Floats
from segspark.features.known import DAYPART_ORDERS
from segspark.tables.behaviour import CUSTOMER_SEASONS
from segspark.tables.purchases import DAYPART_HOURS, DAYPARTS

SEASON_READS = ("orders", *DAYPART_ORDERS)
"""Columns of the known rows that seasons are worked out from."""
_TYPES = {
    c.name: c.dtype.simpleString()
    for c in CUSTOMER_SEASONS.columns
    if c.name not in {"snapshot_id", "customer_id"}
}
SEASONS_TYPE = f"struct<{','.join(f'{name}:{kind}' for name, kind in _TYPES.items())}>"


def customer_seasons(summaries: DataFrame, *, snapshot_id: str) -> DataFrame:
    """Shares of orders by month, weekday, part of the day and holiday period.

    Args:
        summaries: From `customer_summaries`, with seasons.
        snapshot_id: Written into every row.

    Returns:
        Conforms to `CUSTOMER_SEASONS`, of the whole history: every customer known by the date,
        those without a purchase that stands with empty shares.
    """
    found = summaries.select(F.lit(snapshot_id).alias("snapshot_id"), "customer_id", "seasons.*")
    return CUSTOMER_SEASONS.conform(found)


def season_sums(days: DayArrays, divided: tuple[Calendar, ...], *, as_of: int) -> pa.StructArray:
    """Columns of `CUSTOMER_SEASONS` but ids, of the whole history.

    Args:
        days: With `SEASON_READS`.
        divided: The ways to divide days.
        as_of: Last day counted, in days since 1970-01-01.

    Returns:
        One struct per customer, of `SEASONS_TYPE`.
    """
    orders = days.sums["orders"]
    first = days.first(orders > 0)
    # Who never bought has had no day to buy on: time begins after the last one.
    first_day = np.where(first >= 0, days.day[first], as_of + 1)
    first_orders = np.where(first >= 0, orders[first], 0)
    order_count = days.of_customers(orders)
    found: dict[str, pa.Array] = {
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
    counts = np.stack([days.of_customers(days.sums[name]) for name in DAYPART_ORDERS], axis=1)
    hours = np.full_like(counts, DAYPART_HOURS)
    found |= _columns("daypart", tuple(DAYPARTS), (counts, hours), (counts, hours))
    return pa.StructArray.from_arrays([found[name] for name in _TYPES], names=list(_TYPES))


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
    p_values = evenness.p_value(*tested)
    favourite = evenness.favourites(counts * is_told, time)
    told = pa.array([*names, None], pa.string())
    return {
        f"{kind}_shares": _shares(counts, is_told, names),
        f"{kind}_concentration_ratio": _nullable(evenness.concentration(counts, time)),
        f"favourite_{kind}": told.take(pa.array(np.where(favourite < 0, len(names), favourite))),
        f"{kind}_strength_ratio": _nullable(evenness.strength(*tested, p_values)),
        f"{kind}_p_value": _nullable(p_values),
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
