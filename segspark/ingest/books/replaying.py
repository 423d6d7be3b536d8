"""Refused rows out to be repaired, and back in."""

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from segspark.errors import IngestError
from segspark.ingest.parsing.rows import REASONS
from segspark.ingest.reading.raw import BATCH_ID, DELIVERED_AT, FILE_NAME, MALFORMED, RAW_ROW
from segspark.ingest.reading.row_files import folder_columns
from segspark.tables.ids import content_id

REJECTED_ID = "rejected_id"
_MOST_COLUMNS = 10_000
_TEXT_MAP = "map<string,string>"
_REPAIR = f"rejected_id string, source string, row {_TEXT_MAP}, problem string"


def replayed_rows(replays: DataFrame, batches: Sequence[Row]) -> DataFrame:
    """Refused rows that were taken in again.

    Args:
        replays: `ingest_replays`.
        batches: The batches that count.

    Returns:
        `batch_id` that refused the row, and `rejected_id`.
    """
    pairs = [(row["batch_id"], row["replays_batch_id"]) for row in batches]
    of_replays = replays.sparkSession.createDataFrame(
        [pair for pair in pairs if pair[1]], "batch_id string, refusing_id string"
    )
    # Two batches of one name may have refused the same row: each is repaired by itself.
    return replays.join(of_replays, on="batch_id", how="inner").select(
        F.col("refusing_id").alias("batch_id"), REJECTED_ID
    )


def open_refusals(rejected: DataFrame, replayed: DataFrame, batches: Sequence[Row]) -> DataFrame:
    """Refused rows that still are.

    Args:
        rejected: An entity's table of refused rows.
        replayed: From `replayed_rows`.
        batches: The batches that count.

    Returns:
        Rows of `rejected` of batches that count, without those that were replayed.
    """
    counting = [row["batch_id"] for row in batches]
    return rejected.filter(F.col("batch_id").isin(counting)).join(
        replayed, on=["batch_id", REJECTED_ID], how="left_anti"
    )


def exported_rows(refusals: DataFrame, columns: Sequence[str]) -> Iterator[str]:
    """Refused rows as lines of JSON to edit, one at a time.

    A row that did not have its file's columns, or has a key twice, has its text under `line`, and
    an empty `row` with the mapped columns to fill in. What the file's folders say of the row is
    written into it.
    """
    kept = refusals.select(REJECTED_ID, "source", "file_name", "reasons", "copies_count", "raw_row")
    for found in kept.orderBy("source", "file_name", REJECTED_ID).toLocalIterator():
        row = found.asDict()
        raw = row.pop("raw_row")
        fields = _object(raw)
        line = {} if fields is not None else {"line": raw}
        folders = folder_columns(row["file_name"])
        if fields is None:
            fields = {**dict.fromkeys(columns), **folders}
        own = {name.casefold() for name in fields}
        fields |= {name: value for name, value in folders.items() if name.casefold() not in own}
        yield json.dumps({**row, **line, "row": fields}, ensure_ascii=False)


def _object(text: str) -> dict[str, object] | None:
    try:
        found = json.loads(
            text, strict=False, parse_float=str, parse_int=str, object_pairs_hook=_with_single_keys
        )
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _with_single_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a key stands twice")
    return fields


def read_repairs(spark: SparkSession, address: str) -> DataFrame:
    """The repaired rows of a file that `exported_rows` began.

    Returns:
        One row per line: `rejected_id`, `source` and `row`, the source's columns by name.

    Raises:
        IngestError: A line is not of that form, or a row comes twice.
    """
    lines = spark.read.text(address).filter(F.trim("value") != "")
    options = {"columnNameOfCorruptRecord": "problem"}
    repairs = lines.select(F.from_json("value", _REPAIR, options).alias("r"), "value").select(
        "r.*", "value"
    )
    is_odd = F.col(REJECTED_ID).isNull() | F.col("source").isNull() | F.col("row").isNull()
    odd = repairs.filter(is_odd | F.col("problem").isNotNull()).first()
    if odd is not None:
        raise IngestError(
            f"{address}: the line {odd['value'][:80]!r} is no JSON object with rejected_id, source "
            "and row: keep the form that `segspark replay --export` writes"
        )
    twice = repairs.groupBy("source", REJECTED_ID).count().filter("count > 1").first()
    if twice is not None:
        raise IngestError(f"{address}: the row {twice[REJECTED_ID]} comes twice: keep one of them")
    return repairs.drop("problem", "value")


