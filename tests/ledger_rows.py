"""Rows of `customer_days`, written by hand."""

from datetime import date
from decimal import Decimal

from pyspark.sql import types as T

from segspark.tables.purchases import CUSTOMER_DAYS

_KEYS = ("ledger_id", "customer_id", "purchase_date", "effective_date")


def ledger_row(
    customer_id: str, purchase_date: date, effective_date: date, **sums: object
) -> tuple[object, ...]:
    """A row with these sums; the others are zero."""
    keys = dict(zip(_KEYS, ("ledger-1", customer_id, purchase_date, effective_date), strict=True))
    zeros = {
        c.name: Decimal(0) if isinstance(c.dtype, T.DecimalType) else 0
        for c in CUSTOMER_DAYS.columns
    }
    return tuple({**zeros, **keys, **sums}.values())
