"""Columns of numbers → columns of Arrow, without a Python object for each row."""

from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

MONEY = pa.decimal128(18, 2)
_FOUR_DIGITS = np.array([b"%04d" % number for number in range(10_000)]).view(np.uint32)
"""Four letters as one number, as divisions and small copies would take most of the time."""
Flags = NDArray[np.bool_]


def numbered(
    prefixes: bytes | NDArray[np.uint8], numbers: NDArray[np.int64], *, digits: int, missing: Flags
) -> pa.Array:
    """Ids of one letter and a number with leading zeros, NULL where missing.

    Args:
        prefixes: The letter of all, or the byte of each.
        numbers: Not negative where not missing.
        digits: Of the number, a multiple of four.
        missing: Where there is no id.
    """
    count = len(numbers)
    letters = np.empty((count, digits + 1), dtype=np.uint8)
    letters[:, 0] = prefixes[0] if isinstance(prefixes, bytes) else prefixes
    rest = np.where(missing, 0, numbers)
    for place in range(digits - 3, 0, -4):
        higher = rest // 10_000
        four = _FOUR_DIGITS[rest - higher * 10_000]
        letters[:, place : place + 4] = four.view(np.uint8).reshape(count, 4)
        rest = higher
    offsets = np.arange(count + 1, dtype=np.int32) * (digits + 1)
    buffers = [_validity(missing), pa.py_buffer(offsets), pa.py_buffer(letters)]
    return pa.Array.from_buffers(pa.string(), count, buffers)


def coded(
    codes: tuple[str, ...], positions: NDArray[Any], *, missing: Flags | None = None
) -> pa.Array:
    """One of few texts for each row, NULL where missing."""
    indices = pa.array(positions.astype(np.int32), mask=missing)
    return pa.DictionaryArray.from_arrays(indices, _texts(codes))


def money(cents: NDArray[np.int64], *, missing: Flags | None = None) -> pa.Array:
    """Whole cents → decimals with two digits, NULL where missing."""
    # The 128 bits of a decimal: the cents, then their sign in all bits.
    words = np.stack([cents, cents >> 63], axis=1)
    buffers = [None if missing is None else _validity(missing), pa.py_buffer(words)]
    return pa.Array.from_buffers(MONEY, len(cents), buffers)


def stamps(seconds: NDArray[np.int64], *, missing: Flags | None = None) -> pa.Array:
    """Seconds since 1970 → clock times without a zone, to the second."""
    return pa.array(seconds.astype("datetime64[s]"), mask=missing)


@cache
def _texts(codes: tuple[str, ...]) -> pa.Array:
    if len(set(codes)) < len(codes):
        raise ValueError("with equal texts in a dictionary, Arrow writes other bytes each time")
    return pa.array(codes)


def _validity(missing: Flags) -> pa.Array:
    return pa.py_buffer(np.packbits(~missing, bitorder="little")) if missing.any() else None
