"""What an inferred source would keep and refuse: its sample parsed by Spark, without any lake."""

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import reduce
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import orc
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from segspark.errors import IngestError
from segspark.ingest.files.local_store import LocalStore
from segspark.ingest.files.source_files import find_files, look_inside
from segspark.ingest.inferring.sample import plain_file
from segspark.ingest.inferring.source import Inferred
from segspark.ingest.inferring.tables import first_batch
from segspark.ingest.parsing.rows import ENTITIES, REASONS, Entity, entity_name, parse_rows
from segspark.ingest.reading.file_columns import look_at
from segspark.ingest.reading.file_rows import Readable, read_files
from segspark.ingest.reading.preparing import prepare
from segspark.pipeline.aligned import aligned
from segspark.pipeline.progress import Progress
from segspark.session.opening import spark_session
from segspark.settings.formats import TableFormat
from segspark.settings.root import Settings
from segspark.settings.sources import Source
from segspark.tables.engine_errors import engine_sentences

_SHOWN_ROWS = 5
_SHOWN_REASONS = 20
_MOST_EXAMPLE = 60
_MOST_CELL = 30
_SHOWN_COLUMNS = (
    "customer_id", "transaction_at", "order_id", "product_id", "quantity_units",
    "unit_price_amount", "line_amount", "line_kind",
)  # fmt: skip
_NOT_SHOWN = frozenset({"batch_id", "source", "line_id", "flags", "copies_count"})


@dataclass(frozen=True, slots=True)
class Preview:
    """What the sample comes to.

    Attributes:
        row_count: Rows parsed.
        kept_count: Rows without a reason to refuse them, copies among them.
        copy_count: Of these, rows equal to an earlier one.
        guest_count: Of these, rows without a customer.
        first_day: Earliest kept day.
        last_day: Latest kept day.
        amount: Money of the kept rows; None without money.
        kinds: Kind of line → kept rows.
        refusals: Reason → rows, and an example of such a value.
    """

    row_count: int
    kept_count: int
    copy_count: int
    guest_count: int
    first_day: date | None
    last_day: date | None
    amount: Decimal | None
    kinds: Mapping[str, int]
    refusals: Mapping[str, tuple[int, str]]


def show_preview(inferred: Inferred, settings: Settings, *, say: Callable[[str], None]) -> Preview:
    """Parse the sample by the configuration and say what comes of it.

    Args:
        inferred: With the sample.
        settings: The written configuration.
        say: Takes the lines for a person.

    Raises:
        IngestError: Reading the sample by the configuration fails.
    """
    source = settings.sources[inferred.name]
    progress = Progress()
    progress.step("starting Spark for the preview; --no-preview skips it")
    with (
        tempfile.TemporaryDirectory(prefix="segspark-") as folder,
        spark_session(settings.spark, app_name="segspark-infer-source") as spark,
        engine_sentences(f"source {inferred.name}", error=IngestError),
    ):
        progress.step("parsing the rows looked at")
        parsed = parse_sample(
            spark, inferred, source, Path(folder), currency=settings.lake.currency
        ).persist()
        try:
            entity = ENTITIES[entity_name(source)]
            preview = count_preview(parsed, source, entity)
            say("\n" + "\n".join(_sentences(preview, currency=settings.lake.currency)) + "\n")
            names = list(_SHOWN_COLUMNS) if entity.has_money else _columns(entity)
            first = parsed.filter(F.size(REASONS) == 0).select(*names).limit(_SHOWN_ROWS)
            say(aligned([names, *([_text(value) for value in row] for row in first.collect())]))
        finally:
            parsed.unpersist()
    return preview


def parse_sample(
    spark: SparkSession, inferred: Inferred, source: Source, folder: Path, *, currency: str
) -> DataFrame:
    """The rows of the sample as `parse_rows` gives them.

    Args:
        spark: The session.
        inferred: With the sample.
        source: The source as the written configuration has it.
        folder: An empty folder for a copy of the sample.
        currency: Of the lake.
    """
    if isinstance(source.format, TableFormat):
        raise TypeError(source.format.kind)
    store, name = LocalStore(), inferred.name
    copy = _copy_sample(inferred, folder, kind=source.format.kind)
    files = [
        file
        for found in find_files(store, name, str(copy))
        for file in look_inside(store, found, source.format)
    ]
    staging = str(folder / "prepared")
    readable = [
        Readable(
            file,
            look_at(file, store=store, file_format=source.format).columns,
            prepare(file, store=store, staging=store, folder=staging, file_format=source.format),
            batch_id="preview",
            delivered_at=file.found.modified_at,
        )
        for file in files[:1]
    ]
    raws = read_files(spark, source, readable, name=name)
    parsed = [parse_rows(raw.frame, name=name, source=source, currency=currency) for raw in raws]
    return reduce(DataFrame.unionByName, parsed)


