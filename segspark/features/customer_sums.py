"""Days of customers → what each customer's features are worked out from."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.features.calendars import calendars
from segspark.features.day_arrays import (
    DayArrays,
    Whole,
    day_arrays,
    number_of_day,
    whole_customers,
)
from segspark.features.habits import HABIT_TYPES, habit_sums
from segspark.features.known import in_order, known_rows
from segspark.features.seasons import SEASON_READS, SEASONS_TYPE, season_sums
from segspark.features.ten_thousandths import as_amount
from segspark.features.windows import window_sums, window_types
from segspark.settings.features import FeatureSettings
from segspark.tables.contract import MONEY
from segspark.tables.holding import Hold, as_is

_COUNT, _MONEY, _DAY = "bigint", MONEY.simpleString(), "date"


@dataclass(frozen=True, slots=True)
class _Sums:
    """Columns that are worked out together.

    Attributes:
        types: Their names, and the types that they end in.
        reads: Columns of the known rows that they are worked out from.
        work_out: Days of customers → the columns by name, decimals in ten-thousandths.
    """

    types: dict[str, str]
    reads: tuple[str, ...]
    work_out: Callable[[DayArrays], dict[str, pa.Array]]


def customer_sums(
    ledger: DataFrame,
    *,
    settings: FeatureSettings,
    as_of: date,
    with_seasons: bool = False,
    hold: Hold = as_is,
) -> DataFrame:
    """Sum the ledger to customers, as it was known on a day.

    Args:
        ledger: Conforms to `CUSTOMER_DAYS`; one ledger.
        settings: Net or gross, the observation window, the windows of recent days, the holidays.
        as_of: Last day counted, inclusive; rows that become effective later are not seen.
        with_seasons: Whether to add `seasons`, of the whole history, from which
            `customer_seasons` follow.
        hold: Keeps what Python worked out; by default each query works it out anew.

    Returns:
        The columns of `history_sums`; the last day with an order, and sums, of the days observed;
        `window_sums`; `habit_sums`; with seasons, their struct.
    """
    length, windows, today = settings.observation_days, settings.windows_days, number_of_day(as_of)
    first = number_of_day(as_of - timedelta(days=length - 1)) if length else number_of_day(date.min)
    habits = _Sums(
        HABIT_TYPES,
        ("orders",),
        lambda days: habit_sums(days, (days.day >= first) & (days.sums["orders"] > 0), as_of=today),
    )
    recent = _Sums(
        window_types(windows),
        ("orders", "spend"),
        lambda days: window_sums(days, windows, as_of=today),
    )
    known = known_rows(ledger, settings=settings, as_of=as_of)
    divided = calendars(settings.seasons)
    seasons = _Sums(
        {"seasons": SEASONS_TYPE},
        SEASON_READS,
        lambda days: {"seasons": season_sums(days, divided, as_of=today)},
    )
    wanted = (_HISTORY, _observed_from(first), habits, recent)
    return _summed(known, (*wanted, seasons) if with_seasons else wanted, hold)


def history_sums(ledger: DataFrame, *, settings: FeatureSettings, as_of: date) -> DataFrame:
    """Sum the whole history to customers, as it was known on a day, for lifetime value.

    Args:
        ledger: Conforms to `CUSTOMER_DAYS`; one ledger.
        settings: Net or gross.
        as_of: Last day counted, inclusive; rows that become effective later are not seen.

    Returns:
        One row per customer known by the date: `orders_ever`, `returned_ever`, the first and the
        last purchase day, how many there are, and the spend of all and of the first.
    """
    return _summed(known_rows(ledger, settings=settings, as_of=as_of), (_HISTORY,))


def _summed(known: DataFrame, wanted: Sequence[_Sums], hold: Hold = as_is) -> DataFrame:
    types = {"customer_id": "string"}
    for each in wanted:
        types |= each.types
    reads = list(dict.fromkeys(name for each in wanted for name in each.reads))

    def sum_up(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for rows in whole_customers(batches):
            days = day_arrays(rows, reads)
            found = {"customer_id": days.customer_ids}
            for each in wanted:
                found |= each.work_out(days)
            # Spark goes by the place of a column, not by its name.
            yield pa.RecordBatch.from_arrays([found[name] for name in types], names=list(types))

    decimals = [name for name, kind in types.items() if kind == _MONEY]
    sent = types | dict.fromkeys(decimals, _COUNT)
    schema = ", ".join(f"{name} {kind}" for name, kind in sent.items())
    summed = hold(known.transform(in_order, reads).mapInArrow(sum_up, schema))
    return summed.withColumns({name: as_amount(F.col(name), MONEY) for name in decimals})


def _history_sums(days: DayArrays) -> dict[str, pa.Array]:
    """Purchase days over the whole history: Fader, Hardie and Lee's x, t_x and spend per day."""
    is_bought, spend = days.sums["orders"] > 0, days.sums["spend"]
    first = days.first(is_bought)
    return {
        "first_purchase_date": days.dates(first),
        "last_day": days.dates(days.last(is_bought)),
        "purchase_days": pa.array(days.of_customers(is_bought.astype(np.int64))),
        "day_spend": pa.array(days.of_customers(spend, is_bought)),
        "first_spend": pa.array(np.where(first >= 0, spend[first], 0)),
        "orders_ever": pa.array(days.of_customers(days.sums["order_count"])),
        "returned_ever": pa.array(days.of_customers(days.sums["returned_amount"])),
    }


_HISTORY = _Sums(
    {
        "first_purchase_date": _DAY,
        "last_day": _DAY,
        "purchase_days": _COUNT,
        "day_spend": _MONEY,
        "first_spend": _MONEY,
        "orders_ever": _COUNT,
        "returned_ever": _MONEY,
    },
    ("orders", "spend", "order_count", "returned_amount"),
    _history_sums,
)
_OBSERVED_COUNTS = {
    "frequency_count": "orders",
    "placed_orders": "order_count",
    "placed_lines": "line_count",
}
_OBSERVED_MONEY = {
    "monetary_amount": "spend",
    "placed_units": "quantity_units",
    "gross_amount": "gross_amount",
    "discount_amount": "discount_amount",
    "returned_amount": "returned_amount",
}
_OBSERVED = _OBSERVED_COUNTS | _OBSERVED_MONEY


def _observed_from(first: int) -> _Sums:
    """Sums of the days from this one on, in days since 1970-01-01."""

    def sum_up(days: DayArrays) -> dict[str, pa.Array]:
        is_observed = days.day >= first

        def of(name: str) -> Whole:
            return days.of_customers(days.sums[name], is_observed)

        return {
            "last_purchase_date": days.dates(days.last(is_observed & (days.sums["orders"] > 0))),
            **{name: pa.array(of(summed)) for name, summed in _OBSERVED.items()},
        }

    types = {
        "last_purchase_date": _DAY,
        **dict.fromkeys(_OBSERVED_COUNTS, _COUNT),
        **dict.fromkeys(_OBSERVED_MONEY, _MONEY),
    }
    return _Sums(types, tuple(_OBSERVED.values()), sum_up)
