"""Customer features as of a date, from the ledger."""

from datetime import date, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.features.custom import custom_columns
from segspark.features.habits import HABIT_ARRAYS, gap_columns, habit_columns, habit_sums
from segspark.features.scores import Cuts, score_columns
from segspark.features.windows import window_columns, window_sums
from segspark.settings.features import FeatureSettings
from segspark.tables.features import built_in_features, customer_features
from segspark.tables.purchase_features import SCORE_FEATURES
from segspark.tables.purchases import DAYPART_COUNTS

ONLY_OTHER_LINES = "no purchase, only lines of other kinds"
ONLY_RETURNS = "no purchase, only returns"
ALL_UNDONE = "every purchase was undone"
NOT_OBSERVED = "no purchase in the observation window"


def customer_summaries(ledger: DataFrame, *, settings: FeatureSettings, as_of: date) -> DataFrame:
    """Everything but the scores and custom features, of every customer known by the as-of date.

    Args:
        ledger: Conforms to `CUSTOMER_DAYS`; one ledger.
        settings: Net or gross, the observation window and the windows of recent days.
        as_of: Last day counted, inclusive; rows that become effective later are not seen.

    Returns:
        One row per customer with the built-in columns of `customer_features` but ids and scores;
        those that need a purchase are NULL where `exclusion_reason` is given.
    """
    days = known_days(ledger, settings=settings, as_of=as_of)
    first_day = _first_observed(settings, as_of)
    is_observed = F.col("purchase_date") >= F.lit(first_day) if first_day else F.lit(col=True)
    bought = is_observed & (F.col("orders") > 0)
    summed = days.groupBy("customer_id").agg(
        *_rfm_sums(is_observed, bought),
        *habit_sums(bought),
        *window_sums(settings.windows_days, as_of=as_of),
        *_btyd_sums(),
    )
    return (
        summed.withColumns({"exclusion_reason": _exclusion_reason(), **gap_columns()})
        .withColumns(
            {**_derived(as_of), **habit_columns(), **window_columns(settings.windows_days)}
        )
        .withColumns(_only_where_eligible(settings))
        .drop(*HABIT_ARRAYS)
    )


def with_scores(
    summaries: DataFrame, *, settings: FeatureSettings, cuts: Cuts, as_of: date, snapshot_id: str
) -> DataFrame:
    """Add RFM scores, ids and custom features.

    Args:
        summaries: From `customer_summaries`.
        settings: The same.
        cuts: Cuts of the scores.
        as_of: Last day counted.
        snapshot_id: Written into every row.

    Returns:
        Conforms to `customer_features` of the settings.
    """
    scored = summaries.withColumns(score_columns(cuts)).withColumns(
        {"snapshot_id": F.lit(snapshot_id), "as_of_date": F.lit(as_of)}
    )
    built_in = customer_features(settings.model_copy(update={"custom": ()})).conform(scored)
    return built_in.withColumns(custom_columns(built_in, settings.custom)).transform(
        customer_features(settings).conform
    )


def _first_observed(settings: FeatureSettings, as_of: date) -> date | None:
    days = settings.observation_days
    return as_of - timedelta(days=days - 1) if days else None


def known_days(ledger: DataFrame, *, settings: FeatureSettings, as_of: date) -> DataFrame:
    """Sums of each customer and purchase day, as they were known on the as-of date.

    Args:
        ledger: Conforms to `CUSTOMER_DAYS`; one ledger.
        settings: Net or gross.
        as_of: Rows that become effective later are not seen.

    Returns:
        One row per customer and day: sums of the ledger's columns, `net`, and `orders` and `spend`
        as the settings count them. Only days with `orders` above 0 are purchase days.
    """
    names = (
        "order_count",
        "undone_order_count",
        *DAYPART_COUNTS,
        "line_count",
        "quantity_units",
        "gross_amount",
        "discount_amount",
        "returned_units",
        "returned_amount",
    )
    known = ledger.filter(F.col("effective_date") <= F.lit(as_of))
    summed = known.groupBy("customer_id", "purchase_date").agg(
        *(F.sum(name).alias(name) for name in names)
    )
    net = F.col("gross_amount") - F.col("returned_amount")
    if settings.monetary == "net":
        orders, spend = F.col("order_count") - F.col("undone_order_count"), net
    else:
        orders, spend = F.col("order_count"), F.col("gross_amount")
    return summed.withColumns({"net": net, "orders": orders, "spend": spend})