def count_preview(parsed: DataFrame, source: Source, entity: Entity) -> Preview:
    """Count what is kept and refused.

    Args:
        parsed: From `parse_rows`.
        source: The source, for the names of its columns.
        entity: What the rows are.
    """
    good = parsed.filter(F.size(REASONS) == 0)
    nothing = F.lit(None)
    guest = F.col("customer_id").isNull() if entity.has_customer else F.lit(col=False)
    day = F.col(entity.day) if entity.day else nothing.cast("date")
    row = good.agg(
        F.count("*").alias("kept"),
        F.count_distinct("line_id").alias("lines"),
        F.count_if(guest).alias("guests"),
        F.min(day).alias("first_day"),
        F.max(day).alias("last_day"),
        F.sum("line_amount").alias("amount"),
    ).collect()[0]
    kinds = good.groupBy("line_kind").count().collect() if entity.has_money else []
    return Preview(
        row_count=parsed.count(),
        kept_count=row["kept"],
        copy_count=row["kept"] - row["lines"],
        guest_count=row["guests"],
        first_day=row["first_day"],
        last_day=row["last_day"],
        amount=row["amount"] if entity.has_money else None,
        kinds={each["line_kind"]: each["count"] for each in kinds},
        refusals=_refusals(parsed, source),
    )


def _refusals(parsed: DataFrame, source: Source) -> dict[str, tuple[int, str]]:
    reasons = (
        parsed.select(F.explode(REASONS).alias("reason"), "raw_row")
        .groupBy("reason")
        .agg(F.count("*").alias("rows"), F.min("raw_row").alias("example"))
        .orderBy(F.desc("rows"), "reason")
        .limit(_SHOWN_REASONS)
    )
    return {
        row["reason"]: (row["rows"], _example(row["reason"], row["example"] or "", source))
        for row in reasons.collect()
    }


def _example(reason: str, raw_row: str, source: Source) -> str:
    """The value that a reason is about, else the start of the row."""
    column = getattr(source.columns, reason.partition(":")[0], None)
    try:
        value = json.loads(raw_row)[column]
    except (ValueError, KeyError, TypeError):
        value = raw_row
    text = "empty" if value is None or value == "" else str(value)
    return text if len(text) <= _MOST_EXAMPLE else f"{text[:_MOST_EXAMPLE]}…"


def _columns(entity: Entity) -> list[str]:
    return [c.name for c in entity.kept.columns if c.name not in _NOT_SHOWN]


def _copy_sample(inferred: Inferred, folder: Path, *, kind: str) -> Path:
    """A file that holds the sample; of workbooks and databases the whole."""
    copy = folder / f"{inferred.name}.sample"
    if inferred.sample.start:
        copy.write_bytes(inferred.sample.start)
    elif kind in {"parquet", "orc"}:
        with plain_file(inferred.path) as path:
            table = pa.Table.from_batches([first_batch(path, kind=kind)])
        if kind == "parquet":
            pq.write_table(table, copy)
        else:
            orc.write_table(table, copy)
    else:
        return inferred.path
    # Rows from behind the day on which a file was written are refused.
    modified = inferred.path.stat().st_mtime
    os.utime(copy, (modified, modified))
    return copy


def _sentences(preview: Preview, *, currency: str) -> Iterator[str]:
    refused = preview.row_count - preview.kept_count
    yield (
        f"{preview.row_count:,} rows: {preview.kept_count:,} would be kept "
        f"({preview.copy_count:,} of them copies, {preview.guest_count:,} of guests), "
        f"{refused:,} refused"
    )
    if preview.first_day is not None:
        yield f"days: {preview.first_day} to {preview.last_day}"
    if preview.amount is not None:
        yield f"money: {preview.amount:,.2f} {currency}"
    if preview.kinds:
        kinds = sorted(preview.kinds.items(), key=lambda item: -item[1])
        yield f"kinds of line: {', '.join(f'{kind} {rows:,}' for kind, rows in kinds)}"
    for reason, (rows, example) in preview.refusals.items():
        yield f"refused {rows:,}: {reason}, such as {example}"


def _text(value: object) -> str:
    text = "NULL" if value is None else str(value)
    return text if len(text) <= _MOST_CELL else f"{text[:_MOST_CELL]}…"
