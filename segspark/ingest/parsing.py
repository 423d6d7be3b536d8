"""Raw rows → typed lines, each with every reason to refuse it."""

import re
from collections.abc import Callable, Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from segspark.ingest.kinds import line_kind
from segspark.ingest.numbers import DECIMAL, number_problem, read_number
from segspark.ingest.reading import BATCH_ID, FILE_NAME, MALFORMED, as_text, quoted, source_columns
from segspark.settings.sources import ColumnMapping, CustomerIdRules, SourceSettings

REASONS = "reasons"
RAW_ROW = "raw_row"
_ENDS_WITH_AN_OFFSET = r"\d{2}:\d{2}.*(Z|[+-]\d{1,2}:?\d{2}|UTC|GMT)$"
_NUMBERS = ("quantity", "unit_price", "line_amount")
_STARTS_WITH_A_DATE = r"^\d{4}-\d{1,2}-\d{1,2}"
_OPTIONAL_TEXTS = ("order_id", "product_id", "description", "country", "store_id")


def parse_lines(raw: DataFrame, *, name: str, source: SourceSettings) -> DataFrame:
    """Type every row by the source's mapping; lazy, drops nothing.

    Args:
        raw: One row per input row, as `reading` makes it.
        name: The source's name.
        source: Mapping, zones and rules.

    Returns:
        One row per input row: the columns of `transactions` but `copies_count`, NULL where a value
        could not be read; `file_name`; `raw_row`, the row as JSON; and `reasons`, all reasons to
        refuse the row, empty for a good one.
    """
    columns = source_columns(raw)
    fractional = {f.name for f in raw.schema if isinstance(f.dataType, T.FractionalType)}
    typed = raw.select(
        F.col(BATCH_ID).alias("batch_id"),
        F.lit(name).alias("source"),
        F.col(FILE_NAME).alias("file_name"),
        _row_hash(columns).alias("line_id"),
        F.coalesce(F.col(MALFORMED), F.to_json(F.struct(*map(quoted, columns)))).alias(RAW_ROW),
        F.col(MALFORMED).isNotNull().alias("is_malformed"),
        *_texts(source.columns),
        _customer_id(source, fractional).alias("customer_id"),
        *_stamps(source, raw.schema),
        *_numbers(source.columns, raw.schema),
        F.lit(source.currency).alias("currency"),
    )
    return (
        typed.withColumns(_money(source))
        .withColumn("line_kind", line_kind(source))
        .withColumn("order_id", F.coalesce("order_id", _derived_order()))
        .withColumn(REASONS, _reasons(source.columns))
    )


def _row_hash(columns: Sequence[str]) -> Column:
    """One hash for rows that are equal in every column; lengths keep neighbours apart."""
    texts = [quoted(name).cast("string") for name in columns]
    parts = [F.coalesce(F.concat(F.length(text), F.lit(":"), text), F.lit("-")) for text in texts]
    return F.md5(F.concat_ws("|", *parts, F.coalesce(F.col(MALFORMED), F.lit(""))))


def _texts(mapping: ColumnMapping) -> list[Column]:
    found = {field: getattr(mapping, field) for field in _OPTIONAL_TEXTS}
    return [
        (as_text(quoted(name)) if name else F.lit(None).cast("string")).alias(field)
        for field, name in found.items()
    ]


def _customer_id(source: SourceSettings, fractional: set[str]) -> Column:
    rules: CustomerIdRules = source.customer_ids
    column = quoted(source.columns.customer_id)
    text = column.cast("string")
    if source.columns.customer_id in fractional:
        # A double writes 12345678 as 1.2345678E7, and some exports a missing id as NaN.
        text = F.nullif(text, F.lit("NaN"))
        text = F.coalesce(column.try_cast("decimal(38,4)").cast("string"), text)
    if rules.strip_spaces:
        text = F.trim(text)
    if rules.drop_zero_decimals:
        text = F.regexp_replace(text, r"^(-?\d+)\.0+$", "$1")
    cases: dict[str, Callable[[str], str]] = {"keep": str, "upper": str.upper, "lower": str.lower}
    if rules.letter_case != "keep":
        text = F.upper(text) if rules.letter_case == "upper" else F.lower(text)
    guests = [cases[rules.letter_case](guest_id) for guest_id in rules.guest_ids]
    return F.when(text.isin("", *guests), None).otherwise(text)


