"""Arrays of this room, and the checks of what a caller passes with them."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segspark.errors import LifetimeError

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Flags = NDArray[np.bool_]

CHUNK_ROWS = 65_536
_TENTHS = 10


def checked_columns(columns: Mapping[str, ArrayLike]) -> list[Floats]:
    """Return columns of one table as 1-d float64 arrays, in the order of `columns`.

    Raises:
        LifetimeError: They are not 1-d, differ in length, or hold NaN or an infinite number.
    """
    arrays = {name: np.asarray(values, dtype=np.float64) for name, values in columns.items()}
    if any(array.ndim != 1 for array in arrays.values()):
        raise LifetimeError(f"{' and '.join(arrays)} must be lists of one number per row")
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        counted = ", ".join(f"{length} {name}" for name, length in lengths.items())
        raise LifetimeError(f"the columns must be of equal length, and there are {counted}")
    for name, array in arrays.items():
        refuse_rows(~np.isfinite(array), f"{name} must be finite numbers", {name: array})
    return list(arrays.values())


def refuse_rows(is_bad: Flags, rule: str, columns: Mapping[str, Floats]) -> None:
    """Refuse rows that break a rule, naming the first.

    Raises:
        LifetimeError: `is_bad` holds for some row.
    """
    if is_bad.any():
        row = int(is_bad.argmax())
        shown = ", ".join(f"{name} {values[row]:g}" for name, values in columns.items())
        raise LifetimeError(f"{rule}, and row {row} has {shown}")


def checked_length(value: float, name: str) -> float:
    """Return a span of time, in the caller's unit.

    Raises:
        LifetimeError: It is negative or not finite.
    """
    if not (np.isfinite(value) and value >= 0.0):
        raise LifetimeError(f"the {name} must be a span of time of zero or more, not {value:g}")
    return float(value)


def distinct_pairs(first: Floats, second: Floats) -> tuple[Floats, Floats, Indices]:
    """Distinct (first, second), sorted, and where each row's pair is: shapes (k,), (k,), (n,)."""
    # A complex number is sorted by its real part, then by its imaginary one.
    pairs, inverse = np.unique(first + 1j * second, return_inverse=True)
    return pairs.real.copy(), pairs.imag.copy(), inverse


def sums_by_group(values: Floats, rows: Indices, group_count: int) -> Floats:
    """Sum the values of each group, shape (group_count,); `rows` says the group of each value."""
    # Of floats, bincount makes floats, but its types say integers.
    return np.bincount(rows, values, minlength=group_count).astype(np.float64)


def tenths(values: Floats) -> Indices:
    """Each value's tenth of all, 1 the lowest; equal values share one, so some may be empty.

    Returns:
        Shape (n,); no values are fine.
    """
    if not len(values):
        return np.empty(0, dtype=np.intp)
    cuts = np.quantile(values, np.arange(1, _TENTHS) / _TENTHS)
    return 1 + np.searchsorted(cuts, values, side="left")
