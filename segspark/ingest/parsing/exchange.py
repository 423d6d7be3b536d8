"""Money in the source's currency → money in the lake's, by a dated table of rates."""

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from segspark.errors import IngestError
from segspark.ingest.parsing.numbers import DECIMAL, quickly_read
from segspark.settings.base import resolve_location, without_credentials
from segspark.settings.sources import Source, TransactionSource
from segspark.tables.engine_errors import ENGINE_ERRORS, engine_sentence
from segspark.tables.purchases import EXCHANGE_RATE

RATE = EXCHANGE_RATE.simpleString()
_AMOUNTS = ("unit_price_amount", "discount_amount", "line_amount")
_NEEDED = {"rate_date", "currency", "rate"}


def rates_of(spark: SparkSession, source: Source) -> DataFrame | None:
    """The rates that a source names, as `read_rates` gives them; None where it names none.

    Raises:
        IngestError: As `read_rates`.
    """
    if not isinstance(source, TransactionSource) or source.exchange_rates is None:
        return None
    address = resolve_location(source.exchange_rates)
    return read_rates(spark, address, most_age_days=source.most_rate_age_days)


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
    file = f"exchange rates {without_credentials(address)}"
    try:
        text = spark.read.option("header", value=True).csv(address)
        missing = _NEEDED - set(text.columns)
        if missing:
            raise IngestError(
                f"{file}: there is no column {', '.join(sorted(missing))}: "
                "the header must be rate_date,currency,rate"
            )
        rates = text.select(
            F.to_date(F.col("rate_date").try_cast("timestamp")).alias("rate_date"),
            F.upper(F.trim("currency")).alias("source_currency"),
            quickly_read(F.trim("rate")).try_cast(RATE).alias("exchange_rate"),
        )
        _check_rates(rates, file)
    except ENGINE_ERRORS as caught:
        raise IngestError(
            f"{file}: cannot be read ({engine_sentence(caught)}): check exchange_rates of the "
            "source"
        ) from caught
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
        lines: With `source_currency`, `transaction_date` and the amounts as the source has them,
            `decimal(18,4)`.
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
    """Amount times rate, rounded once.

    The rate's whole part and its decimals are multiplied apart: one product of 18 and 24 digits has
    more than Spark's 38, and would be cut to 11 decimals before it is rounded to four.
    """
    rate = F.col("exchange_rate")
    whole = F.floor(rate).cast("decimal(12,0)")
    decimals = (rate - whole).cast("decimal(12,12)")
    product = (amount * whole).try_cast("decimal(20,4)") + amount * decimals
    return F.when(own, amount).otherwise(F.round(product, 4).try_cast(DECIMAL))


def _check_rates(rates: DataFrame, file: str) -> None:
    is_bad = (
        F.col("rate_date").isNull()
        | F.col("source_currency").isNull()
        | F.coalesce(F.col("exchange_rate") <= 0, F.lit(col=True))
    )
    key = F.struct("rate_date", "source_currency")
    found = (
        rates.groupBy("rate_date", "source_currency")
        .agg(F.count_if(is_bad).alias("bad"), F.count("*").alias("rates"))
        .agg(F.sum("bad").alias("bad"), F.min(F.when(F.col("rates") > 1, key)).alias("twice"))
        .collect()[0]
    )
    if found["bad"]:
        raise IngestError(
            f"{file}: {found['bad']} rows have no date, currency or positive rate: correct them"
        )
    if found["twice"] is not None:
        date, currency = found["twice"]
        raise IngestError(f"{file}: {currency} has two rates on {date}: keep one")
