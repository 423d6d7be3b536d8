"""Returns are linked to the purchases they undo; those that undo none are kept, and say so.

A return belongs to purchases of the same source, customer, product and price, as the source has it,
that are not later than it; at the same instant, a purchase comes first.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.features.lines import LedgerLines, group_hash
from segspark.features.matching import GROUP, matched_units
from segspark.features.orders import with_order
from segspark.features.ten_thousandths import as_amount
from segspark.tables.contract import LINE_MONEY
from segspark.tables.returns import RETURN_MATCHES


def return_matches(lines: LedgerLines, *, ledger_id: str) -> DataFrame:
    """Link the returns among a lake's lines to the purchases they undo.

    Args:
        lines: From `ledger_lines`.
        ledger_id: Written into every row.

    Returns:
        Conforms to `RETURN_MATCHES`. The rows of a return add up to its units and its money; lines
        without a product or a price match nothing.
    """
    events = _events(lines)
    pieces = matched_units(events, matching=lines.settings.return_matching)
    return pieces.select(
        F.lit(ledger_id).alias("ledger_id"),
        F.col("line.batch_id").alias("return_batch_id"),
        F.col("line.line_id").alias("return_line_id"),
        F.col("purchase.line.batch_id").alias("purchase_batch_id"),
        F.col("purchase.line.line_id").alias("purchase_line_id"),
        F.col("purchase").isNotNull().alias("is_matched"),
        "source",
        "customer_id",
        F.col("purchase.order_id").alias("order_id"),
        F.col("purchase.day").alias("purchase_date"),
        F.col("day").alias("return_date"),
        as_amount(F.col("last") - F.col("first"), LINE_MONEY).alias("returned_units"),
        as_amount(_money(F.col("first"), F.col("last")), LINE_MONEY).alias("returned_amount"),
    ).transform(RETURN_MATCHES.conform)


def _events(lines: LedgerLines) -> DataFrame:
    """All returns, and the purchases that one of them may undo, with `day`, a purchase's order's.

    Purchases whose hash is that of a return by chance are of a group without one, and undone by
    none.
    """
    hashed = lines.lines.filter("is_purchase OR is_return").withColumn("group_hash", group_hash())
    events = lines.returned.marked(hashed, mark="is_reached").filter(
        F.col("is_return") | (F.col("is_purchase") & F.col("is_reached"))
    )
    order_date = F.coalesce("order_date", "transaction_date")
    day = F.when(F.col("is_return"), F.col("transaction_date")).otherwise(order_date)
    return with_order(events, lines.spread, how="left").select(
        *(*GROUP, "line", "transaction_at", "is_return", "units", "amount", "order_id"),
        day.alias("day"),
    )


def _money(first: Column, last: Column) -> Column:
    """The return's money for its units from `first` to `last`.

    The last stretch takes what the others left, so that roundings cancel out.
    """
    to_the_end = last >= F.col("units")
    upper = F.when(to_the_end, F.col("amount")).otherwise(_money_up_to(last))
    return upper - _money_up_to(first)


def _money_up_to(place: Column) -> Column:
    """The return's money for its units before `place`, rounded."""
    share = F.when(place == 0, F.lit(0.0)).otherwise(place / F.col("units"))
    return F.round(F.col("amount") * share).cast("long")