def count_replayed(
    repairs: DataFrame, refusals: Mapping[str, DataFrame], replayed: DataFrame, *, address: str
) -> int:
    """How many of the repairs were taken in before, once the others are of rows that wait.

    Args:
        repairs: From `read_repairs`.
        refusals: Source → its rows of `open_refusals`.
        replayed: From `replayed_rows`.
        address: The repairs' file, for messages.

    Raises:
        IngestError: A repair is of no row that is refused now or was; naming the first such row.
    """
    unknown = repairs.filter(~F.col("source").isin(list(refusals))).first()
    if unknown is not None:
        raise IngestError(
            f"{address}: there is no source {unknown['source']} in the configuration: correct "
            "the file"
        )
    count = 0
    for name in [row["source"] for row in repairs.select("source").distinct().collect()]:
        mine = repairs.filter(F.col("source") == name)
        done = mine.join(refusals[name], on=REJECTED_ID, how="left_anti")
        lost = done.join(replayed, on=REJECTED_ID, how="left_anti").first()
        if lost is not None:
            raise IngestError(
                f"{address}: no row {lost[REJECTED_ID]} of source {name} waits to be repaired: "
                "its batch counts no more, or the id was changed; leave it out"
            )
        count += done.count()
    return count


def repaired_rows(
    repairs: DataFrame, refusals: DataFrame, delivered: DataFrame, *, wanted: Sequence[str]
) -> DataFrame:
    """Repaired rows in the raw form, as often as they came, under the batch that refused them.

    Args:
        repairs: Of one source, from `read_repairs`.
        refusals: Its rows of `open_refusals`.
        delivered: `batch_id` and `delivered_at` of the batches.
        wanted: The mapped columns; those that no row has are NULL.

    Returns:
        A raw frame; `FILE_NAME` is the id of the refused row, `BATCH_ID` the refusing batch.
    """
    keys = F.explode(F.map_keys("row"))
    names = [row[0] for row in repairs.select(keys).distinct().limit(_MOST_COLUMNS).collect()]
    known = refusals.select(REJECTED_ID, "batch_id", "copies_count").join(
        delivered, on="batch_id", how="inner"
    )
    copies = F.explode(F.sequence(F.lit(1), F.col("copies_count").cast("int")))
    return (
        repairs.join(known, on=REJECTED_ID, how="inner")
        .select("*", copies.alias("copy"))
        .select(
            *(_field(name, names).alias(name) for name in sorted({*names, *wanted})),
            F.col("batch_id").alias(BATCH_ID),
            F.col(REJECTED_ID).alias(FILE_NAME),
            F.col("delivered_at").alias(DELIVERED_AT),
            F.lit(None).cast("string").alias(MALFORMED),
            F.lit(None).cast("string").alias(RAW_ROW),
        )
    )


def _field(name: str, names: Sequence[str]) -> Column:
    """A repaired row's column; a mapped name may lead into nested objects."""
    first, dot, rest = name.partition(".")
    if name not in names and dot and first in names:
        return F.get_json_object(F.col("row").getItem(first), f"$.{rest}")
    return F.col("row").getItem(name)


def still_refused(parsed: DataFrame) -> DataFrame:
    """Which repaired rows would be refused again, and why.

    Args:
        parsed: Of `repaired_rows`.

    Returns:
        One row per refused row: `rejected_id`, `reasons`.
    """
    return (
        parsed.filter(F.size(REASONS) > 0)
        .groupBy(F.col("file_name").alias(REJECTED_ID))
        .agg(F.first(REASONS).alias(REASONS))
    )


def replayed_amounts(repaired: DataFrame, refusals: DataFrame) -> dict[str, Decimal]:
    """Refusing batch → money that the repaired rows have in its books.

    Args:
        repaired: From `repaired_rows`.
        refusals: The source's rows of `open_refusals`.
    """
    ids = repaired.select(
        F.col(BATCH_ID).alias("batch_id"), F.col(FILE_NAME).alias(REJECTED_ID)
    ).distinct()
    copies = F.col("copies_count").cast("decimal(10,0)")
    amount = F.coalesce(F.sum(F.col("line_amount") * copies), F.lit(0)).cast("decimal(28,4)")
    found = refusals.join(ids, on=["batch_id", REJECTED_ID], how="left_semi")
    rows = found.groupBy("batch_id").agg(amount.alias("amount")).collect()
    return {row["batch_id"]: row["amount"] for row in rows}


def replay_id(name: str, rejected_batch: str, content: str) -> str:
    """Id of the batch that takes in a batch's repaired rows."""
    return content_id("batch", name, "replay", rejected_batch, content)
