"""Hold-outs before the as-of date: what the models would have said, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.errors import LifetimeError
from segspark.features.lifetime_histories import (
    collect_fold,
    held_out_histories,
    sampled,
)
from segspark.lifetime.choice import FOLD_COUNT, fold_days
from segspark.lifetime.fitted import SpendBasis
from segspark.lifetime.holdout import FoldResult, evaluate_fold
from segspark.pipeline.stage import Workspace

_MOST_CUSTOMERS = 200_000
"""Of more, a sample is held out."""


@dataclass(frozen=True, slots=True)
class Population:
    """Customers of a snapshot.

    Attributes:
        customers: All of them.
        known: Those with a purchase.
        unpriced: Basis of price → those of them whose mean spend, of the days that it is made of,
            is 0 or less.
        history_days: Days from the first purchase of anybody to the as-of date.
    """

    customers: int
    known: int
    unpriced: Mapping[SpendBasis, int]
    history_days: int

    @classmethod
    def of(cls, histories: DataFrame, as_of: date) -> "Population":
        """Count histories, from `purchase_histories`."""
        row = histories.agg(
            F.count("*").alias("customers"),
            F.count_if(F.col("exclusion_reason").isNull()).alias("known"),
            F.count_if(F.col("day_mean") <= 0).alias("by_all_days"),
            F.count_if((F.col("repeat_count") > 0) & (F.col("repeat_mean") <= 0)).alias(
                "by_repeat_days"
            ),
            F.min("first_purchase_date").alias("first"),
        ).collect()[0]
        days = (as_of - row["first"]).days if row["first"] else 0
        unpriced = {
            SpendBasis.ALL_DAYS: row["by_all_days"],
            SpendBasis.REPEAT_DAYS: row["by_repeat_days"],
        }
        return cls(row["customers"], row["known"], unpriced, days)


def hold_outs(
    workspace: Workspace, ledger: DataFrame, everybody: Population, as_of: date
) -> tuple[tuple[FoldResult, ...], list[str]]:
    """Two folds, the later first, and a sentence for what could not be held out."""
    settings = workspace.settings
    wanted = settings.lifetime.holdout_days
    days = fold_days(everybody.history_days, wanted_days=wanted)
    if days is None:
        return (), [f"no hold-out: a history of {everybody.history_days} days is too short"]
    remarks = []
    if days < wanted:
        remarks.append(f"hold-outs are of {days} days, a third of the history, not of {wanted}")
    seen = sampled(ledger, customer_count=everybody.known, most=_MOST_CUSTOMERS)
    results = []
    for number in range(1, FOLD_COUNT + 1):
        after = as_of - timedelta(days=number * days)
        until = after + timedelta(days=days)
        workspace.progress.step(f"lifetime: hold-out {number} of {FOLD_COUNT}, after {after}")
        held_out = held_out_histories(seen, settings=settings.features, after=after, until=until)
        try:
            fold = collect_fold(held_out, days=days, name=after.isoformat())
            results.append(evaluate_fold(fold))
        except LifetimeError as error:
            remarks.append(f"no hold-out after {after}: {error}")
    return tuple(results), remarks
