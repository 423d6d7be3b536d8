"""Lines as columns of numbers, before they become ids and stamps."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

NOBODY, LOST_DIGITS = -1, -2
"""For the number of a customer: a guest, and an id that a spreadsheet has rounded."""
MISSING = -1
"""For the number of an order, a product or a price."""
NO_SECOND = np.iinfo(np.int64).min
"""For the second of a line without a stamp."""


class Kind(IntEnum):
    """What a line is; the same as segspark makes of it by `source.yml`."""

    SALE = 0
    POSTAGE = 1
    FEE = 2
    CANCELLATION = 3
    RETURN = 4


class Defect(IntEnum):
    """What was spoilt in a copy of a clean line, which itself stays as it is.

    An exact copy is counted as such by an ingest under `source.yml`; the others are refused.
    """

    NONE = 0
    EXACT_COPY = 1
    MISSING_STAMP = 2
    STAMP_IN_1900 = 3
    STAMP_IN_2099 = 4
    LOST_DIGITS = 5
    MISSING_ORDER = 6
    MISSING_PRODUCT = 7
    UNKNOWN_PRODUCT = 8
    UNKNOWN_COUNTRY = 9
    MISSING_PRICE = 10
    NEGATIVE_PRICE = 11
    ZERO_QUANTITY = 12


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines by position.

    Attributes:
        seconds: When, since 1970.
        customers: Number of the customer.
        orders: Number of the order.
        kinds: `Kind`, which is also in the order id: O, C or R and the number.
        line_numbers: Place on the receipt, from 1.
        products: Position in `PRODUCT_CODES`.
        units: Negative where they came back.
        price_cents: Charged for one unit, discount deducted.
        discount_cents: Of the whole line, never negative.
        countries: Position in `COUNTRY_CODES`.
        stores: Position in `STORE_CODES`.
        defects: `Defect`.
        is_matched: Of a return or cancellation: whether it undoes a line of the history.
    """

    seconds: NDArray[np.int64]
    customers: NDArray[np.int64]
    orders: NDArray[np.int64]
    kinds: NDArray[np.int8]
    line_numbers: NDArray[np.int32]
    products: NDArray[np.int32]
    units: NDArray[np.int32]
    price_cents: NDArray[np.int64]
    discount_cents: NDArray[np.int64]
    countries: NDArray[np.int8]
    stores: NDArray[np.int8]
    defects: NDArray[np.int8]
    is_matched: NDArray[np.bool_]

    @property
    def count(self) -> int:
        """How many they are."""
        return len(self.seconds)

    @property
    def amount_cents(self) -> NDArray[np.int64]:
        """Money of each line; 0 where the price is missing."""
        prices = np.where(self.defects == Defect.MISSING_PRICE, 0, self.price_cents)
        return np.asarray(self.units * prices)


def picked(lines: Lines, which: NDArray[Any]) -> Lines:
    """The lines at these positions, or where `which` is true."""
    return Lines(*(getattr(lines, field.name)[which] for field in fields(Lines)))


def together(parts: Sequence[Lines]) -> Lines:
    """All lines of the parts, one after the other."""
    if len(parts) == 1:
        return parts[0]
    return Lines(
        *(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Lines))
    )


def in_time(lines: Lines) -> Lines:
    """The lines by their second; those of one second stay as they are."""
    return picked(lines, np.argsort(lines.seconds, kind="stable"))
