"""Raw rows of a source of purchases → typed lines with what is wrong with each."""

from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from segspark.ingest.parsing.exchange import with_rates
from segspark.ingest.parsing.identifiers import customer_id, id_problem, text_column
from segspark.ingest.parsing.kinds import line_kind
from segspark.ingest.parsing.numbers import DECIMAL, number_fields, number_problems, number_values
from segspark.ingest.parsing.stamps import stamp_fields, stamp_steps
from segspark.ingest.reading.raw import as_text, quoted
from segspark.settings.mapping import TransactionColumns
from segspark.settings.sources import TransactionSource

_NUMBERS = ("quantity", "unit_price", "line_amount")
TEXTS = ("order_id", "product_id", "description", "country", "store_id")
"""Columns that hold what the source has; of these an order alone is made where none is mapped."""
_IDS = ("customer_id", "order_id", "product_id")


def transaction_fields(source: TransactionSource, schema: T.StructType) -> list[Column]:
    """What one select on the raw frame gives: fields as written, and what is wrong with ids."""
    mapping = source.columns
    currency = as_text(quoted(mapping.currency)) if mapping.currency else F.lit(None)
    return [
        *(text_column(getattr(mapping, field)).alias(field) for field in TEXTS),
        customer_id(source, schema, mapping.customer_id).alias("customer_id"),
        *(id_problem(schema, getattr(mapping, f)).alias(f"problem_{f}") for f in _IDS),
        *stamp_fields(source, schema, mapping.transaction_at),
        *number_fields(_numbers(mapping), schema, source.numbers),
        F.coalesce(F.upper(currency), F.lit(source.currency)).alias("source_currency"),
    ]


def transaction_rows(
    rows: DataFrame,
    *,
    source: TransactionSource,
    schema: T.StructType,
    currency: str,
    rates: DataFrame | None,
) -> DataFrame:
    """Lines with their instant, money, kind and order, from the fields as written."""
    numbers = _numbers(source.columns)
    steps = [
        *stamp_steps(source, to="transaction"),
        number_values(numbers),
        number_problems(numbers, schema),
        _discount(source.columns),
        _money(source),
    ]
    return (
        reduce(DataFrame.withColumns, steps, rows)
        .transform(with_rates, source=source, currency=currency, rates=rates)
        .withColumn("line_kind", line_kind(source))
        .withColumn("order_id", F.coalesce("order_id", _derived_order()))
    )


def transaction_problems(source: TransactionSource) -> list[Column]:
    """Every reason to refuse a line; NULL where it does not apply."""
    mapping: TransactionColumns = source.columns
    numbers = [field for field in _NUMBERS if getattr(mapping, field)]
    ids = [field for field in _IDS if getattr(mapping, field)]
    discount = ["discount"] if mapping.discounts else []
    fields = [(field, f"problem_{field}") for field in (*ids, *numbers, *discount)]
    found = [
        F.concat(F.lit(f"{field}: "), F.col(problem))
        for field, problem in (
            ("transaction_at", "stamp_problem"),
            *fields,
            ("currency", "currency_problem"),
        )
    ]
    readable = reduce(Column.__and__, [F.col(f"problem_{field}").isNull() for field in numbers])
    out_of_range = F.col("line_amount").isNull() | F.col("discount_amount").isNull()
    known = readable & F.col("currency_problem").isNull()
    return [*found, F.when(out_of_range & known, F.lit("line_amount: out of range"))]


def _numbers(mapping: TransactionColumns) -> dict[str, str | None]:
    """All numbers of a line: name → the source's column."""
    discounts = {f"discount_{i}": name for i, name in enumerate(mapping.discounts)}
    return {**{field: getattr(mapping, field) for field in _NUMBERS}, **discounts}


def _discount(mapping: TransactionColumns) -> dict[str, Column]:
    """A discount that is not given is none; one that cannot be read is a problem."""
    numbers = range(len(mapping.discounts))
    values = [F.coalesce(F.col(f"number_discount_{i}"), _zero()) for i in numbers]
    problems = [F.nullif(F.col(f"problem_discount_{i}"), F.lit("missing")) for i in numbers]
    return {
        "number_discount": reduce(Column.__add__, values, _zero()),
        "problem_discount": F.coalesce(*problems, F.lit(None).cast("string")),
    }


def _money(source: TransactionSource) -> dict[str, Column]:
    """Quantity, price, discount and money of the line as the source has them.

    NULL where out of range.
    """
    quantity = F.col("number_quantity") if source.columns.quantity else F.lit(1).cast(DECIMAL)
    if source.columns.unit_price:
        price = F.col("number_unit_price")
        amount = F.try_multiply(quantity, price)
    else:
        amount = F.col("number_line_amount")
        price = F.try_divide(amount, quantity).try_cast(DECIMAL)
    discount = F.col("number_discount").try_cast(DECIMAL)
    if not source.discounts_deducted:
        amount = F.try_subtract(amount, discount)
    return {
        "quantity_units": quantity,
        "unit_price_amount": price,
        "source_unit_price_amount": price,
        "discount_amount": discount,
        "line_amount": amount.try_cast(DECIMAL),
    }


def _zero() -> Column:
    return F.lit(0).cast(DECIMAL)


def _derived_order() -> Column:
    """Without receipts, what a customer buys on one day is one order; a guest's line is its own."""
    buyer = F.coalesce("customer_id", "line_id")
    return F.concat_ws(" ", buyer, F.col("transaction_date").cast("string"))
