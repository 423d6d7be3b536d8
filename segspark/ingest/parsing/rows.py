"""Raw rows → typed rows of an entity's table, each with every reason to refuse it."""

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from segspark.ingest.parsing.listing import listed
from segspark.ingest.parsing.other_entities import (
    customer_fields,
    customer_problems,
    event_fields,
    event_problems,
    event_rows,
    product_fields,
    product_problems,
)
from segspark.ingest.parsing.rules import SOURCE_ROW, refusals, speaks_of_source_row, with_rules
from segspark.ingest.parsing.transactions import (
    transaction_fields,
    transaction_problems,
    transaction_rows,
)
from segspark.ingest.reading.json_files import doubled_key
from segspark.ingest.reading.mapped_columns import wanted_columns
from segspark.ingest.reading.raw import (
    AS_JSON,
    BATCH_ID,
    FILE_NAME,
    MALFORMED,
    RAW_ROW,
    quoted,
    source_columns,
)
from segspark.settings.formats import JsonLinesFormat
from segspark.settings.sources import (
    CustomerSource,
    EventSource,
    ProductSource,
    Source,
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
_CARRIED = "__source_"
# A repaired row comes back as text, and an instant must not be taken for a clock time then.
_AS_REPAIRABLE = {**AS_JSON, "timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX"}


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
    source: Source,
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
        MALFORMED,
        RAW_ROW,
        *(quoted(column).alias(f"{_CARRIED}{i}") for i, column in enumerate(columns)),
        *_fields(source, raw.schema),
    )
    if isinstance(source, TransactionSource):
        rows = transaction_rows(
            rows, source=source, schema=raw.schema, currency=currency, rates=rates
        )
    elif isinstance(source, EventSource):
        rows = event_rows(rows, source=source, schema=raw.schema)
    if speaks_of_source_row(source):
        rows = rows.withColumn(SOURCE_ROW, _source_row(columns))
    # Few rows are refused: only they pay for being written out.
    raw_row = F.coalesce(MALFORMED, RAW_ROW, F.to_json(_source_row(columns), _AS_REPAIRABLE))
    is_refused = F.size(REASONS) > 0
    amount = F.col("line_amount") if entity.has_money else F.lit(None).cast(LINE_MONEY)
    return (
        rows.transform(with_rules, name=name, source=source)
        .withColumn(REASONS, listed([_row_problem(source), *_problems(source), *refusals(source)]))
        .withColumn("raw_row", F.when(is_refused, raw_row))
        .withColumn("line_amount", amount)
        .select(*_result_columns(entity))
    )


def entity_name(source: SourceSettings) -> str:
    """Which entity the source brings."""
    return str(getattr(source, "entity"))  # noqa: B009 - each kind of source has its own literal


def _result_columns(entity: Entity) -> list[str]:
    own = [c.name for c in entity.kept.columns if c.name != "copies_count"]
    return list(dict.fromkeys([*own, "file_name", "line_amount", "raw_row", REASONS, "counted"]))


def _source_row(columns: Sequence[str]) -> Column:
    return F.struct(*(F.col(f"{_CARRIED}{i}").alias(name) for i, name in enumerate(columns)))


def _row_hash(columns: Sequence[str]) -> Column:
    """128 bits that rows share which are equal in every column, and others do not."""
    texts = [quoted(name).cast("string") for name in columns]
    texts += [F.col(MALFORMED), F.col(RAW_ROW)]
    # The hash passes over NULLs, so whether a column has one is hashed before it.
    parts = [part for text in texts for part in (text.isNull(), text)]
    names = "\n".join(columns)
    halves = [F.hex(F.xxhash64(F.lit(f"{seed} {names}"), *parts)) for seed in ("first", "second")]
    return F.concat_ws("-", *halves)


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


def _row_problem(source: Source) -> Column:
    """What is wrong with the row as a whole."""
    problem = F.when(F.col(MALFORMED).isNotNull(), F.lit(_MALFORMED))
    if not isinstance(source.format, JsonLinesFormat):
        return problem
    # Spark would keep the last value and drop the others unseen.
    key = doubled_key(F.col(RAW_ROW), wanted_columns(source))
    return problem.otherwise(F.concat(F.lit("row: "), key, F.lit(" stands twice")))


def _problems(source: SourceSettings) -> list[Column]:
    match source:
        case TransactionSource():
            return transaction_problems(source)
        case CustomerSource():
            return customer_problems()
        case ProductSource():
            return product_problems()
    return event_problems()
