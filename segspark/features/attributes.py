"""Where customers live and buy, and their demographics, as few levels for profiles."""

from collections.abc import Sequence
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from segspark.features.lines import customer_lines
from segspark.settings.features import LedgerSettings
from segspark.tables.behaviour import CUSTOMER_ATTRIBUTES

OTHER = "other"
MISSING = "missing"
_PLACES = ("country", "region", "store_id")
_OF_LINES = ("country", "store_id")
_DEMOGRAPHIC = "attributes."
"""Before the name of a demographic attribute, which may be called like a place."""


def told_of_customers(rows: DataFrame, *, as_of: date) -> DataFrame:
    """What sources of customers say, as of the date.

    Args:
        rows: Rows of `customers` of the batches that count, each with its `batch_number`.
        as_of: Rows that hold from a later day on are not seen; those without a day always hold.

    Returns:
        One row per `customer_id` and `name` with its `value`: of the row that holds from the latest
        day on, then of the batch taken in last, then of the greatest `line_id`.
    """
    day = F.col("valid_from_date")
    known = rows.filter(day.isNull() | (day <= F.lit(as_of)))
    demographics = F.map_entries("attributes")
    places = F.array(*(_entry(name, F.col(name)) for name in ("country", "region")))
    told = known.select(
        "customer_id",
        F.struct(day, "batch_number", "line_id").alias("order"),
        F.explode(
            F.concat(
                places,
                F.transform(
                    demographics,
                    lambda entry: _entry(
                        F.concat(F.lit(_DEMOGRAPHIC), entry["key"]), entry["value"]
                    ),
                ),
            )
        ).alias("entry"),
    ).select("customer_id", "order", "entry.*")
    return (
        told.filter(F.col("value").isNotNull())
        .groupBy("customer_id", "name")
        .agg(F.max_by("value", "order").alias("value"))
    )


def told_by_lines(transactions: DataFrame, *, settings: LedgerSettings, as_of: date) -> DataFrame:
    """Country and store of the most purchase lines up to the date.

    Args:
        transactions: Conforms to `TRANSACTIONS`; the batches that count.
        settings: What counts as a purchase, and how often a line does.
        as_of: Lines of later days are not seen.

    Returns:
        One row per `customer_id` and `name` with its `value`. Ties go to the value seen last, then
        to the first in order.
    """
    known = transactions.filter(F.col("transaction_date") <= F.lit(as_of))
    bought = customer_lines(known, settings=settings, also=_OF_LINES).filter("is_purchase")
    entries = F.array(*(_entry(name, F.col(name)) for name in _OF_LINES))
    counted = (
        bought.groupBy("customer_id", *_OF_LINES)
        .agg(F.sum("copies").alias("lines"), F.max("transaction_date").alias("last"))
        .select("customer_id", "lines", "last", F.explode(entries).alias("entry"))
        .select("customer_id", "lines", "last", "entry.*")
        .filter(F.col("value").isNotNull())
        .groupBy("customer_id", "name", "value")
        .agg(F.sum("lines").alias("lines"), F.max("last").alias("last"))
    )
    best = Window.partitionBy("customer_id", "name").orderBy(
        F.desc("lines"), F.desc("last"), "value"
    )
    return (
        counted.withColumn("rank", F.row_number().over(best))
        .filter(F.col("rank") == 1)
        .select("customer_id", "name", "value")
    )


def customer_attributes(
    customers: DataFrame,
    told: Sequence[DataFrame],
    *,
    demographics: Sequence[str],
    max_categories: int,
    snapshot_id: str,
) -> DataFrame:
    """Encode what is known of the customers of a snapshot.

    Args:
        customers: `customer_id` of all of them.
        told: `customer_id`, `name`, `value`, once each; what an earlier frame says counts.
        demographics: Names of the attributes that sources of customers have.
        max_categories: So many values of each attribute are kept; equally frequent ones in order.
        snapshot_id: Written into every row.

    Returns:
        Conforms to `CUSTOMER_ATTRIBUTES`: every customer.
    """
    known = told[0]
    for further in told[1:]:
        more = further.join(known, on=["customer_id", "name"], how="left_anti")
        known = known.unionByName(more)
    known = known.join(customers, on="customer_id", how="left_semi")
    common = Window.partitionBy("name").orderBy(F.desc("customers"), "value")
    levels = (
        known.groupBy("name", "value")
        .agg(F.count("*").alias("customers"))
        .withColumn("rank", F.row_number().over(common))
        .filter(F.col("rank") <= max_categories)
        .select("name", "value", F.col("value").alias("level"))
    )
    encoded = (
        known.join(F.broadcast(levels), on=["name", "value"], how="left")
        .groupBy("customer_id")
        .agg(F.map_from_entries(F.collect_list(F.struct("name", _level()))).alias("known"))
    )
    return (
        customers.select("customer_id")
        .join(encoded, on="customer_id", how="left")
        .select(
            F.lit(snapshot_id).alias("snapshot_id"),
            "customer_id",
            *(_found(name).alias(name) for name in _PLACES),
            _demographics(demographics).alias("attributes"),
        )
        .transform(CUSTOMER_ATTRIBUTES.conform)
    )


def _entry(name: Column | str, value: Column) -> Column:
    named = F.lit(name) if isinstance(name, str) else name
    return F.struct(named.alias("name"), value.alias("value"))


def _level() -> Column:
    return F.coalesce("level", F.lit(OTHER)).alias("level")


def _found(name: str) -> Column:
    return F.coalesce(F.try_element_at("known", F.lit(name)), F.lit(MISSING))


def _demographics(names: Sequence[str]) -> Column:
    pairs = [part for name in names for part in (F.lit(name), _found(f"{_DEMOGRAPHIC}{name}"))]
    if not pairs:
        return F.create_map().cast("map<string,string>")
    return F.create_map(*pairs)
