"""The ledger of customer days: additive sums from which any past day can be rebuilt."""

from datetime import date
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from segspark.features.lines import LedgerLines
from segspark.features.orders import ORDER
from segspark.features.returns import return_matches
from segspark.features.ten_thousandths import as_amount, ten_thousandths
from segspark.tables import contract
from segspark.tables.contract import SHARE
from segspark.tables.purchases import CUSTOMER_DAYS, DAYPART_HOURS, DAYPARTS
from segspark.tables.sieve import Sieve

_KEYS = ("customer_id", "purchase_date", "effective_date")
_BY_DAYPART = {
    f"{of}{daypart}_order_count": (f"{of}order_count", hour)
    for of in ("", "undone_")
    for daypart, hour in DAYPARTS.items()
}
"""Column → the column that it is a part of, and the hour that its daypart begins at."""
_SUMS = tuple(c for c in CUSTOMER_DAYS.columns if c.name not in {"ledger_id", *_KEYS})
_SENT = tuple(c.name for c in _SUMS if c.name not in _BY_DAYPART)
"""What the rows that are summed have; dayparts follow from their `order_hour`."""


def customer_days(
    lines: LedgerLines,
    *,
    ledger_id: str,
    matches: DataFrame | None = None,
    touched: Sieve | None = None,
) -> DataFrame:
    """Sum a lake's lines to customer, purchase day and effective day.

    Args:
        lines: From `ledger_lines`.
        ledger_id: Written into every row.
        matches: Conforms to `RETURN_MATCHES`; those of these lines under these settings, read from
            where they were written. None: they are found anew for each use that is made of them.
        touched: Lets the orders pass that have a hash of `touched_orders` of the matches; None:
            they are found anew.

    Returns:
        Conforms to `CUSTOMER_DAYS`, arranged. Guests are absent; a customer whose lines are neither
        purchase nor return has rows of zeros, so that nobody is lost from the count of customers.
    """
    if matches is None:
        matches = return_matches(lines, ledger_id=ledger_id)
    if touched is None:
        touched = Sieve(touched_orders(matches))
    purchases = lines.order_days.filter("is_purchase")
    found = [
        _bought(purchases),
        _undone(purchases, matches.filter("is_matched"), touched),
        _given_back(matches),
        _neither(lines.order_days),
    ]
    return (
        reduce(DataFrame.unionByName, found)
        .transform(CUSTOMER_DAYS.share_out)
        .groupBy(SHARE, *_KEYS)
        .agg(*(_sum(c).alias(c.name) for c in _SUMS))
        .withColumn("ledger_id", F.lit(ledger_id))
        .transform(CUSTOMER_DAYS.conform)
    )


def touched_orders(matches: DataFrame) -> DataFrame:
    """Which orders a return undoes units of.

    Args:
        matches: Conforms to `RETURN_MATCHES`.

    Returns:
        One row per `order_hash` of theirs.
    """
    return matches.filter("is_matched").select(_order_hash()).distinct()


def counted_money(lines: LedgerLines, *, first_day: date | None = None) -> DataFrame:
    """What a ledger of these lines must add up to, however returns are matched.

    Args:
        lines: From `ledger_lines`.
        first_day: Earliest effective day that is counted; None: all are.

    Returns:
        One row: `gross_amount` and `returned_amount`, plain sums over the lines of known customers.
    """
    amount = as_amount(F.col("amount"), contract.MONEY)
    names = {"gross_amount": "is_purchase", "returned_amount": "is_return"}
    days = lines.order_days
    if first_day is not None:
        days = days.filter(F.col("transaction_date") >= F.lit(first_day))
    return days.agg(
        *(
            # As decimals: 64 bits may hold the ten-thousandths of each customer and not of all.
            F.coalesce(F.sum(F.when(F.col(counts), amount)), F.lit(0)).alias(name)
            for name, counts in names.items()
        )
    )


