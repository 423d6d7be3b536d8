"""What customers prefer: orders, spend and affinity by category of the products."""

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from segspark.features.lines import customer_lines
from segspark.features.ten_thousandths import as_amount, ten_thousandths
from segspark.settings.behaviour import CategorySettings
from segspark.settings.features import LedgerSettings
from segspark.tables.behaviour import CUSTOMER_CATEGORIES, UNKNOWN
from segspark.tables.contract import MONEY

_ORDER = ("source", "customer_id", "order_id", "category")


def product_categories(products: DataFrame, *, settings: CategorySettings) -> DataFrame:
    """The category of each product.

    Args:
        products: Rows of `products` of the batches that count, each with its `batch_number`.
        settings: Which level or attribute is the category.

    Returns:
        One row per `product_id` with its `category` as the batch taken in last has it, NULL where
        that has none; of two rows of one batch, the one with the greater `line_id`.
    """
    if settings.attribute is None:
        category = F.get("category_levels", F.lit(settings.level - 1))
    else:
        category = F.try_element_at("attributes", F.lit(settings.attribute))
    newest = F.max_by(F.struct(category.alias("category")), F.struct("batch_number", "line_id"))
    return products.groupBy("product_id").agg(newest["category"].alias("category"))


def category_orders(
    transactions: DataFrame,
    matches: DataFrame | None,
    categories: DataFrame | None,
    *,
    settings: LedgerSettings,
    as_of: date,
) -> DataFrame:
    """Orders and spend of each customer and category, as they were known on the date.

    Args:
        transactions: Conforms to `TRANSACTIONS`; the batches that count.
        matches: Conforms to `RETURN_MATCHES`; those of these lines; what a return of a later
            day says is left out with its line. None: returns undo nothing.
        categories: From `product_categories`; None: the product's code is its category.
        settings: What counts as a purchase and as a return.
        as_of: Lines and returns of later days are not seen.

    Returns:
        One row per customer and category with an order or spend left: `orders`, those of which a
        unit of the category was kept, and `spend`. Guests are absent.
    """
    known = transactions.filter(F.col("transaction_date") <= F.lit(as_of))
    lines = customer_lines(known, settings=settings).transform(_with_category, categories)
    moves = lines.filter("is_purchase").select(
        *_ORDER,
        F.col("units").alias("units_left"),
        (F.col("units") == 0).alias("is_kept_anyway"),
        F.col("amount").alias("spend"),
        F.lit(1).alias("bought"),
    )
    if matches is not None:
        moves = moves.unionByName(_given_back(lines, matches))
    left = (F.sum("units_left") > 0) | F.bool_or("is_kept_anyway")
    return (
        moves.groupBy(*_ORDER)
        .agg(((F.sum("bought") > 0) & left).cast("long").alias("orders"), F.sum("spend").alias("s"))
        .groupBy("customer_id", "category")
        .agg(F.sum("orders").alias("orders"), as_amount(F.sum("s"), MONEY).alias("spend"))
        .filter((F.col("orders") > 0) | (F.col("spend") != 0))
    )


def customer_categories(
    orders: DataFrame, *, settings: CategorySettings, snapshot_id: str
) -> DataFrame:
    """Add shares, affinities and favourites.

    The affinity is the log-odds ratio of the customer to all others with an informative Dirichlet
    prior, and its z-score, after Monroe, Colaresi and Quinn 2008 (Political Analysis 16(4),
    equations 16, 20 and 22); the prior is `prior_weight` orders as all customers share them out.

    Args:
        orders: From `category_orders`.
        settings: The weight of the prior.
        snapshot_id: Written into every row.

    Returns:
        Conforms to `CUSTOMER_CATEGORIES`.
    """
    mine = Window.partitionBy("customer_id")
    best = mine.orderBy(F.col("category") == UNKNOWN, F.desc("orders"), F.desc("spend"), "category")
    is_named = (F.col("category") != UNKNOWN) & (F.col("orders") > 0)
    of_customer = F.nullif(F.col("of_customer"), F.lit(0))
    return (
        orders.withColumn("of_customer", F.sum("orders").over(mine))
        .withColumn("is_favourite", (F.row_number().over(best) == 1) & is_named)
        .transform(with_prior, settings.prior_weight)
        .withColumns(_affinity(settings.prior_weight))
        .select(
            F.lit(snapshot_id).alias("snapshot_id"),
            "customer_id",
            "category",
            F.col("orders").alias("order_count"),
            F.col("spend").alias("spend_amount"),
            (F.col("orders") / of_customer).alias("order_ratio"),
            "affinity_log_odds",
            (F.col("affinity_log_odds") / F.sqrt("variance")).alias("affinity_z_score"),
            "is_favourite",
        )
        .transform(CUSTOMER_CATEGORIES.conform)
    )


def with_prior(orders: DataFrame, weight: float) -> DataFrame:
    """Add what all customers' orders say of a category before one's own are looked at.

    Args:
        orders: `category` and `orders` of every customer.
        weight: Orders that the prior stands for.

    Returns:
        The same rows with `sold`, all orders of the category, `all_sold`, those of all categories,
        `sold_categories`, how many have any, and `prior`, the category's part of the weight.
    """
    sold = orders.groupBy("category").agg(F.sum("orders").alias("sold"))
    everything = sold.agg(
        F.sum("sold").alias("all_sold"), F.count_if(F.col("sold") > 0).alias("sold_categories")
    )
    prior = F.lit(weight) * F.col("sold") / F.nullif(F.col("all_sold"), F.lit(0))
    totals = sold.crossJoin(F.broadcast(everything)).withColumn("prior", prior)
    return orders.join(totals, on="category", how="inner")


def _with_category(lines: DataFrame, categories: DataFrame | None) -> DataFrame:
    if categories is None:
        return lines.withColumn("category", F.coalesce("product_id", F.lit(UNKNOWN)))
    named = lines.join(categories, on="product_id", how="left")
    return named.withColumn("category", F.coalesce("category", F.lit(UNKNOWN)))


def _given_back(lines: DataFrame, matches: DataFrame) -> DataFrame:
    """What returns take from orders; of those that match none, the money only."""
    key = F.struct(
        F.col("return_batch_id").alias("batch_id"), F.col("return_line_id").alias("line_id")
    )
    returned = lines.filter("is_return").select("line", "category")
    return (
        matches.withColumn("line", key)
        .join(returned, on="line", how="inner")
        .select(
            *_ORDER,
            (-ten_thousandths(F.col("returned_units"))).alias("units_left"),
            F.lit(col=False).alias("is_kept_anyway"),
            (-ten_thousandths(F.col("returned_amount"))).alias("spend"),
            F.lit(0).alias("bought"),
        )
    )


def _affinity(weight: float) -> dict[str, Column]:
    """Log-odds and their variance; a logarithm of 0 is NULL."""
    mine, prior = F.col("orders"), F.col("prior")
    theirs = F.col("sold") - mine
    of_others = F.col("all_sold") - F.col("of_customer")

    # What is not the category, without a difference of nearly equal numbers.
    others = F.lit(weight) * (F.col("all_sold") - F.col("sold"))
    prior_of_others = others / F.nullif(F.col("all_sold"), F.lit(0))

    def log_odds(count: Column, total: Column) -> Column:
        return F.ln(count + prior) - F.ln(total - count + prior_of_others)

    def inverse(count: Column) -> Column:
        return 1 / F.nullif(count + prior, F.lit(0.0))

    return {
        "affinity_log_odds": log_odds(mine, F.col("of_customer")) - log_odds(theirs, of_others),
        "variance": inverse(mine) + inverse(theirs),
    }
