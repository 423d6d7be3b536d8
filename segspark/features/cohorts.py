"""Cohorts: who came in one month, and what they did in the months after."""

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.features.known import known_days
from segspark.settings.features import FeatureSettings
from segspark.tables.lifetime import CUSTOMER_COHORTS


def customer_cohorts(
    ledger: DataFrame, *, settings: FeatureSettings, as_of: date, snapshot_id: str
) -> DataFrame:
    """Count active customers and their spend by month of the first purchase and age in months.

    Args:
        ledger: Conforms to `CUSTOMER_DAYS`; one ledger.
        settings: Net or gross; the observation window is left out.
        as_of: Last day counted; days and returns are as they were known then.
        snapshot_id: Written into every row.

    Returns:
        Conforms to `CUSTOMER_COHORTS`: every age up to the month of the date, also with nobody
        active.
    """
    days = known_days(ledger, settings=settings, as_of=as_of).filter(F.col("orders") > 0)
    months = days.groupBy("customer_id", F.trunc("purchase_date", "month").alias("month")).agg(
        F.sum("spend").alias("revenue")
    )
    first = months.groupBy("customer_id").agg(F.min("month").alias("acquisition_month_date"))
    active = (
        months.join(first, on="customer_id", how="inner")
        .groupBy("acquisition_month_date", "month")
        .agg(F.count("*").alias("active"), F.sum("revenue").alias("revenue"))
    )
    sizes = first.groupBy("acquisition_month_date").agg(F.count("*").alias("customer_count"))
    last = F.trunc(F.lit(as_of), "month")
    each = F.sequence("acquisition_month_date", last, F.expr("INTERVAL 1 MONTH"))
    ages = sizes.withColumn("month", F.explode(each))
    counted = ages.join(active, on=["acquisition_month_date", "month"], how="left")
    customers = F.coalesce("active", F.lit(0)).cast("long")
    return counted.select(
        F.lit(snapshot_id).alias("snapshot_id"),
        "acquisition_month_date",
        F.months_between("month", "acquisition_month_date").cast("int").alias("age_months"),
        "customer_count",
        customers.alias("active_customer_count"),
        (customers / F.col("customer_count")).alias("retention_ratio"),
        F.coalesce("revenue", F.lit(0)).cast("decimal(28,4)").alias("revenue_amount"),
        (F.last_day("month") <= F.lit(as_of)).alias("is_whole_month"),
    ).transform(CUSTOMER_COHORTS.conform)
