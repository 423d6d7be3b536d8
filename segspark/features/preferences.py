"""How broad customers buy, what most, and how sure that is."""

from collections.abc import Iterator
from datetime import date

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window
from scipy.special import betainc

from segspark.features.categories import with_prior
from segspark.features.lines import customer_lines
from segspark.features.orders import ORDER
from segspark.settings.behaviour import CategorySettings
from segspark.settings.features import LedgerSettings
from segspark.tables.behaviour import CUSTOMER_PREFERENCES, UNKNOWN

_MOST_RIVALS = 100
_KEPT = (
    "customer_id",
    "category_count",
    "average_basket_products",
    "concentration_ratio",
    "favourite_category",
)
_SCHEMA = ", ".join(
    f"{c.name} {c.dtype.simpleString()}"
    for c in CUSTOMER_PREFERENCES.columns
    if c.name != "snapshot_id"
)


def basket_products(transactions: DataFrame, *, settings: LedgerSettings, as_of: date) -> DataFrame:
    """Mean number of different products in the orders of each customer.

    Args:
        transactions: Conforms to `TRANSACTIONS`; the batches that count.
        settings: What counts as a purchase.
        as_of: Lines of later days are not seen; returns change nothing.

    Returns:
        One row per `customer_id` with an order: `average_basket_products`, in which lines without a
        product do not count.
    """
    known = transactions.filter(F.col("transaction_date") <= F.lit(as_of))
    orders = (
        customer_lines(known, settings=settings)
        .filter("is_purchase")
        .groupBy(*ORDER)
        .agg(F.count_distinct("product_id").alias("products"))
    )
    # Whole numbers have one sum, whatever the order.
    mean = F.sum("products").cast("double") / F.count("*")
    return orders.groupBy("customer_id").agg(mean.alias("average_basket_products"))


def customer_preferences(
    written: DataFrame, baskets: DataFrame, *, settings: CategorySettings, snapshot_id: str
) -> DataFrame:
    """Sum up each customer's categories.

    The confidence is P(favourite > rival) under the Dirichlet posterior of the customer's shares,
    an incomplete beta function; the rival has the highest posterior mean of all other categories,
    bought by the customer or not. It is no lower than the probability to be first of all.

    Args:
        written: Conforms to `CUSTOMER_CATEGORIES`; one snapshot.
        baskets: From `basket_products`, of the same day.
        settings: The weight of the prior.
        snapshot_id: Written into every row.

    Returns:
        Conforms to `CUSTOMER_PREFERENCES`.
    """
    rows = written.select(
        "customer_id", "category", "is_favourite", F.col("order_count").alias("orders")
    ).transform(with_prior, settings.prior_weight)
    share = F.col("orders") / F.sum("orders").over(Window.partitionBy("customer_id"))
    posterior = F.col("orders") + F.col("prior")
    summed = (
        rows.withColumn("share", F.when(F.col("orders") > 0, share))
        .groupBy("customer_id")
        .agg(
            F.count_if((F.col("orders") > 0) & (F.col("category") != UNKNOWN)).alias(
                "category_count"
            ),
            F.sort_array(F.collect_list(-F.col("share") * F.ln("share"))).alias("terms"),
            F.max(F.when(F.col("is_favourite"), F.col("category"))).alias("favourite_category"),
            F.max(F.when(F.col("is_favourite"), posterior)).alias("favourite_posterior"),
            F.max(F.when(~F.col("is_favourite"), posterior)).alias("bought_rival"),
            F.collect_set("category").alias("seen"),
            F.max("sold_categories").alias("sold_categories"),
        )
        .crossJoin(F.broadcast(_strongest(rows)))
    )
    unseen = F.get(F.array_except("names", "seen"), F.lit(0))
    rival = F.greatest("bought_rival", F.try_element_at("priors", unseen))
    # In an order of their own: sums of floats depend on it.
    entropy = F.aggregate("terms", F.lit(0.0), lambda total, term: total + term)
    known = F.when(F.size("terms") > 0, entropy)
    evenly = F.nullif(F.ln("sold_categories"), F.lit(0.0))
    return (
        summed.join(baskets, on="customer_id", how="left")
        .select(
            "customer_id",
            "category_count",
            "average_basket_products",
            F.when(known <= evenly, 1 - known / evenly)
            .when(known > evenly, 0.0)
            .alias("concentration_ratio"),
            "favourite_category",
            "favourite_posterior",
            rival.alias("rival_posterior"),
        )
        .mapInArrow(_with_confidence, _SCHEMA)
        .withColumn("snapshot_id", F.lit(snapshot_id))
        .transform(CUSTOMER_PREFERENCES.conform)
    )


def _strongest(rows: DataFrame) -> DataFrame:
    """One row: the categories that all customers buy most, as `names`, and their `priors`."""
    ranked = Window.orderBy(F.desc("prior"), "category")
    most = (
        rows.select("category", "prior")
        .distinct()
        .withColumn("rank", F.row_number().over(ranked))
        .filter(F.col("rank") <= _MOST_RIVALS)
    )
    in_order = F.sort_array(F.collect_list(F.struct("rank", "category", "prior")))
    return most.agg(in_order.alias("most")).select(
        F.col("most.category").alias("names"),
        F.map_from_arrays("most.category", "most.prior").alias("priors"),
    )


def _with_confidence(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Put the confidence in the place of the two posteriors; NULL where one is missing."""
    for batch in batches:
        favourite, rival = (
            np.asarray(batch.column(name).to_numpy(zero_copy_only=False), dtype=np.float64)
            for name in ("favourite_posterior", "rival_posterior")
        )
        confidence = betainc(rival, favourite, 0.5)
        found = pa.array(confidence, pa.float64(), mask=np.isnan(confidence))
        columns = [*(batch.column(name) for name in _KEPT), found]
        names = [*_KEPT, "favourite_confidence_ratio"]
        yield pa.RecordBatch.from_arrays(columns, names=names)
