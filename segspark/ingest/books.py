"""The books of a batch: rows and money in = kept + duplicate + rejected, exactly."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.ingest.parsing import REASONS

_NO_MONEY = Decimal(0)


@dataclass(frozen=True, slots=True)
class Entry:
    """Rows and money of one side of a batch's books.

    Attributes:
        rows: Input rows.
        amount: Their money, as far as it could be read.
    """

    rows: int = 0
    amount: Decimal = _NO_MONEY

    def __add__(self, other: "Entry") -> "Entry":
        return Entry(self.rows + other.rows, self.amount + other.amount)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came in, counted on the parsed rows before anything is written.

    Attributes:
        total: All rows.
        refused: Rows with a reason to refuse them.
        copies: Good rows that are equal to another one before them.
        reasons: Reason → rows; a row may have several.
    """

    total: Entry = Entry()
    refused: Entry = Entry()
    copies: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Written:
    """What the written tables hold of a batch.

    Attributes:
        kept: Rows of `transactions`.
        duplicate: Their further copies.
        guest_rows: Kept rows without a customer.
        rejected: Rows of `rejected_transactions`, copies counted.
        first_date: Earliest kept day.
        last_date: Latest kept day.
    """

    kept: Entry = Entry()
    duplicate: Entry = Entry()
    guest_rows: int = 0
    rejected: Entry = Entry()
    first_date: date | None = None
    last_date: date | None = None


def count_delivery(parsed: DataFrame) -> dict[str, Delivery]:
    """Count the parsed rows of each batch in one Spark job.

    Args:
        parsed: One row per input row, from `parse_lines`.

    Returns:
        Batch id → what came in.
    """
    rows = parsed.groupBy("batch_id", "line_id", REASONS).agg(
        F.count("*").alias("rows"), F.sum("line_amount").alias("amount")
    )
    counted = rows.groupBy("batch_id", REASONS).agg(
        F.sum("rows").alias("rows"),
        F.count("*").alias("distinct_rows"),
        _money(F.col("amount")).alias("amount"),
    )
    deliveries: dict[str, Delivery] = {}
    for row in counted.collect():
        entry = Entry(row["rows"], row["amount"])
        before = deliveries.get(row["batch_id"], Delivery())
        found = dict(before.reasons)
        for reason in row[REASONS]:
            found[reason] = found.get(reason, 0) + row["rows"]
        if row[REASONS]:
            refused, copies = before.refused + entry, before.copies
        else:
            refused, copies = before.refused, row["rows"] - row["distinct_rows"]
        deliveries[row["batch_id"]] = Delivery(before.total + entry, refused, copies, found)
    return deliveries


def count_written(transactions: DataFrame, rejected: DataFrame) -> dict[str, Written]:
    """Count what the tables hold of each batch.

    Args:
        transactions: Rows of the batches in `transactions`.
        rejected: Rows of the batches in `rejected_transactions`.

    Returns:
        Batch id → what was written.
    """
    further = F.col("copies_count") - 1
    kept = transactions.groupBy("batch_id").agg(
        F.count("*").alias("rows"),
        _money(F.col("line_amount")).alias("amount"),
        F.sum(further).alias("duplicate_rows"),
        _money(F.col("line_amount") * further.cast("decimal(10,0)")).alias("duplicate_amount"),
        F.count_if(F.col("customer_id").isNull()).alias("guest_rows"),
        F.min("transaction_date").alias("first_date"),
        F.max("transaction_date").alias("last_date"),
    )
    copies = F.col("copies_count").cast("decimal(10,0)")
    refused = rejected.groupBy("batch_id").agg(
        F.sum("copies_count").alias("rejected_rows"),
        _money(F.col("line_amount") * copies).alias("rejected_amount"),
    )
    joined = kept.join(refused, on="batch_id", how="full").collect()
    return {
        row["batch_id"]: Written(
            kept=Entry(row["rows"] or 0, row["amount"] or _NO_MONEY),
            duplicate=Entry(row["duplicate_rows"] or 0, row["duplicate_amount"] or _NO_MONEY),
            guest_rows=row["guest_rows"] or 0,
            rejected=Entry(row["rejected_rows"] or 0, row["rejected_amount"] or _NO_MONEY),
            first_date=row["first_date"],
            last_date=row["last_date"],
        )
        for row in joined
    }


def imbalance(delivery: Delivery, written: Written) -> str | None:
    """What does not tie out, in words; None where the books balance."""
    out = written.kept + written.duplicate + written.rejected
    came_in = (delivery.total, delivery.refused, delivery.copies)
    if came_in == (out, written.rejected, written.duplicate.rows):
        return None
    return (
        f"{delivery.total.rows} rows with {delivery.total.amount} came in and {out.rows} with "
        f"{out.amount} are accounted for; {delivery.refused.rows} were refused and "
        f"{written.rejected.rows} are in rejected_transactions; {delivery.copies} were copies and "
        f"{written.duplicate.rows} are counted as such"
    )


def _money(amount: Column) -> Column:
    return F.coalesce(F.sum(amount), F.lit(0)).cast("decimal(28,4)")
