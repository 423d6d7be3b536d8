"""Returns are linked to the purchase they undo: first bought, first given back.

A return belongs to a purchase of the same customer, product and price that is not later than it.
Per such group, purchases queue and returns take from the head of the queue; what a return asks for
beyond the queue stays unmatched. The length of the queue after event t is Lindley's recursion
S(t) = max(0, S(t-1) + x(t)) = W(t) - min(0, min W(s), s <= t), W the running sum, so windows do it.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

_GROUP = ("source", "customer_id", "product_id", "unit_price_amount")
_SUM = "decimal(28,4)"


def matched_returns(lines: DataFrame, purchases: DataFrame) -> DataFrame:
    """The pieces of returns that undo a known purchase.

    Args:
        lines: From `customer_lines`.
        purchases: From `purchase_lines`.

    Returns:
        One row per pair of a purchase line and a return line that undoes units of it:
        `return_line_id`, `source`, `customer_id`, `order_id` and `order_date` of the purchase,
        `return_date`, `units` and `amount` (positive). Amounts of a return's pieces add up to at
        most its amount, exactly to it when all its units are matched.
    """
    returns = lines.filter(F.col("is_return") & (F.col("units") > 0)).dropna(subset=list(_GROUP))
    returned = returns.select(*_GROUP).distinct()
    candidates = purchases.filter(F.col("units") > 0).join(
        returned, on=list(_GROUP), how="left_semi"
    )
    columns = (*_GROUP, "line_id", "transaction_at", "units", "amount")
    events = candidates.select(
        *columns,
        "order_id",
        "order_date",
        F.lit(0).alias("side"),
        F.lit(None).cast("date").alias("return_date"),
    ).unionByName(
        returns.select(
            *columns,
            F.lit(None).cast("string").alias("order_id"),
            F.lit(None).cast("date").alias("order_date"),
            F.lit(1).alias("side"),
            F.col("transaction_date").alias("return_date"),
        )
    )
    return _pieces(_queue(events))


def _queue(events: DataFrame) -> DataFrame:
    """Give each event its place: the units of the queue, counted from its start, it put or took."""
    in_order = Window.partitionBy(*_GROUP).orderBy("transaction_at", "side", "line_id")
    so_far = in_order.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    is_purchase = F.col("side") == 0
    signed = F.when(is_purchase, F.col("units")).otherwise(-F.col("units"))
    return (
        events.withColumn("running", F.sum(signed).over(so_far).cast(_SUM))
        .withColumn("lowest", F.least(F.lit(0).cast(_SUM), F.min("running").over(so_far)))
        .withColumn("queued", (F.col("running") - F.col("lowest")).cast(_SUM))
        .withColumn("before", F.lag("queued", 1).over(in_order))
        .withColumn(
            "moved",
            F.when(is_purchase, F.col("units")).otherwise(
                (F.coalesce("before", F.lit(0)) - F.col("queued")).cast(_SUM)
            ),
        )
        .withColumn(
            "end",
            F.sum("moved")
            .over(
                Window.partitionBy(*_GROUP, "side")
                .orderBy("transaction_at", "line_id")
                .rowsBetween(Window.unboundedPreceding, Window.currentRow)
            )
            .cast(_SUM),
        )
        .withColumn("start", (F.col("end") - F.col("moved")).cast(_SUM))
    )


def _pieces(events: DataFrame) -> DataFrame:
    bought = events.filter("side = 0").select(
        *_GROUP,
        "order_id",
        "order_date",
        F.col("start").alias("bought_start"),
        F.col("end").alias("bought_end"),
    )
    given_back = events.filter("side = 1 AND moved > 0").select(
        *_GROUP,
        F.col("line_id").alias("return_line_id"),
        "return_date",
        "start",
        "end",
        F.col("units").alias("return_units"),
        F.col("amount").alias("return_amount"),
    )
    first = F.greatest("start", "bought_start")
    last = F.least("end", "bought_end")
    return (
        bought.join(given_back, on=list(_GROUP), how="inner")
        .filter(last > first)
        .select(
            "return_line_id",
            "source",
            "customer_id",
            "order_id",
            "order_date",
            "return_date",
            (last - first).cast(_SUM).alias("units"),
            (_money_up_to(last) - _money_up_to(first)).cast(_SUM).alias("amount"),
        )
    )


def _money_up_to(place: Column) -> Column:
    """The return's money for its units before `place`; differences add up without a rounding."""
    share = (place - F.col("start")).cast("double") / F.col("return_units").cast("double")
    whole = (place - F.col("start")) >= F.col("return_units")
    part = F.round(F.col("return_amount").cast("double") * share, 4).cast(_SUM)
    return F.when(whole, F.col("return_amount")).otherwise(part)
