"""Lines → the table of transactions that a source delivers."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from scripts.synthetic.catalogue import PRODUCT_CODES
from scripts.synthetic.columns import coded, money, numbered, stamps
from scripts.synthetic.lines import LOST_DIGITS, MISSING, NO_SECOND, Defect, Kind, Lines
from scripts.synthetic.places import COUNTRY_CODES, STORE_CODES

CUSTOMER_DIGITS, ORDER_DIGITS = 8, 12
ROUNDED_ID = "1.00042E+11"
"""What a spreadsheet leaves of an id that looks like a number."""
_LETTERS: Mapping[Kind, bytes] = {Kind.CANCELLATION: b"C", Kind.RETURN: b"R"}


def transaction_table(lines: Lines) -> pa.Table:
    """One row per line.

    Columns: `customer_id` (NULL: a guest), `order_id` (O, for a cancellation C, for a return R),
    `line_number` (on the receipt, from 1), `transaction_at` (clock time in UTC), `product_id`,
    `quantity` (negative where goods came back), `unit_price` (EUR charged for one unit),
    `discount_amount` (EUR of the whole line that are deducted already), `country`, `store_id`.
    """
    letters = np.full(len(Kind), ord("O"), dtype=np.uint8)
    for kind, letter in _LETTERS.items():
        letters[kind] = ord(letter)
    return pa.table(
        {
            "customer_id": _customers(lines),
            "order_id": numbered(
                letters[lines.kinds],
                lines.orders,
                digits=ORDER_DIGITS,
                missing=lines.orders == MISSING,
            ),
            "line_number": lines.line_numbers,
            "transaction_at": stamps(lines.seconds, missing=lines.seconds == NO_SECOND),
            "product_id": coded(PRODUCT_CODES, lines.products, missing=lines.products == MISSING),
            "quantity": lines.units,
            "unit_price": money(lines.price_cents, missing=lines.defects == Defect.MISSING_PRICE),
            "discount_amount": money(lines.discount_cents),
            "country": coded(COUNTRY_CODES, lines.countries),
            "store_id": coded(STORE_CODES, lines.stores),
        }
    )


def customer_ids(numbers: NDArray[np.int64]) -> pa.Array:
    """Numbers of customers → their ids; NULL for nobody."""
    return numbered(b"C", numbers, digits=CUSTOMER_DIGITS, missing=numbers < 0)


def _customers(lines: Lines) -> pa.Array:
    ids = customer_ids(lines.customers)
    is_rounded = lines.customers == LOST_DIGITS
    if not is_rounded.any():
        return ids
    return pc.if_else(pa.array(is_rounded), ROUNDED_ID, ids)
