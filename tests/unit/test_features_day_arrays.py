"""Rows of the ledger as arrays: against plain loops, however the rows come in batches."""

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from random import Random

import numpy as np
import pyarrow as pa
import pytest

from segspark.errors import StageError
from segspark.features import day_arrays as arrays
from segspark.features.day_arrays import DayArrays, day_arrays, whole_customers

START = date(2026, 1, 30)


def drawn(seed: int) -> pa.Table:
    """Customers of one to nine rows over a few days, in order of customer and day."""
    random = Random(seed)  # noqa: S311 - the same every time
    rows = [
        (f"c{number:03d}", START + timedelta(days=random.randint(0, 5)), random.randint(-3, 9))
        for number in range(60)
        for _ in range(random.randint(1, 9))
    ]
    rows.sort(key=lambda row: row[:2])
    customers, days, orders = zip(*rows, strict=True)
    amounts = [n * 12345 for n in orders]
    return pa.table(
        {
            "customer_id": pa.array(customers),
            "purchase_date": pa.array(days),
            "orders": pa.array(orders, pa.int64()),
            "spend": pa.array(amounts, pa.int64()),
        }
    )


def summed(rows: pa.Table) -> dict[tuple[str, date], list[int]]:
    """By a plain loop: orders and spend of each customer and day."""
    found: dict[tuple[str, date], list[int]] = defaultdict(lambda: [0, 0])
    for row in rows.to_pylist():
        sums = found[row["customer_id"], row["purchase_date"]]
        sums[0] += row["orders"]
        sums[1] += row["spend"]
    return dict(found)


def by_day(days: DayArrays) -> dict[tuple[str, date], list[int]]:
    customers = days.customer_ids.to_pylist()
    spend = days.sums["spend"].tolist()
    return {
        (customers[owner], date(1970, 1, 1) + timedelta(days=int(day))): [int(n), amount]
        for owner, day, n, amount in zip(
            days.owner, days.day, days.sums["orders"], spend, strict=True
        )
    }


@pytest.mark.parametrize("size", [1, 7, 64, 10_000])
def test_sums_of_days_are_those_of_a_plain_loop_in_batches_of_any_size(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrays, "_LEAST_ROWS", 40)
    rows = drawn(size)
    found: dict[tuple[str, date], list[int]] = {}
    seen: list[str] = []
    for part in whole_customers(rows.to_batches(max_chunksize=size)):
        days = day_arrays(part, ("orders", "spend"))
        found |= by_day(days)
        seen += days.customer_ids.to_pylist()
    assert found == summed(rows)
    assert seen == sorted(set(rows["customer_id"].to_pylist()))


def test_a_customer_of_more_rows_than_a_table_stays_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "_LEAST_ROWS", 2)
    ids = pa.record_batch({"customer_id": ["a", *["b"] * 9, "c"]})
    parts = whole_customers(ids.slice(at, 3) for at in range(0, len(ids), 3))
    assert [part["customer_id"].to_pylist() for part in parts] == [["a"], ["b"] * 9, ["c"]]


def test_there_is_nothing_in_a_partition_without_rows() -> None:
    assert list(whole_customers([])) == []
    assert (
        list(whole_customers([pa.record_batch({"customer_id": pa.array([], pa.string())})])) == []
    )


def test_first_and_last_days_are_those_the_flags_hold_for() -> None:
    days = DayArrays(
        pa.array(["a", "b", "c"]),
        np.array([0, 0, 0, 1, 2, 2]),
        np.array([3, 5, 9, 4, 1, 8]),
        {},
    )
    flags = np.array([False, True, True, False, True, True])
    assert days.first(flags).tolist() == [1, -1, 4]
    assert days.last(flags).tolist() == [2, -1, 5]
    told = days.dates(days.last(flags)).to_pylist()
    assert told == [date(1970, 1, 10), None, date(1970, 1, 9)]
    assert days.of_customers(days.day, flags).tolist() == [14, 0, 9]


def test_sums_that_leave_64_bits_are_refused() -> None:
    rows = pa.table(
        {
            "customer_id": pa.array(["a", "a"]),
            "purchase_date": pa.array([START, START]),
            "spend": pa.array([6 * 10**18] * 2, pa.int64()),
        }
    )
    with pytest.raises(StageError, match="920 trillion"):
        day_arrays(rows, ("spend",))


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (pa.array([1, None], pa.int64()), "int64 with 1 NULLs"),
        (pa.array([Decimal(1), Decimal(2)], pa.decimal128(28, 4)), "decimal128.28, 4. with 0"),
        (pa.array([1.5, 2.5]), "double with 0 NULLs"),
    ],
)
def test_what_would_be_summed_wrong_is_refused(values: pa.Array, told: str) -> None:
    rows = pa.table({"customer_id": ["a", "a"], "purchase_date": [START, START], "spend": values})
    with pytest.raises(StageError, match=f"is {told}"):
        day_arrays(rows, ("spend",))
