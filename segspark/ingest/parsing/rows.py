"""Raw rows → typed rows of an entity's table, each with every reason to refuse it."""

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from segspark.ingest.parsing.other_entities import (
    customer_fields,
    customer_problems,
    event_fields,
    event_problems,
    event_rows,
    product_fields,
    product_problems,
)
from segspark.ingest.parsing.rules import SOURCE_ROW, speaks_of_source_row, with_rules
from segspark.ingest.parsing.transactions import (
    transaction_fields,
    transaction_problems,
    transaction_rows,
)
from segspark.ingest.reading.raw import (
    BATCH_ID,
    FILE_NAME,
    MALFORMED,
    RAW_ROW,
    quoted,
    source_columns,
)
from segspark.settings.sources import (
    CustomerSource,
    EventSource,
    ProductSource,
    SourceSettings,
    TransactionSource,
)
from segspark.tables.contract import LINE_MONEY, TableContract
from segspark.tables.entities import (
    CUSTOMER_EVENTS,
    CUSTOMERS,
    PRODUCTS,
    REJECTED_CUSTOMER_EVENTS,
    REJECTED_CUSTOMERS,
    REJECTED_PRODUCTS,
)
from segspark.tables.purchases import REJECTED_TRANSACTIONS, TRANSACTIONS

REASONS = "reasons"
_MALFORMED = "row: does not have the columns of its file, or holds an open quote or a line break"
_JSON = {"ignoreNullFields": "false", "timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSS"}


@dataclass(frozen=True, slots=True)
class Entity:
    """What the rows of a source become.

    Attributes:
        kept: Table of good rows.
        rejected: Table of refused ones.
        day: Column of `kept` that holds the row's day, or None.
        has_money: Whether `kept` has `line_amount`.
        has_customer: Whether `kept` has `customer_id`.
    """

    kept: TableContract
    rejected: TableContract
    day: str | None
    has_money: bool = False
    has_customer: bool = True


ENTITIES = {
    "transactions": Entity(TRANSACTIONS, REJECTED_TRANSACTIONS, "transaction_date", has_money=True),
    "customers": Entity(CUSTOMERS, REJECTED_CUSTOMERS, "valid_from_date"),
    "products": Entity(PRODUCTS, REJECTED_PRODUCTS, None, has_customer=False),
    "events": Entity(CUSTOMER_EVENTS, REJECTED_CUSTOMER_EVENTS, "event_date"),
}


def parse_rows(
    raw: DataFrame,
    *,
    name: str,
    source: SourceSettings,
    currency: str,
    rates: DataFrame | None = None,
) -> DataFrame:
    """Type every row by the source's mapping; lazy, drops nothing.

    Args:
        raw: One row per input row, as `raw` describes.
        name: The source's name.
        source: Mapping, zones and rules.
        currency: The lake's.
        rates: From `exchange.read_rates`, where the source names a table of rates.

    Returns:
        One row per input row: the columns of the entity's table but `copies_count`, NULL where a
        value could not be read; `file_name`; `line_amount`; `raw_row`, the row as it came, of
        refused rows only; `reasons`, all reasons to refuse the row, empty for a good one;
        `counted`, names of broken rules of severity count.
    """
    columns = source_columns(raw)
    entity = ENTITIES[entity_name(source)]
    rows = raw.select(
        F.col(BATCH_ID).alias("batch_id"),
        F.lit(name).alias("source"),
        F.col(FILE_NAME).alias("file_name"),
        _row_hash(columns).alias("line_id"),
        F.coalesce(MALFORMED, RAW_ROW, _row_as_json(columns)).alias("raw_row"),
        F.col(MALFORMED).isNotNull().alias("is_malformed"),
        *([F.struct(*map(quoted, columns)).alias(SOURCE_ROW)] * speaks_of_source_row(source)),
        *_fields(source, raw.schema),
    )
    if isinstance(source, TransactionSource):
        rows = transaction_rows(
            rows, source=source, schema=raw.schema, currency=currency, rates=rates
        )
    elif isinstance(source, EventSource):
        rows = event_rows(rows, source=source, schema=raw.schema)
    malformed = F.when(F.col("is_malformed"), F.lit(_MALFORMED))
    problems = F.array_compact(F.array(malformed, *_problems(source)))
    is_refused = F.size(REASONS) > 0
    amount = F.col("line_amount") if entity.has_money else F.lit(None).cast(LINE_MONEY)
    return (
        rows.transform(with_rules, name=name, source=source)
        .withColumn(REASONS, F.concat(problems, _as_reasons(F.col("refusals"))))
        .withColumn("raw_row", F.when(is_refused, F.col("raw_row")))
        .withColumn("line_amount", amount)
        .select(*_result_columns(entity))
    )


def entity_name(source: SourceSettings) -> str:
    """Which entity the source brings."""
    return str(getattr(source, "entity"))  # noqa: B009 - each kind of source has its own literal


def _result_columns(entity: Entity) -> list[str]:
    own = [c.name for c in entity.kept.columns if c.name != "copies_count"]
    return list(dict.fromkeys([*own, "file_name", "line_amount", "raw_row", REASONS, "counted"]))


def _row_as_json(columns: Sequence[str]) -> Column:
    return F.to_json(F.struct(*map(quoted, columns)), _JSON)


def _row_hash(columns: Sequence[str]) -> Column:
    """128 bits that rows share which are equal in every column, and others do not."""
    texts = [quoted(name).cast("string") for name in columns]
    texts += [F.col(MALFORMED), F.col(RAW_ROW)]
    # The hash passes over NULLs, so whether a column has one is hashed before it.
    parts = [part for text in texts for part in (text.isNull(), text)]
    halves = [F.hex(F.xxhash64(F.lit(seed), *parts)) for seed in ("first", "second")]
    return F.lower(F.concat(*(F.lpad(half, 16, "0") for half in halves)))


def _fields(source: SourceSettings, schema: T.StructType) -> list[Column]:
    match source:
        case TransactionSource():
            return transaction_fields(source, schema)
        case CustomerSource():
            return customer_fields(source, schema)
        case ProductSource():
            return product_fields(source, schema)
        case EventSource():
            return event_fields(source, schema)
    raise TypeError(type(source).__name__)


def _problems(source: SourceSettings) -> list[Column]:
    match source:
        case TransactionSource():
            return transaction_problems(source)
        case CustomerSource():
            return customer_problems()
        case ProductSource():
            return product_problems()
    return event_problems()


def _as_reasons(names: Column) -> Column:
    return F.transform(names, lambda rule: F.concat(F.lit("rule: "), rule))