def _rfm_sums(is_observed: Column, bought: Column) -> list[Column]:
    def observed(name: str) -> Column:
        return F.coalesce(F.sum(F.when(is_observed, F.col(name))), F.lit(0))

    return [
        F.max(F.when(bought, F.col("purchase_date"))).alias("last_purchase_date"),
        F.min(F.when(F.col("orders") > 0, F.col("purchase_date"))).alias("first_purchase_date"),
        observed("orders").alias("frequency_count"),
        observed("spend").cast("decimal(28,4)").alias("monetary_amount"),
        observed("order_count").alias("placed_orders"),
        observed("quantity_units").alias("placed_units"),
        observed("line_count").alias("placed_lines"),
        F.sum("order_count").alias("orders_ever"),
        F.sum("returned_amount").alias("returned_ever"),
        *(
            observed(source).cast("decimal(28,4)").alias(target)
            for source, target in (
                ("gross_amount", "gross_amount"),
                ("returned_amount", "returned_amount"),
                ("net", "net_amount"),
                ("discount_amount", "discount_amount"),
            )
        ),
    ]


def _btyd_sums() -> list[Column]:
    """Purchase days over the whole history: Fader, Hardie and Lee's x, t_x and spend per day."""
    is_day = F.col("orders") > 0
    spend = F.when(is_day, F.col("spend"))
    return [
        F.count_if(is_day).alias("purchase_days"),
        F.max(F.when(is_day, F.col("purchase_date"))).alias("last_day"),
        F.sum(spend).cast("double").alias("day_spend"),
        F.min_by(spend, F.when(is_day, F.col("purchase_date"))).cast("double").alias("first_spend"),
    ]


def _exclusion_reason() -> Column:
    return (
        F.when((F.col("orders_ever") == 0) & (F.col("returned_ever") > 0), ONLY_RETURNS)
        .when(F.col("orders_ever") == 0, ONLY_OTHER_LINES)
        .when(F.col("purchase_days") == 0, ALL_UNDONE)
        .when(F.col("last_purchase_date").isNull(), NOT_OBSERVED)
    )


def _derived(as_of: date) -> dict[str, Column]:
    day, repeats = F.lit(as_of), F.col("purchase_days") - 1
    orders = F.nullif(F.col("placed_orders"), F.lit(0)).cast("double")
    frequency = F.nullif(F.col("frequency_count"), F.lit(0)).cast("double")
    repeat_spend = F.col("day_spend") - F.col("first_spend")
    return {
        "recency_days": F.datediff(day, "last_purchase_date"),
        "tenure_days": F.datediff(day, "first_purchase_date"),
        "average_order_amount": F.col("monetary_amount").cast("double") / frequency,
        "average_basket_units": F.col("placed_units").cast("double") / orders,
        "average_basket_lines": F.col("placed_lines").cast("double") / orders,
        "btyd_repeat_count": repeats,
        "btyd_last_repeat_days": F.datediff("last_day", "first_purchase_date"),
        "btyd_age_days": F.datediff(day, "first_purchase_date"),
        "btyd_repeat_mean_amount": F.when(repeats > 0, repeat_spend / repeats),
        "btyd_day_mean_amount": F.col("day_spend") / F.nullif(F.col("purchase_days"), F.lit(0)),
    }


def _only_where_eligible(settings: FeatureSettings) -> dict[str, Column]:
    """Values that need a purchase; a customer without one has none, rather than a zero."""
    names = [
        each.name
        for each in built_in_features(settings)
        if not each.is_everybodys and each not in SCORE_FEATURES
    ]
    return {name: F.when(F.col("exclusion_reason").isNull(), F.col(name)) for name in names}
