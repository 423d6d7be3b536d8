"""Returns are linked to the purchases they undo; those that undo none are kept, and say so.

A return belongs to purchases of the same source, customer, product and price, as the source has it,
that are not later than it; at the same instant, a purchase comes first.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.features.lines import customer_lines, purchase_lines
from segspark.features.matching import GROUP, matched_units
from segspark.settings.features import LedgerSettings
from segspark.tables.returns import RETURN_MATCHES

_SUM = "decimal(28,4)"


def return_matches(
    transactions: DataFrame, *, settings: LedgerSettings, ledger_id: str
) -> DataFrame:
    """Link the returns among a lake's lines to the purchases they undo.

    Args:
        transactions: Conforms to `TRANSACTIONS`; the batches that count.
        settings: What counts as a purchase and as a return, and which purchase is undone first.
        ledger_id: Written into every row.

    Returns:
        Conforms to `RETURN_MATCHES`. The rows of a return add up to its units and its money; lines
        without a product or a price match nothing.
    """
    lines = customer_lines(transactions, settings=settings)
    events = _events(lines, purchase_lines(lines))
    pieces = matched_units(events, matching=settings.return_matching)
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
        (F.col("last") - F.col("first")).cast(_SUM).alias("returned_units"),
        _money(F.col("first"), F.col("last")).alias("returned_amount"),
    ).transform(RETURN_MATCHES.conform)


def _events(lines: DataFrame, purchases: DataFrame) -> DataFrame:
    """All returns, and the purchases that one of them may undo."""
    returns = lines.filter("is_return")
    returned = returns.select(*GROUP).distinct()
    columns = (*GROUP, "line", "transaction_at", "is_return", "units", "amount")
    return (
        # NULL equals nothing, so a line without a product or a price stays out.
        purchases.join(returned, on=list(GROUP), how="left_semi")
        .select(*columns, "order_id", F.col("order_date").alias("day"))
        .unionByName(
            returns.select(
                *columns,
                F.lit(None).cast("string").alias("order_id"),
                F.col("transaction_date").alias("day"),
            )
        )
    )


def _money(first: Column, last: Column) -> Column:
    """The return's money for its units from `first` to `last`.

    The last stretch takes what the others left, so that roundings cancel out.
    """
    to_the_end = last >= F.col("units")
    upper = F.when(to_the_end, F.col("amount")).otherwise(_money_up_to(last))
    return (upper - _money_up_to(first)).cast(_SUM)


def _money_up_to(place: Column) -> Column:
    """The return's money for its units before `place`, to four digits."""
    share = F.when(place == 0, F.lit(0.0)).otherwise(
        place.cast("double") / F.col("units").cast("double")
    )
    return F.round(F.col("amount").cast("double") * share, 4).cast(_SUM)
