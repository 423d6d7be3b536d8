"""Raw rows → typed lines, each with every reason to refuse it."""

from collections.abc import Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from segspark.ingest.kinds import line_kind
from segspark.ingest.reading import BATCH_ID, FILE_NAME, MALFORMED, as_text, source_columns
from segspark.settings.sources import ColumnMapping, CustomerIdRules, SourceSettings

REASONS = "reasons"
RAW_ROW = "raw_row"
_WIDE = "decimal(38,10)"
_MONEY = "decimal(18,4)"
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
        F.coalesce(F.col(MALFORMED), F.to_json(F.struct(*map(_quoted, columns)))).alias(RAW_ROW),
        F.col(MALFORMED).isNotNull().alias("is_malformed"),
        *_texts(source.columns),
        _customer_id(source, fractional).alias("customer_id"),
        *_stamps(source, raw.schema),
        *_numbers(source.columns, fractional),
        F.lit(source.currency).alias("currency"),
    )
    return (
        typed.withColumns(_money(source))
        .withColumn("line_kind", line_kind(source))
        .withColumn("order_id", F.coalesce("order_id", _derived_order()))
        .withColumn(REASONS, _reasons(source.columns))
    )


def _quoted(name: str) -> Column:
    return F.col(f"`{name.replace('`', '``')}`")


def _row_hash(columns: Sequence[str]) -> Column:
    """One hash for rows that are equal in every column; lengths keep neighbours apart."""
    texts = [_quoted(name).cast("string") for name in columns]
    parts = [F.coalesce(F.concat(F.length(text), F.lit(":"), text), F.lit("-")) for text in texts]
    return F.md5(F.concat_ws("|", *parts, F.coalesce(F.col(MALFORMED), F.lit(""))))


def _texts(mapping: ColumnMapping) -> list[Column]:
    found = {field: getattr(mapping, field) for field in _OPTIONAL_TEXTS}
    return [
        (as_text(_quoted(name)) if name else F.lit(None).cast("string")).alias(field)
        for field, name in found.items()
    ]


def _customer_id(source: SourceSettings, fractional: set[str]) -> Column:
    rules: CustomerIdRules = source.customer_ids
    column = _quoted(source.columns.customer_id)
    text = column.cast("string")
    if source.columns.customer_id in fractional:
        # A double writes 12345678 as 1.2345678E7.
        text = F.coalesce(column.try_cast("decimal(38,4)").cast("string"), text)
    if rules.strip_spaces:
        text = F.trim(text)
    if rules.drop_zero_decimals:
        text = F.regexp_replace(text, r"^(-?\d+)\.0+$", "$1")
    if rules.letter_case != "keep":
        text = F.upper(text) if rules.letter_case == "upper" else F.lower(text)
    return F.when(text.isin("", *rules.guest_ids), None).otherwise(text)


def _stamps(source: SourceSettings, schema: T.StructType) -> list[Column]:
    name = source.columns.transaction_at
    column = _quoted(name)
    if not isinstance(schema[name].dataType, T.StringType):
        written = column.cast("string").try_cast("timestamp")
    elif source.timestamp_format is None:
        written = F.trim(column).try_cast("timestamp")
    else:
        written = F.try_to_timestamp(F.trim(column), F.lit(source.timestamp_format))
    instant = F.to_utc_timestamp(written, source.stamp_zone)
    local = F.from_utc_timestamp(instant, source.business_zone)
    return [
        as_text(column).isNull().alias("is_stamp_missing"),
        instant.alias("transaction_at"),
        F.to_date(local).alias("transaction_date"),
        F.hour(local).alias("local_hour"),
    ]


def _numbers(mapping: ColumnMapping, fractional: set[str]) -> list[Column]:
    def number(name: str) -> Column:
        wide = F.trim(_quoted(name).cast("string")).try_cast(_WIDE)
        # Binary fractions carry noise far behind the comma; a text that does so is a mistake.
        return F.round(wide, 4) if name in fractional else wide

    found: list[Column] = []
    for field in ("quantity", "unit_price", "line_amount"):
        name = getattr(mapping, field)
        found.append((number(name) if name else F.lit(None).cast(_WIDE)).alias(f"wide_{field}"))
        missing = as_text(_quoted(name)).isNull() if name else F.lit(None).cast("boolean")
        found.append(missing.alias(f"is_{field}_missing"))
    given = [F.coalesce(number(name), F.lit(0).cast(_WIDE)) for name in mapping.discounts]
    return [*found, reduce(Column.__add__, given, F.lit(0).cast(_WIDE)).alias("wide_discount")]


def _money(source: SourceSettings) -> dict[str, Column]:
    """Quantity, price, discount and money of the line; NULL where out of range."""
    one = F.lit(1).cast(_MONEY)
    quantity = F.col("wide_quantity").try_cast(_MONEY) if source.columns.quantity else one
    price = F.col("wide_unit_price").try_cast(_MONEY)
    discount = F.col("wide_discount").try_cast(_MONEY)
    if source.columns.unit_price:
        amount = F.try_multiply(quantity, price)
    else:
        amount = F.col("wide_line_amount").try_cast(_MONEY)
        price = F.try_divide(amount, quantity).try_cast(_MONEY)
    if not source.discounts_deducted:
        amount = F.try_subtract(amount, discount)
    return {
        "quantity_units": quantity,
        "unit_price_amount": price,
        "discount_amount": discount,
        "line_amount": amount.try_cast(_MONEY),
    }


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
    for field in ("quantity", "unit_price", "line_amount"):
        if getattr(mapping, field):
            wide = F.col(f"wide_{field}")
            found.append(
                F.when(F.col(f"is_{field}_missing"), F.lit(f"{field}: missing"))
                .when(wide.isNull(), F.lit(f"{field}: not a number"))
                .when(wide.try_cast(_MONEY).isNull(), F.lit(f"{field}: out of range"))
                .when(wide != F.round(wide, 4), F.lit(f"{field}: more than 4 decimals"))
            )
    fine = F.size(F.array_compact(F.array(*found))) == 0
    out = F.col("line_amount").isNull() | F.col("discount_amount").isNull()
    found.append(F.when(fine & out, F.lit("line_amount: out of range")))
    return F.array_compact(F.array(*found))
