"""Days of customers → what each customer's features are worked out from."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame

from segspark.features.day_arrays import (
    DayArrays,
    Flags,
    Whole,
    day_arrays,
    money,
    number_of_day,
    whole_customers,
)
from segspark.features.habits import HABIT_TYPES, habit_sums
from segspark.features.known import in_order, known_rows
from segspark.features.windows import window_sums, window_types
from segspark.settings.features import FeatureSettings

_COUNT, _MONEY, _DAY, _NUMBER = "bigint", "decimal(28,4)", "date", "double"
_SUMMED = (
    "orders",
    "spend",
    "order_count",
    "line_count",
    "quantity_units",
    "gross_amount",
    "discount_amount",
    "returned_amount",
)
_RFM_TYPES = {
    "first_purchase_date": _DAY,
    "last_purchase_date": _DAY,
    "frequency_count": _COUNT,
    "monetary_amount": _MONEY,
    "placed_orders": _COUNT,
    "placed_lines": _COUNT,
    "placed_units": _MONEY,
    "gross_amount": _MONEY,
    "discount_amount": _MONEY,
    "returned_amount": _MONEY,
    "orders_ever": _COUNT,
    "returned_ever": _MONEY,
}
_BTYD_TYPES = {
    "purchase_days": _COUNT,
    "last_day": _DAY,
    "day_spend": _MONEY,
    "first_spend": _MONEY,
}


def customer_sums(ledger: DataFrame, *, settings: FeatureSettings, as_of: date) -> DataFrame:
    """Sum the ledger to customers, as it was known on a day.

    Args:
        ledger: Conforms to `CUSTOMER_DAYS`; one ledger.
        settings: Net or gross, the observation window and the windows of recent days.
        as_of: Last day counted, inclusive; rows that become effective later are not seen.

    Returns:
        One row per customer known by the date: the first and the last day with an order, and sums,
        of the days observed; `orders_ever`, `returned_ever`, `first_purchase_date` and, for
        lifetime value, the number of purchase days, the last one, and the spend of all and of the
        first, over the whole history; `window_sums`; `habit_sums`.
    """
    types = {
        "customer_id": "string",
        **_RFM_TYPES,
        **_BTYD_TYPES,
        **HABIT_TYPES,
        **window_types(settings.windows_days),
    }
    return (
        known_rows(ledger, settings=settings, as_of=as_of)
        .transform(in_order, _SUMMED)
        .mapInArrow(
            _summed(settings, as_of), ", ".join(f"{name} {kind}" for name, kind in types.items())
        )
    )


def _summed(
    settings: FeatureSettings, as_of: date
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Batches of sorted rows → batches of sums."""
    length, windows, today = settings.observation_days, settings.windows_days, number_of_day(as_of)
    first = number_of_day(as_of - timedelta(days=length - 1)) if length else number_of_day(date.min)

    def sum_up(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for rows in whole_customers(batches):
            days = day_arrays(rows, _SUMMED)
            is_observed = days.day >= first
            yield pa.RecordBatch.from_pydict(
                {
                    "customer_id": days.customer_ids,
                    **_rfm_sums(days, is_observed),
                    **_btyd_sums(days),
                    **habit_sums(days, is_observed & (days.sums["orders"] > 0)),
                    **window_sums(days, windows, as_of=today),
                }
            )

    return sum_up


def _rfm_sums(days: DayArrays, is_observed: Flags) -> dict[str, pa.Array]:
    is_bought = days.sums["orders"] > 0

    def observed(name: str) -> Whole:
        return days.of_customers(days.sums[name], is_observed)

    return {
        "first_purchase_date": days.dates(days.first(is_bought)),
        "last_purchase_date": days.dates(days.last(is_bought & is_observed)),
        "frequency_count": pa.array(observed("orders")),
        "monetary_amount": money(observed("spend")),
        "placed_orders": pa.array(observed("order_count")),
        "placed_lines": pa.array(observed("line_count")),
        "placed_units": money(observed("quantity_units")),
        "gross_amount": money(observed("gross_amount")),
        "discount_amount": money(observed("discount_amount")),
        "returned_amount": money(observed("returned_amount")),
        "orders_ever": pa.array(days.of_customers(days.sums["order_count"])),
        "returned_ever": money(days.of_customers(days.sums["returned_amount"])),
    }


def _btyd_sums(days: DayArrays) -> dict[str, pa.Array]:
    """Purchase days over the whole history: Fader, Hardie and Lee's x, t_x and spend per day."""
    is_bought, spend = days.sums["orders"] > 0, days.sums["spend"]
    first = days.first(is_bought)
    return {
        "purchase_days": pa.array(days.of_customers(is_bought.astype(np.int64))),
        "last_day": days.dates(days.last(is_bought)),
        "day_spend": money(days.of_customers(spend, is_bought)),
        "first_spend": money(np.where(first >= 0, spend[first], 0)),
    }
