"""Which lines count: purchases, returns and the rest of a customer's lines."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from segspark.settings.features import LedgerSettings

LINE_COLUMNS = (
    "batch_id",
    "line_id",
    "source",
    "customer_id",
    "order_id",
    "product_id",
    "source_currency",
    "source_unit_price_amount",
    "transaction_at",
    "transaction_date",
    "local_hour",
    "line_kind",
    "copies_count",
    "quantity_units",
    "line_amount",
    "discount_amount",
)
"""Columns of `transactions` that the ledger is made of."""
_SUM = "decimal(28,4)"
_QUARTER_MICROSECONDS = 15 * 60 * 1_000_000
_NO_HOUR = 24
_HOURS = _NO_HOUR + 1


def customer_lines(transactions: DataFrame, *, settings: LedgerSettings) -> DataFrame:
    """Lines of known customers, with what they count for.

    Args:
        transactions: Conforms to `TRANSACTIONS`; the batches that count.
        settings: Kinds that make and undo purchases, and whether exact duplicates count.

    Returns:
        One row per line with a customer: `line`, which is its batch and id, its other keys, its
        price in the source's currency, `is_purchase`, `is_return`, and `units`, `amount` and
        `discount` as positive sums over its copies.
    """
    copies = F.col("copies_count") if settings.exact_duplicates == "all" else F.lit(1)
    kind, amount = F.col("line_kind"), F.col("line_amount")
    return transactions.filter(F.col("customer_id").isNotNull()).select(
        "source",
        # A row may come in two exports: its hash alone would take both for one line.
        F.struct("batch_id", "line_id").alias("line"),
        "customer_id",
        "order_id",
        "product_id",
        "source_currency",
        # Where a return has negative money for positive units, its price is negative as well.
        F.abs("source_unit_price_amount").alias("source_unit_price_amount"),
        "transaction_at",
        "transaction_date",
        "local_hour",
        (kind.isin(*settings.purchase_kinds) & (amount > 0)).alias("is_purchase"),
        (kind.isin(*settings.return_kinds) & (amount < 0)).alias("is_return"),
        copies.cast("long").alias("copies"),
        _times(F.abs("quantity_units"), copies).alias("units"),
        _times(F.abs(amount), copies).alias("amount"),
        _times(F.col("discount_amount"), copies).alias("discount"),
    )


def purchase_lines(lines: DataFrame) -> DataFrame:
    """Purchases only, with day and hour of the order's first line.

    Returns:
        The lines with `order_date` and `order_hour`, which is NULL where the first line is stamped
        at midnight: a day without a time.
    """
    order = Window.partitionBy("source", "customer_id", "order_id")
    # One number for instant and hour, so that its least one is the first line's.
    numbered = F.unix_micros("transaction_at") * _HOURS + _known_hour()
    hour = F.pmod(F.min(numbered).over(order), F.lit(_HOURS)).cast("int")
    return lines.filter("is_purchase").withColumns(
        {
            "order_date": F.min("transaction_date").over(order),
            "order_hour": F.nullif(hour, F.lit(_NO_HOUR)),
        }
    )


def _known_hour() -> Column:
    """The line's local hour, or `_NO_HOUR`. Zones are whole quarters of an hour from UTC."""
    is_quarter = F.pmod(F.unix_micros("transaction_at"), F.lit(_QUARTER_MICROSECONDS)) == 0
    return F.when((F.col("local_hour") == 0) & is_quarter, _NO_HOUR).otherwise(F.col("local_hour"))


def _times(number: Column, copies: Column) -> Column:
    return (number * copies.cast("decimal(10,0)")).cast(_SUM)