def _sum(column: contract.Column) -> Column:
    if column.name in _BY_DAYPART:
        name, hour = _BY_DAYPART[column.name]
        is_its = (F.col("order_hour") >= hour) & (F.col("order_hour") < hour + DAYPART_HOURS)
        return F.sum(F.when(is_its, F.col(name)).otherwise(0))
    summed = F.sum(column.name)
    return as_amount(summed, column.dtype) if column.dtype == contract.LINE_MONEY else summed


def _row(
    purchase_date: Column, effective_date: Column, hour: Column | None = None, **sums: Column
) -> list[Column]:
    """A row to sum: what is given, zero elsewhere; money and units in ten-thousandths."""
    zero = F.lit(0)
    return [
        F.col("customer_id"),
        purchase_date.alias("purchase_date"),
        effective_date.alias("effective_date"),
        (F.lit(None) if hour is None else hour).cast("int").alias("order_hour"),
        *(sums.get(name, zero).cast("long").alias(name) for name in _SENT),
    ]


def _bought(purchases: DataFrame) -> DataFrame:
    """Lines, units and money, on the order's day, effective on the line's own; each order once."""
    is_first = F.col("transaction_date") == F.col("order_date")
    order = F.when(is_first, 1).otherwise(0)
    return purchases.select(
        *_row(
            F.col("order_date"),
            F.col("transaction_date"),
            F.col("order_hour"),
            order_count=order,
            line_count=F.col("copies"),
            quantity_units=F.col("units"),
            gross_amount=F.col("amount"),
            discount_amount=F.col("discount"),
        )
    )


def _order_hash() -> Column:
    return F.xxhash64(*ORDER).alias("order_hash")


def _undone(purchases: DataFrame, matched: DataFrame, touched: Sieve) -> DataFrame:
    """Orders of which every unit came back, on the day of the last return.

    A line added to the order on a later day takes that back, from its day on. Orders that have the
    hash of a touched one by chance keep all their units.
    """
    order = (*ORDER, "order_date")
    back = matched.withColumnRenamed("purchase_date", "order_date")
    hashed = purchases.withColumn("order_hash", _order_hash())
    moves = (
        touched.marked(hashed, mark="is_touched")
        .filter("is_touched")
        .select(
            *order,
            F.col("transaction_date").alias("day"),
            "order_hour",
            F.col("units").alias("units_left"),
            F.col("unitless_lines").alias("unreturnable"),
        )
        .unionByName(
            back.select(
                *order,
                F.col("return_date").alias("day"),
                F.lit(None).cast("int").alias("order_hour"),
                (-ten_thousandths(F.col("returned_units"))).alias("units_left"),
                F.lit(0).cast("long").alias("unreturnable"),
            )
        )
    )
    days = Window.partitionBy(*order).orderBy("day")
    so_far = days.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    left = F.sum(F.sum("units_left")).over(so_far)
    is_undone = ((left == 0) & (F.sum(F.sum("unreturnable")).over(so_far) == 0)).cast("int")
    # A return follows a line of the order, which knows the hour.
    hour = F.max(F.max("order_hour")).over(so_far)
    change = F.col("change")
    return (
        moves.groupBy(*order, "day")
        .agg(is_undone.alias("is_undone"), hour.alias("order_hour"))
        .withColumn("change", F.col("is_undone") - F.lag("is_undone", 1, 0).over(days))
        .filter(change != 0)
        .select(
            *_row(F.col("order_date"), F.col("day"), F.col("order_hour"), undone_order_count=change)
        )
    )


def _given_back(matches: DataFrame) -> DataFrame:
    """Matched returns, on the purchase's day, effective on their own; others on their own only."""
    amount = ten_thousandths(F.col("returned_amount"))
    return matches.select(
        *_row(
            F.coalesce("purchase_date", "return_date"),
            F.col("return_date"),
            returned_units=ten_thousandths(F.col("returned_units")),
            returned_amount=amount,
            unmatched_returned_amount=F.when(F.col("is_matched"), 0).otherwise(amount),
        )
    )


def _neither(days: DataFrame) -> DataFrame:
    """Zeros for the days of lines that are neither purchase nor return."""
    day = F.col("transaction_date")
    return days.filter("NOT is_purchase AND NOT is_return").select(*_row(day, day))
