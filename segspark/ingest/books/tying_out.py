"""The books of a batch: rows and money in = kept + duplicate + rejected, exactly."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.ingest.parsing.rows import REASONS, Entity

NO_MONEY = Decimal(0)
_LISTS = (REASONS, "flags", "counted")


@dataclass(frozen=True, slots=True)
class Entry:
    """Rows and money of one side of a batch's books.

    Attributes:
        rows: Input rows.
        amount: Their money, as far as it could be read.
    """

    rows: int = 0
    amount: Decimal = NO_MONEY

    def __add__(self, other: "Entry") -> "Entry":
        return Entry(self.rows + other.rows, self.amount + other.amount)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came in, counted on the parsed rows before anything is written.

    Attributes:
        total: All rows.
        refused: Rows with a reason to refuse them.
        copies: Good rows that are equal to another one before them.
        reasons: Reason to refuse → rows; a row may have several.
        flagged: Rule that flags or counts → rows, refused ones among them.
    """

    total: Entry = Entry()
    refused: Entry = Entry()
    copies: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    flagged: Mapping[str, int] = field(default_factory=dict)

    @property
    def refused_ratio(self) -> float:
        """Share of refused rows."""
        return self.refused.rows / self.total.rows if self.total.rows else 0.0


@dataclass(frozen=True, slots=True)
class Written:
    """What the written tables hold of a batch.

    Attributes:
        kept: Rows of the entity's table.
        duplicate: Their further copies.
        guest_rows: Kept rows without a customer.
        rejected: Refused rows, copies counted.
        first_date: Earliest kept day.
        last_date: Latest kept day.
    """

    kept: Entry = Entry()
    duplicate: Entry = Entry()
    guest_rows: int = 0
    rejected: Entry = Entry()
    first_date: date | None = None
    last_date: date | None = None


def count_delivery(staged: DataFrame, copies: DataFrame) -> dict[str, Delivery]:
    """Count the staged rows of each batch.

    Args:
        staged: One row per input row, with the columns of `numbered`.
        copies: From `copied_lines`.

    Returns:
        Batch id → what came in.
    """
    # Most rows have none of these, and NULL is quicker to group by than an empty list. Staging them
    # as NULL is slower: Spark would work each list out twice.
    lists = [F.when(F.size(name) > 0, F.col(name)).alias(name) for name in _LISTS]
    groups = (
        staged.select("batch_id", *lists, "line_amount")
        .groupBy("batch_id", *_LISTS)
        .agg(F.count("*").alias("rows"), _money(F.col("line_amount")).alias("amount"))
    )
    further = copies.groupBy("batch_id").agg(F.sum(F.col("copies_count") - 1).alias("copies"))
    copies_of = {row["batch_id"]: row["copies"] for row in further.collect()}
    found: dict[str, Delivery] = {}
    for row in groups.collect():
        before = found.get(row["batch_id"], Delivery(copies=copies_of.get(row["batch_id"], 0)))
        entry = Entry(row["rows"], row["amount"])
        found[row["batch_id"]] = replace(
            before,
            total=before.total + entry,
            refused=before.refused + entry if row[REASONS] else before.refused,
            reasons=_added(before.reasons, row[REASONS], entry.rows),
            flagged=_added(
                _added(before.flagged, row["flags"], entry.rows), row["counted"], entry.rows
            ),
        )
    return found


def _added(counts: Mapping[str, int], names: Iterable[str] | None, rows: int) -> dict[str, int]:
    return {**counts, **{name: counts.get(name, 0) + rows for name in names or ()}}


def count_written(kept_rows: DataFrame, rejected: DataFrame, entity: Entity) -> dict[str, Written]:
    """Count what the tables hold of each batch.

    Args:
        kept_rows: Rows of the batches in the entity's table.
        rejected: Rows of the batches in its table of refused rows.
        entity: What the rows are.

    Returns:
        Batch id → what was written.
    """
    further = F.col("copies_count") - 1
    money = F.col("line_amount") if entity.has_money else F.lit(0).cast("decimal(18,4)")
    day = F.col(entity.day) if entity.day else F.lit(None).cast("date")
    is_guest = F.col("customer_id").isNull() if entity.has_customer else F.lit(col=False)
    kept = kept_rows.groupBy("batch_id").agg(
        F.count("*").alias("rows"),
        _money(money).alias("amount"),
        F.sum(further).alias("duplicate_rows"),
        # Most rows have no copy, and products of decimals are dear.
        _money(F.when(further > 0, money * further.cast("decimal(10,0)"))).alias(
            "duplicate_amount"
        ),
        F.count_if(is_guest).alias("guest_rows"),
        F.min(day).alias("first_date"),
        F.max(day).alias("last_date"),
    )
    copies = F.col("copies_count").cast("decimal(10,0)")
    refused = rejected.groupBy("batch_id").agg(
        F.sum("copies_count").alias("rejected_rows"),
        _money(F.col("line_amount") * copies).alias("rejected_amount"),
    )
    joined = kept.join(refused, on="batch_id", how="full").collect()
    return {
        row["batch_id"]: Written(
            kept=Entry(row["rows"] or 0, row["amount"] or NO_MONEY),
            duplicate=Entry(row["duplicate_rows"] or 0, row["duplicate_amount"] or NO_MONEY),
            guest_rows=row["guest_rows"] or 0,
            rejected=Entry(row["rejected_rows"] or 0, row["rejected_amount"] or NO_MONEY),
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
        f"{written.rejected.rows} are written as such; {delivery.copies} were copies and "
        f"{written.duplicate.rows} are counted as such"
    )


def _money(amount: Column) -> Column:
    return F.coalesce(F.sum(amount), F.lit(0)).cast("decimal(28,4)")
