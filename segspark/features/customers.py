"""Customer features as of a date, from the ledger."""

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.features.custom import custom_columns
from segspark.features.customer_sums import customer_sums, history_sums
from segspark.features.habits import ratio_columns
from segspark.features.scores import Cuts, score_columns
from segspark.features.windows import window_columns
from segspark.settings.features import FeatureSettings
from segspark.tables.contract import MONEY
from segspark.tables.features import built_in_features, customer_features
from segspark.tables.holding import Hold, as_is
from segspark.tables.purchase_features import SCORE_FEATURES

ONLY_OTHER_LINES = "no purchase, only lines of other kinds"
ONLY_RETURNS = "no purchase, only returns"
ALL_UNDONE = "every purchase was undone"
NOT_OBSERVED = "no purchase in the observation window"


def customer_summaries(
    ledger: DataFrame,
    *,
    settings: FeatureSettings,
    as_of: date,
    with_seasons: bool = False,
    hold: Hold = as_is,
) -> DataFrame:
    """Everything but the scores and custom features, of every customer known by the as-of date.

    Args:
        ledger: Conforms to `CUSTOMER_DAYS`; one ledger.
        settings: Net or gross, the observation window, the windows of recent days, the holidays.
        as_of: Last day counted, inclusive; rows that become effective later are not seen.
        with_seasons: Whether to add `seasons`, of the whole history, from which
            `customer_seasons` follow.
        hold: Keeps what several queries need; by default each works it out anew.

    Returns:
        One row per customer with the built-in columns of `customer_features` but ids and scores;
        those that need a purchase are NULL where `exclusion_reason` is given.
    """
    summed = customer_sums(
        ledger, settings=settings, as_of=as_of, with_seasons=with_seasons, hold=hold
    )
    return (
        summed.withColumn("exclusion_reason", F.coalesce(_exclusion_reason(), _not_observed()))
        .withColumns(
            {
                **_derived(as_of),
                **_lifetime(as_of),
                **ratio_columns(),
                **window_columns(settings.windows_days),
            }
        )
        .withColumns(_only_where_eligible(settings))
    )


def customer_histories(ledger: DataFrame, *, settings: FeatureSettings, as_of: date) -> DataFrame:
    """What `customer_summaries` says of the whole history, and no more.

    Args:
        ledger: Conforms to `CUSTOMER_DAYS`; one ledger.
        settings: Net or gross; the observation window is left out.
        as_of: Last day counted, inclusive; rows that become effective later are not seen.

    Returns:
        One row per customer known by the date: `first_purchase_date`, `exclusion_reason` and the
        columns of `customer_features` for lifetime value, NULL where there is a reason.
    """
    summed = history_sums(ledger, settings=settings, as_of=as_of)
    reason = _exclusion_reason()
    columns = {name: F.when(reason.isNull(), made) for name, made in _lifetime(as_of).items()}
    return summed.select(
        "customer_id",
        "first_purchase_date",
        reason.alias("exclusion_reason"),
        *(made.alias(name) for name, made in columns.items()),
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
    scored = summaries.withColumns(score_columns(cuts))
    return _with_custom(scored, settings=settings, as_of=as_of, snapshot_id=snapshot_id)


def without_scores(summaries: DataFrame, *, settings: FeatureSettings, as_of: date) -> DataFrame:
    """As `with_scores`, for what must not depend on the other customers: scores are NULL.

    So are custom features that are made of scores, but where their formula minds no NULL.
    """
    scores = {each.name: F.lit(None).cast(each.dtype) for each in SCORE_FEATURES}
    unscored = summaries.withColumns(scores)
    return _with_custom(unscored, settings=settings, as_of=as_of, snapshot_id="")


def _with_custom(
    customers: DataFrame, *, settings: FeatureSettings, as_of: date, snapshot_id: str
) -> DataFrame:
    named = customers.withColumns({"snapshot_id": F.lit(snapshot_id), "as_of_date": F.lit(as_of)})
    built_in = customer_features(settings.model_copy(update={"custom": ()})).conform(named)
    return built_in.withColumns(custom_columns(built_in, settings.custom)).transform(
        customer_features(settings).conform
    )


def _exclusion_reason() -> Column:
    return (
        F.when((F.col("orders_ever") == 0) & (F.col("returned_ever") > 0), ONLY_RETURNS)
        .when(F.col("orders_ever") == 0, ONLY_OTHER_LINES)
        .when(F.col("purchase_days") == 0, ALL_UNDONE)
    )


def _not_observed() -> Column:
    return F.when(F.col("last_purchase_date").isNull(), NOT_OBSERVED)


def _derived(as_of: date) -> dict[str, Column]:
    day = F.lit(as_of)
    orders = F.nullif(F.col("placed_orders"), F.lit(0)).cast("double")
    frequency = F.nullif(F.col("frequency_count"), F.lit(0)).cast("double")
    net = F.col("gross_amount") - F.col("returned_amount")
    return {
        "net_amount": net.cast(MONEY),
        "recency_days": F.datediff(day, "last_purchase_date"),
        "tenure_days": F.datediff(day, "first_purchase_date"),
        "average_order_amount": F.col("monetary_amount").cast("double") / frequency,
        "average_basket_units": F.col("placed_units").cast("double") / orders,
        "average_basket_lines": F.col("placed_lines").cast("double") / orders,
    }


def _lifetime(as_of: date) -> dict[str, Column]:
    """Of the whole history, whatever is observed."""
    day, repeats = F.lit(as_of), F.col("purchase_days") - 1
    day_spend, first_spend = (F.col(name).cast("double") for name in ("day_spend", "first_spend"))
    return {
        "btyd_repeat_count": repeats,
        "btyd_last_repeat_days": F.datediff("last_day", "first_purchase_date"),
        "btyd_age_days": F.datediff(day, "first_purchase_date"),
        "btyd_repeat_mean_amount": F.when(repeats > 0, (day_spend - first_spend) / repeats),
        "btyd_day_mean_amount": day_spend / F.nullif(F.col("purchase_days"), F.lit(0)),
    }


def _only_where_eligible(settings: FeatureSettings) -> dict[str, Column]:
    """Values that need a purchase; a customer without one has none, rather than a zero."""
    names = [
        each.name
        for each in built_in_features(settings)
        if not each.is_everybodys and each not in SCORE_FEATURES
    ]
    return {name: F.when(F.col("exclusion_reason").isNull(), F.col(name)) for name in names}
