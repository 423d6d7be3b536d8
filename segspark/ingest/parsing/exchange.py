"""Money in the source's currency → money in the lake's, by a dated table of rates."""

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from segspark.errors import IngestError
from segspark.ingest.parsing.numbers import DECIMAL
from segspark.settings.sources import TransactionSource
from segspark.tables.engine_errors import engine_sentences

RATE = "decimal(18,8)"
_AMOUNTS = ("unit_price_amount", "discount_amount", "line_amount")
_NEEDED = {"rate_date", "currency", "rate"}


def read_rates(spark: SparkSession, address: str, *, most_age_days: int) -> DataFrame:
    """The rate that holds on each day.

    Args:
        spark: The session.
        address: CSV file with `rate_date` (ISO), `currency` and `rate`.
        most_age_days: For how many days after its own a rate is used where no newer one is there.

    Returns:
        One row per `source_currency` and `transaction_date` on which a rate holds:
        `exchange_rate`, what one unit is worth in the lake's currency.

    Raises:
        IngestError: The file cannot be read, or a row of it is no rate.
    """
    with engine_sentences(f"exchange rates {address}", error=IngestError):
        text = spark.read.option("header", value=True).csv(address)
        missing = _NEEDED - set(text.columns)
        if missing:
            raise IngestError(
                f"exchange rates {address}: there is no column {', '.join(sorted(missing))}: "
                "the header must be rate_date,currency,rate"
            )
        rates = text.select(
            F.to_date(F.col("rate_date").try_cast("timestamp")).alias("rate_date"),
            F.upper(F.trim("currency")).alias("source_currency"),
            F.col("rate").try_cast(RATE).alias("exchange_rate"),
        ).cache()
        _check_rates(rates, address)
    newer = Window.partitionBy("source_currency").orderBy("rate_date")
    next_day = F.date_sub(F.lead("rate_date").over(newer), 1)
    until = F.least(F.date_add("rate_date", most_age_days), next_day)
    days = F.explode(F.sequence("rate_date", "until")).alias("transaction_date")
    return rates.withColumn("until", until).select("source_currency", days, "exchange_rate")


def with_rates(
    lines: DataFrame, *, source: TransactionSource, currency: str, rates: DataFrame | None
) -> DataFrame:
    """Put amounts into the lake's currency.

    Args:
        lines: With `source_currency`, `transaction_date` and the amounts as the source has them.
        source: Whether there are rates.
        currency: The lake's.
        rates: From `read_rates`; None where the source names none.

    Returns:
        The lines with `exchange_rate`, amounts times the rate, and `currency_problem`; where a
        rate is missing, rate and amounts are NULL.
    """
    own = F.col("source_currency") == currency
    if rates is None:
        rate = F.when(own, F.lit(1)).cast(RATE)
        problem = "is not the lake's, and the source has no exchange_rates"
        joined = lines.withColumn("exchange_rate", rate)
    else:
        joined = lines.join(
            F.broadcast(rates), on=["source_currency", "transaction_date"], how="left"
        )
        rate = F.when(own, F.lit(1)).otherwise(F.col("exchange_rate")).cast(RATE)
        joined = joined.withColumn("exchange_rate", rate)
        problem = f"has no rate within {source.most_rate_age_days} days before the line"
    converted = {name: _converted(F.col(name), own) for name in _AMOUNTS}
    missing = F.col("exchange_rate").isNull()
    return joined.withColumns(
        {**converted, "currency_problem": F.when(missing, problem), "currency": F.lit(currency)}
    )


def _converted(amount: Column, own: Column) -> Column:
    rate = F.col("exchange_rate")
    product = F.try_multiply(amount.cast("decimal(20,4)"), rate)
    return F.when(own, amount).otherwise(F.round(product, 4).try_cast(DECIMAL))


def _check_rates(rates: DataFrame, address: str) -> None:
    bad = rates.filter(
        F.col("rate_date").isNull()
        | F.col("source_currency").isNull()
        | F.coalesce(F.col("exchange_rate") <= 0, F.lit(col=True))
    ).count()
    if bad:
        raise IngestError(
            f"exchange rates {address}: {bad} rows have no date, currency or positive rate: "
            "correct them"
        )
    keys = rates.groupBy("rate_date", "source_currency").count().filter("count > 1").first()
    if keys is not None:
        raise IngestError(
            f"exchange rates {address}: {keys['source_currency']} has two rates on "
            f"{keys['rate_date']}: keep one"
        )
