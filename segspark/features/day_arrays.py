"""Days of whole customers as arrays: what a customer's features are summed from.

A customer's gaps, months and windows need the days in order of time. Spark would make lists of them
and interpret what is to be done with each value.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from segspark.errors import StageError

Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]
_EPOCH = date(1970, 1, 1)
_LEAST_ROWS = 50_000
"""So many rows at a time make the cost of each call small."""
_MOST = 9.2e18
_TOO_LARGE = "money or units of a customer add up to 920 trillion or more: correct the amounts"


@dataclass(frozen=True, slots=True)
class DayArrays:
    """Days of some customers, one customer after the other, each one's in order of time.

    Attributes:
        customer_ids: The customers, none of them without a day.
        owner: Place of each day's customer among them.
        day: Days since 1970-01-01.
        sums: By name, what the days' rows add up to; money and units in ten-thousandths.
    """

    customer_ids: pa.Array
    owner: Whole
    day: Whole
    sums: dict[str, Whole]

    def of_customers(self, values: Whole, where: Flags | None = None) -> Whole:
        """Sum values of days, of those that the flags hold for, to customers."""
        kept = values if where is None else np.where(where, values, 0)
        return _sums_from(np.flatnonzero(starts(self.owner)), kept)

    def first(self, where: Flags) -> Whole:
        """Place of each customer's first day that the flags hold for; -1 where there is none."""
        return self._places(where, starts)

    def last(self, where: Flags) -> Whole:
        """Place of each customer's last such day, or -1."""
        return self._places(where, _ends)

    def dates(self, places: Whole) -> pa.Array:
        """The dates at these places, NULL at -1."""
        return pa.array(self.day[places].astype(np.int32), mask=places < 0).view(pa.date32())

    def _places(self, where: Flags, is_edge: Callable[[Whole], Flags]) -> Whole:
        rows = np.flatnonzero(where)
        edges = rows[is_edge(self.owner[rows])]
        places = np.full(len(self.customer_ids), -1, dtype=np.int64)
        places[self.owner[edges]] = edges
        return places


def whole_customers(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Cut rows that are in order of `customer_id` where one customer ends, into large tables."""
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(map(len, waiting)) < _LEAST_ROWS:
            continue
        rows = pa.Table.from_batches(waiting)
        ids = rows["customer_id"]
        complete = pc.index(ids, ids[-1]).as_py()
        if complete:
            yield rows.slice(0, complete)
            waiting = rows.slice(complete).to_batches()
    if sum(map(len, waiting)):
        yield pa.Table.from_batches(waiting)


def day_arrays(rows: pa.Table, names: Sequence[str]) -> DayArrays:
    """Sum rows of the ledger to days.

    Args:
        rows: `customer_id`, `purchase_date` and columns to sum, in order of the first two; whole
            customers.
        names: Of the columns to sum, whole numbers.

    Raises:
        StageError: A sum goes beyond 64 bits, or a column is not as it should be.
    """
    encoded = rows["customer_id"].combine_chunks().dictionary_encode()
    row_owner = encoded.indices.to_numpy().astype(np.int64)
    row_day = rows["purchase_date"].combine_chunks().cast(pa.int32()).to_numpy().astype(np.int64)
    first_rows = np.flatnonzero(starts(row_owner) | starts(row_day))
    sums = {name: _sums_from(first_rows, _whole(rows[name])) for name in names}
    return DayArrays(encoded.dictionary, row_owner[first_rows], row_day[first_rows], sums)


def number_of_day(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - _EPOCH).days


def starts(values: Whole) -> Flags:
    """Where a value differs from the one before it; the first one does."""
    found = np.ones(len(values), dtype=np.bool_)
    found[1:] = values[1:] != values[:-1]
    return found


def _ends(values: Whole) -> Flags:
    return starts(values[::-1])[::-1]


def _whole(column: pa.ChunkedArray) -> Whole:
    values = column.combine_chunks()
    if values.null_count or not pa.types.is_integer(values.type):
        raise StageError(
            f"a column of the ledger is {values.type} with {values.null_count} NULLs, and sums are "
            "of whole numbers without any: build the ledger anew"
        )
    return np.asarray(values.to_numpy(), dtype=np.int64)


def _sums_from(first_rows: Whole, values: Whole) -> Whole:
    """Sum the values from each of these rows to the next."""
    found: Whole = np.add.reduceat(values, first_rows)
    # Numpy goes round silently; where a sum may come near, floats tell how far it would have gone.
    if len(values) * float(np.abs(values, dtype=np.float64).max()) >= _MOST and (
        np.abs(np.add.reduceat(values.astype(np.float64), first_rows)).max() >= _MOST
    ):
        raise StageError(_TOO_LARGE)
    return found