def _stamps(source: SourceSettings, schema: T.StructType) -> list[Column]:
    name = source.columns.transaction_at
    column = quoted(name)
    dtype = schema[name].dataType
    if isinstance(dtype, T.DateType | T.TimestampType | T.TimestampNTZType):
        written = column.cast("timestamp")
    elif not isinstance(dtype, T.StringType):
        written = F.lit(None).cast("timestamp")
    elif source.timestamp_format is None:
        # Spark would complete a time by today's date, and read 40513 as a year.
        text = F.trim(column)
        written = F.when(text.rlike(_STARTS_WITH_A_DATE), text).try_cast("timestamp")
    else:
        written = F.try_to_timestamp(F.trim(column), F.lit(source.timestamp_format))
    instant = F.to_utc_timestamp(written, source.stamp_zone)
    if isinstance(dtype, T.StringType):
        # A stamp that states its own offset is an instant already.
        instant = F.when(_has_offset(column, source), written).otherwise(instant)
    local = F.from_utc_timestamp(instant, source.business_zone)
    return [
        as_text(column).isNull().alias("is_stamp_missing"),
        instant.alias("transaction_at"),
        F.to_date(local).alias("transaction_date"),
        F.hour(local).alias("local_hour"),
    ]


def _has_offset(column: Column, source: SourceSettings) -> Column:
    if source.timestamp_format is not None:
        letters = re.sub("'[^']*'", "", source.timestamp_format)
        return F.lit(any(letter in letters for letter in "XxZzVO"))
    return F.coalesce(F.trim(column).rlike(_ENDS_WITH_AN_OFFSET), F.lit(col=False))


def _numbers(mapping: ColumnMapping, schema: T.StructType) -> list[Column]:
    """The fields as written (`number_…`) and what is wrong with each (`problem_…`)."""
    found: list[Column] = []
    for field in _NUMBERS:
        name = getattr(mapping, field)
        if name:
            column, dtype = quoted(name), schema[name].dataType
            found.append(read_number(column, dtype).alias(f"number_{field}"))
            found.append(number_problem(column, dtype).alias(f"problem_{field}"))
    # A discount that is not given is none; one that cannot be read is a problem.
    discounts = [(quoted(name), schema[name].dataType) for name in mapping.discounts]
    values = [F.coalesce(read_number(*each), _zero()) for each in discounts]
    problems = [F.nullif(number_problem(*each), F.lit("missing")) for each in discounts]
    found.append(reduce(Column.__add__, values, _zero()).alias("number_discount"))
    found.append(F.coalesce(*problems, F.lit(None).cast("string")).alias("problem_discount"))
    return found


def _money(source: SourceSettings) -> dict[str, Column]:
    """Quantity, price, discount and money of the line; NULL where out of range."""
    quantity = F.col("number_quantity") if source.columns.quantity else F.lit(1).cast(DECIMAL)
    discount = F.col("number_discount").try_cast(DECIMAL)
    if source.columns.unit_price:
        price = F.col("number_unit_price")
        amount = F.try_multiply(quantity, price)
    else:
        amount = F.col("number_line_amount")
        price = F.try_divide(amount, quantity).try_cast(DECIMAL)
    if not source.discounts_deducted:
        amount = F.try_subtract(amount, discount)
    return {
        "quantity_units": quantity,
        "unit_price_amount": price,
        "discount_amount": discount,
        "line_amount": amount.try_cast(DECIMAL),
    }


def _zero() -> Column:
    return F.lit(0).cast(DECIMAL)


def _derived_order() -> Column:
    """Without receipts, what a customer buys on one day is one order; a guest's line is its own."""
    buyer = F.coalesce("customer_id", "line_id")
    return F.concat_ws(" ", buyer, F.col("transaction_date").cast("string"))


def _reasons(mapping: ColumnMapping) -> Column:
    found = [
        F.when(F.col("is_malformed"), F.lit("row: does not have the columns of its file")),
        F.when(F.col("is_stamp_missing"), F.lit("transaction_at: missing")).when(
            F.col("transaction_at").isNull(), F.lit("transaction_at: not a date or time")
        ),
    ]
    fields = [field for field in _NUMBERS if getattr(mapping, field)]
    found += [
        F.concat(F.lit(f"{field}: "), F.col(f"problem_{field}")) for field in (*fields, "discount")
    ]
    readable = reduce(Column.__and__, [F.col(f"problem_{field}").isNull() for field in fields])
    out_of_range = F.col("line_amount").isNull() | F.col("discount_amount").isNull()
    found.append(F.when(readable & out_of_range, F.lit("line_amount: out of range")))
    return F.array_compact(F.array(*found))
