"""Which lines count: purchases, returns and the rest of a customer's lines."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.features.matching import GROUP
from segspark.features.orders import order_days, order_sums, spread_days, spread_orders
from segspark.features.ten_thousandths import ten_thousandths
from segspark.settings.features import LedgerSettings
from segspark.settings.rules import LineKind
from segspark.tables.holding import Hold, as_is
from segspark.tables.sieve import Sieve

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


@dataclass(frozen=True, slots=True)
class LedgerLines:
    """The lines that a ledger is made of, and what is made of them more than once.

    Attributes:
        settings: What counts as a purchase and as a return, and which purchase is undone first.
        lines: From `customer_lines`.
        order_days: From `orders.order_days`.
        spread: From `orders.spread_orders`.
        returned: Lets the lines pass that have a hash of `returned_groups`.
    """

    settings: LedgerSettings
    lines: DataFrame
    order_days: DataFrame
    spread: DataFrame
    returned: Sieve


def ledger_lines(
    transactions: DataFrame,
    *,
    settings: LedgerSettings,
    hold: Hold = as_is,
    tell: Hold = as_is,
    sift: Callable[[DataFrame], Sieve] = Sieve,
) -> LedgerLines:
    """Prepare the lines of a ledger; lazy by itself.

    Args:
        transactions: Conforms to `TRANSACTIONS`; the batches that count.
        settings: Of the ledger.
        hold: Keeps a table that several queries read; by default each works it out anew.
        tell: The same of keys that many rows are joined with.
        sift: The same of hashes that many rows are looked up by.
    """
    lines = customer_lines(transactions, settings=settings)
    sums = hold(order_sums(lines))
    spread = tell(spread_orders(sums))
    days = order_days(sums, hold(spread_days(lines, spread)))
    return LedgerLines(settings, lines, days, spread, sift(returned_groups(lines)))


def returned_groups(lines: DataFrame) -> DataFrame:
    """Which purchases a return may undo.

    Args:
        lines: From `customer_lines`.

    Returns:
        One row per `group_hash` of the returns that can be matched.
    """
    return lines.filter("is_return").select(group_hash()).na.drop().distinct()


def group_hash() -> Column:
    """Equal for lines that can undo one another, and hardly ever for others.

    NULL for a line without a product or a price, which is to match nothing.
    """
    is_known = reduce(Column.__and__, [F.col(name).isNotNull() for name in GROUP])
    return F.when(is_known, F.xxhash64(*GROUP)).alias("group_hash")


def customer_lines(
    transactions: DataFrame, *, settings: LedgerSettings, also: Sequence[str] = ()
) -> DataFrame:
    """Lines of known customers, with what they count for.

    Args:
        transactions: Conforms to `TRANSACTIONS`; the batches that count.
        settings: Kinds that make and undo purchases, and whether exact duplicates count.
        also: Further columns of the lines to keep.

    Returns:
        One row per line with a customer: `line`, which is its batch and id, its other keys, its
        price in the source's currency, `is_purchase`, `is_return`, `copies`, how often it counts,
        and `units`, `amount` and `discount` as positive sums over these, in ten-thousandths.
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
        _is_purchase(settings).alias("is_purchase"),
        (kind.isin(*settings.return_kinds) & (amount < 0)).alias("is_return"),
        copies.cast("long").alias("copies"),
        (ten_thousandths(F.abs("quantity_units")) * copies).alias("units"),
        (ten_thousandths(F.abs(amount)) * copies).alias("amount"),
        (ten_thousandths(F.col("discount_amount")) * copies).alias("discount"),
        *also,
    )


def _is_purchase(settings: LedgerSettings) -> Column:
    """Whether a line of `transactions` makes a purchase.

    Args:
        settings: Kinds of line that do, with money above zero; a sample with no money does, too,
            where that kind is among them.
    """
    kind, amount = F.col("line_kind"), F.col("line_amount")
    is_free = (kind == LineKind.SAMPLE.value) & (amount == 0)
    return kind.isin(*settings.purchase_kinds) & ((amount > 0) | is_free)
