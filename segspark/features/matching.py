"""Which units of which purchase a return undoes, by windows alone.

Per group of lines, purchases put units down and returns take units up; what a return asks for
beyond what lies there undoes nothing. How much lies there after event t is Lindley's recursion
S(t) = max(0, S(t-1) + x(t)) = W(t) - min(0, min W(s), s <= t), W the running sum.

Units lie at places. In a stack, `nearest`, a purchase puts its units on top, at the places from
S(t-1) to S(t), and a return takes the places from S(t-1) down to S(t). In a queue, `oldest`, places
are counted from the first unit ever bought and not used again: a return takes the first that are
left. Either way, the unit that a return takes from a place was put there by the event right before
it at that place. So the places of a group are cut wherever any event's begin or end, which makes
cells that an event fills or empties whole, and each return looks back by one within its cells.

A purchase that no later return reaches is left out before: what it put down lies there to the end,
so no return meets it. This takes sorting alone. What grows with the square is what is left of a
group, its returns and the purchases that they undo: each of them sees every end of the others.
"""

from typing import Literal

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

GROUP = ("customer_id", "product_id", "source_unit_price_amount", "source_currency", "source")
"""Lines that can undo one another. The price is the source's: in the lake's currency it would move
with the rate between a purchase and its return. Rows are sorted by them: what differs most comes
first."""
_ORDER = ("transaction_at", "is_return", "line")
_RETURN = ("line", "day", "units", "amount", "low", "high")


def matched_units(events: DataFrame, *, matching: Literal["oldest", "nearest"]) -> DataFrame:
    """Share the units of returns out among the purchases of their group.

    Args:
        events: One row per purchase or return: the columns of `GROUP`, `line` (orderable, unique),
            `transaction_at`, `is_return`, `order_id`, `day`, `units` and `amount`.
        matching: Whether the first or the last unit bought that is left is undone first.

    Returns:
        One row per return and purchase that it undoes units of, and one, whose `purchase` is NULL,
        per return with units left over or without any: the columns of `GROUP`, `line`, `day`,
        `units` and `amount` of the return, `purchase` (`line`, `order_id`, `day`), and `first` and
        `last`, from which to which of the return's units, counted from 0; these ranges do not
        overlap and leave no gap.
    """
    bought = F.col("purchase").isNotNull()
    place = F.greatest("low", "purchase.low")
    first = F.when(bought, place - F.col("low")).otherwise(F.col("high") - F.col("low"))
    last = F.when(bought, F.col("top") - F.col("low")).otherwise(F.col("units"))
    return (
        _placed(events, matching=matching)
        .transform(_reached, matching=matching)
        .transform(_cells)
        .filter("is_return")
        # What a return takes of a purchase lies in one stretch, in a queue as in a stack.
        .groupBy(*GROUP, *_RETURN, "purchase")
        .agg(F.max("top").alias("top"))
        .withColumns({"first": first, "last": last})
        .drop("low", "high", "top")
    )


def _placed(events: DataFrame, *, matching: Literal["oldest", "nearest"]) -> DataFrame:
    """Give each event the places that it fills or empties, from `low` to `high`."""
    in_order = Window.partitionBy(*GROUP).orderBy(*_ORDER)
    so_far = in_order.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    units, zero = F.col("units"), F.lit(0).cast("long")
    put = F.when(F.col("is_return"), zero).otherwise(units)
    signed = F.when(F.col("is_return"), -units).otherwise(units)
    there = (
        events.withColumn("running", F.sum(signed).over(so_far))
        .withColumn("lowest", F.least(zero, F.min("running").over(so_far)))
        .withColumn("after", F.col("running") - F.col("lowest"))
        .withColumn("before", F.coalesce(F.lag("after", 1).over(in_order), zero))
        .withColumn("bought", F.sum(put).over(so_far))
    )
    if matching == "nearest":
        low, high = F.least("before", "after"), F.greatest("before", "after")
    else:
        high = F.col("bought") - F.when(F.col("is_return"), F.col("after")).otherwise(zero)
        low = F.col("bought") - F.when(F.col("is_return"), F.col("before")).otherwise(units)
    return there.withColumns({"low": low, "high": high})


def _reached(placed: DataFrame, *, matching: Literal["oldest", "nearest"]) -> DataFrame:
    """Leave out the purchases that no return undoes any unit of."""
    if matching == "nearest":
        # Backwards: Spark goes over the rows that follow once for each row.
        backwards = Window.partitionBy(*GROUP).orderBy(*(F.desc(name) for name in _ORDER))
        later = backwards.rowsBetween(Window.unboundedPreceding, -1)
        is_reached = F.min("after").over(later) < F.col("high")
    else:
        # Returns take the places one after the other, so up to the last one all are taken.
        taken = F.max(F.when(F.col("is_return"), F.col("high")))
        is_reached = F.col("low") < taken.over(Window.partitionBy(*GROUP))
    return (
        placed.withColumn("is_reached", is_reached)
        .filter(F.col("is_return") | (F.col("is_reached") & (F.col("units") > 0)))
        .drop("is_reached")
    )


def _cells(placed: DataFrame) -> DataFrame:
    """Explode events over their cells, each named by its `top`, with what filled it before.

    What a return asks for beyond is a cell without a top.
    """
    ends = F.array_union(
        F.collect_set("low").over(Window.partitionBy(*GROUP)),
        F.collect_set("high").over(Window.partitionBy(*GROUP)),
    )
    mine = F.filter("ends", lambda end: (end > F.col("low")) & (end <= F.col("high")))
    beyond = F.array(F.lit(None).cast("long"))
    filler = F.struct("line", "order_id", "day", "low")
    cell = Window.partitionBy(*GROUP, "top").orderBy(*_ORDER)
    return (
        placed.withColumn("ends", ends)
        .withColumn(
            "top", F.explode(F.when(_asks_beyond(), F.concat(mine, beyond)).otherwise(mine))
        )
        .drop("ends")
        .withColumn("purchase", F.when(F.col("top").isNotNull(), F.lag(filler, 1).over(cell)))
    )


def _asks_beyond() -> Column:
    """A return without units has money all the same, and must not get lost."""
    taken = F.col("high") - F.col("low")
    return F.col("is_return") & ((taken < F.col("units")) | (F.col("units") == 0))
