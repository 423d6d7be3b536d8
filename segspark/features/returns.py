"""Returns are linked to the purchases they undo; those that undo none are kept, and say so.

A return belongs to purchases of the same source, customer, product and price, as the source has it,
that are not later than it; at the same instant, a purchase comes first.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.features.lines import LedgerLines, group_hash
from segspark.features.matching import GROUP, matched_units
from segspark.features.orders import ORDER, purchase_days
from segspark.tables.returns import RETURN_MATCHES

_SUM = "decimal(28,4)"


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
        (F.col("last") - F.col("first")).cast(_SUM).alias("returned_units"),
        _money(F.col("first"), F.col("last")).alias("returned_amount"),
    ).transform(RETURN_MATCHES.conform)


def _events(lines: LedgerLines) -> DataFrame:
    """All returns, and the purchases that one of them may undo.

    Purchases whose hash is that of a return by chance are of a group without one, and undone by
    none.
    """
    columns = (*GROUP, "line", "transaction_at", "is_return", "units", "amount")
    # Windows take NULLs for equal, and a line without a product or a price is to match nothing.
    bought = lines.lines.filter("is_purchase").na.drop(subset=list(GROUP))
    reached = (
        bought.withColumn("group_hash", group_hash())
        .join(lines.returned, on="group_hash", how="left_semi")
        .select(*columns, "order_id")
    )
    no_order = F.lit(None).cast("string").alias("order_id")
    returns = lines.lines.filter("is_return").select(
        *columns, no_order, F.col("transaction_date").alias("day")
    )
    return _with_order_date(reached, lines.order_days).unionByName(returns)


def _with_order_date(purchases: DataFrame, days: DataFrame) -> DataFrame:
    """Purchases with `day`, the order's."""
    orders = purchase_days(days).filter("transaction_date = order_date")
    keys = orders.select(
        *(F.col(name).alias(f"its_{name}") for name in ORDER), F.col("order_date").alias("day")
    )
    is_its = [F.col(name).eqNullSafe(F.col(f"its_{name}")) for name in ORDER]
    return purchases.join(keys, on=is_its, how="inner").drop(*(f"its_{name}" for name in ORDER))


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
