"""Columns of typed rows that the source's settings already tell."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from segspark.ingest.parsing.exchange import RATE
from segspark.ingest.parsing.numbers import DECIMAL
from segspark.ingest.parsing.transactions import TEXTS
from segspark.settings.sources import Source, TransactionSource


def implied_columns(source: Source, *, name: str, currency: str) -> dict[str, Column]:
    """Columns of `parse_rows` that need not be kept with the rows, since they can be had again.

    Args:
        source: Mapping and currency.
        name: The source's name.
        currency: The lake's.

    Returns:
        Column → its value in every row: a constant, or another column that is not among these.
    """
    found = {"source": F.lit(name)}
    if not isinstance(source, TransactionSource):
        return found
    mapping, nothing = source.columns, F.lit(None).cast("string")
    unmapped = [field for field in TEXTS if getattr(mapping, field) is None and field != "order_id"]
    found |= {"currency": F.lit(currency), **dict.fromkeys(unmapped, nothing)}
    if mapping.currency is None:
        found["source_currency"] = F.lit(source.currency)
        if source.currency == currency:
            found["exchange_rate"] = F.lit(1).cast(RATE)
            found["source_unit_price_amount"] = F.col("unit_price_amount")
            if not mapping.discounts:
                found["discount_amount"] = F.lit(0).cast(DECIMAL)
    return found
