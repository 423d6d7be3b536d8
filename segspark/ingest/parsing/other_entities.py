"""Raw rows about customers, products and events → typed rows with what is wrong with each."""

from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from segspark.ingest.parsing.identifiers import attributes, customer_id, id_problem, text_column
from segspark.ingest.parsing.numbers import DECIMAL, number_fields, number_problems, number_values
from segspark.ingest.parsing.stamps import date_column, stamp_fields, stamp_steps
from segspark.ingest.reading.raw import as_text, quoted
from segspark.settings.sources import CustomerSource, EventSource, ProductSource

_YES = ("true", "t", "yes", "y", "1", "1.0", "ja", "j", "oui", "si", "sí", "granted", "subscribed")
_NO = ("false", "f", "no", "n", "0", "0.0", "nein", "non", "denied", "unsubscribed")


def customer_fields(source: CustomerSource, schema: T.StructType) -> list[Column]:
    """What one select on the raw frame gives: fields, and the problem of each."""
    mapping = source.columns
    valid_from = date_column(source, schema, mapping.valid_from)
    birth = date_column(source, schema, mapping.birth_date)
    return [
        customer_id(source, schema, mapping.customer_id).alias("customer_id"),
        id_problem(schema, mapping.customer_id).alias("problem_customer_id"),
        valid_from.alias("valid_from_date"),
        _date_problem(mapping.valid_from, valid_from).alias("problem_valid_from"),
        text_column(mapping.country).alias("country"),
        text_column(mapping.region).alias("region"),
        birth.alias("birth_date"),
        _date_problem(mapping.birth_date, birth).alias("problem_birth_date"),
        _consents(mapping.consents).alias("consents"),
        _consent_problem(mapping.consents).alias("problem_consents"),
        attributes(mapping.attributes).alias("attributes"),
    ]


def customer_problems() -> list[Column]:
    """Every reason to refuse a row about a customer."""
    return [
        F.when(F.col("customer_id").isNull(), F.lit("customer_id: missing")),
        *(
            F.concat(F.lit(f"{field}: "), F.col(f"problem_{field}"))
            for field in ("customer_id", "valid_from", "birth_date")
        ),
        F.concat(F.lit("consents."), F.col("problem_consents")),
    ]


def product_fields(source: ProductSource, schema: T.StructType) -> list[Column]:
    """What one select on the raw frame gives: fields, and the problem of each."""
    mapping = source.columns
    levels = [text_column(name) for name in mapping.category_levels]
    return [
        text_column(mapping.product_id).alias("product_id"),
        id_problem(schema, mapping.product_id).alias("problem_product_id"),
        text_column(mapping.description).alias("description"),
        text_column(mapping.brand).alias("brand"),
        F.array(*levels).cast("array<string>").alias("category_levels"),
        attributes(mapping.attributes).alias("attributes"),
    ]


def product_problems() -> list[Column]:
    """Every reason to refuse a row about a product."""
    return [
        F.when(F.col("product_id").isNull(), F.lit("product_id: missing")),
        F.concat(F.lit("product_id: "), F.col("problem_product_id")),
    ]


def event_fields(source: EventSource, schema: T.StructType) -> list[Column]:
    """What one select on the raw frame gives: fields as written."""
    mapping = source.columns
    kind = text_column(mapping.event_type) if mapping.event_type else F.lit(source.event_type)
    return [
        customer_id(source, schema, mapping.customer_id).alias("customer_id"),
        id_problem(schema, mapping.customer_id).alias("problem_customer_id"),
        kind.alias("event_type"),
        *stamp_fields(source, schema, mapping.event_at),
        *(
            text_column(getattr(mapping, field)).alias(field)
            for field in ("campaign_id", "product_id", "channel")
        ),
        *number_fields({"quantity": mapping.quantity}, schema, source.numbers),
        attributes(mapping.attributes).alias("attributes"),
    ]


def event_rows(rows: DataFrame, *, source: EventSource, schema: T.StructType) -> DataFrame:
    """Events with their instant and number, from the fields as written."""
    numbers = {"quantity": source.columns.quantity}
    nothing = {"number_quantity": F.lit(None).cast(DECIMAL), "problem_quantity": F.lit(None)}
    is_mapped = source.columns.quantity is not None
    steps = [
        *stamp_steps(source, to="event"),
        number_values(numbers) if is_mapped else nothing,
        number_problems(numbers, schema),
        {"quantity_units": F.col("number_quantity")},
    ]
    return reduce(DataFrame.withColumns, steps, rows)


def event_problems() -> list[Column]:
    """Every reason to refuse an event."""
    return [
        F.when(F.col("event_type").isNull(), F.lit("event_type: missing")),
        F.concat(F.lit("customer_id: "), F.col("problem_customer_id")),
        F.concat(F.lit("event_at: "), F.col("stamp_problem")),
        F.concat(F.lit("quantity: "), F.nullif(F.col("problem_quantity"), F.lit("missing"))),
    ]


def _date_problem(name: str | None, day: Column) -> Column:
    if name is None:
        return F.lit(None).cast("string")
    return F.when(as_text(quoted(name)).isNotNull() & day.isNull(), "not a date")


def _answer(name: str) -> Column:
    text = F.lower(as_text(quoted(name)))
    return F.when(text.isin(*_YES), F.lit(col=True)).when(text.isin(*_NO), F.lit(col=False))


def _consents(mapping: dict[str, str]) -> Column:
    if not mapping:
        return F.create_map().cast("map<string,boolean>")
    given = F.map_from_arrays(
        F.array(*(F.lit(purpose) for purpose in mapping)), F.array(*map(_answer, mapping.values()))
    )
    return F.map_filter(given, lambda _, answer: answer.isNotNull())


def _consent_problem(mapping: dict[str, str]) -> Column:
    problems = [
        F.when(
            as_text(quoted(name)).isNotNull() & _answer(name).isNull(),
            f"{purpose}: neither yes nor no",
        )
        for purpose, name in mapping.items()
    ]
    return F.coalesce(*problems, F.lit(None).cast("string"))
