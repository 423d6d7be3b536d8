"""Refused rows out to be repaired, and back in."""

import json
from collections.abc import Iterator, Mapping, Sequence

from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from segspark.errors import IngestError
from segspark.ingest.parsing.rows import REASONS
from segspark.ingest.reading.raw import BATCH_ID, DELIVERED_AT, FILE_NAME, MALFORMED, RAW_ROW
from segspark.tables.ids import content_id

REJECTED_ID = "rejected_id"
_MOST_COLUMNS = 10_000
_TEXT_MAP = "map<string,string>"
_REPAIR = f"rejected_id string, source string, row {_TEXT_MAP}, problem string"


def open_refusals(rejected: DataFrame, replays: DataFrame, batches: Sequence[Row]) -> DataFrame:
    """Refused rows that still are.

    Args:
        rejected: An entity's table of refused rows.
        replays: `ingest_replays`.
        batches: The batches that count.

    Returns:
        Rows of `rejected` of batches that count, without those that were replayed.
    """
    counting = [row["batch_id"] for row in batches]
    done = replays.filter(F.col("batch_id").isin(counting)).select("source", REJECTED_ID)
    return rejected.filter(F.col("batch_id").isin(counting)).join(
        done, on=["source", REJECTED_ID], how="left_anti"
    )


def exported_rows(refusals: DataFrame, columns: Sequence[str]) -> Iterator[str]:
    """Refused rows as lines of JSON to edit, one at a time.

    A row that did not have its file's columns has its text under `line`, and an empty `row` with
    the mapped columns to fill in.
    """
    is_object = F.col("raw_row").startswith("{") & F.from_json("raw_row", _TEXT_MAP).isNotNull()
    kept = refusals.select(
        REJECTED_ID, "source", "file_name", "reasons", "copies_count", "raw_row",
        is_object.alias("is_object"),
    )  # fmt: skip
    for found in kept.orderBy("source", "file_name", REJECTED_ID).toLocalIterator():
        row = found.asDict()
        raw, is_row = row.pop("raw_row"), row.pop("is_object")
        line = {} if is_row else {"line": raw}
        fields = json.loads(raw) if is_row else dict.fromkeys(columns)
        yield json.dumps({**row, **line, "row": fields}, ensure_ascii=False)


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


def check_repairs(repairs: DataFrame, refusals: Mapping[str, DataFrame], *, address: str) -> None:
    """Refuse repairs of rows that are not refused now.

    Args:
        repairs: From `read_repairs`.
        refusals: Source → its rows of `open_refusals`.
        address: The repairs' file, for messages.

    Raises:
        IngestError: Naming the first such row.
    """
    for name in [row["source"] for row in repairs.select("source").distinct().collect()]:
        if name not in refusals:
            raise IngestError(
                f"{address}: there is no source {name} in the configuration: correct the file"
            )
        mine = repairs.filter(F.col("source") == name)
        lost = mine.join(refusals[name], on=REJECTED_ID, how="left_anti").first()
        if lost is not None:
            raise IngestError(
                f"{address}: no row {lost[REJECTED_ID]} of source {name} waits to be repaired: it "
                "was replayed before, or its batch counts no more; leave it out"
            )


def repaired_rows(repairs: DataFrame, refusals: DataFrame, delivered: DataFrame) -> DataFrame:
    """Repaired rows in the raw form, as often as they came, under the batch that refused them.

    Args:
        repairs: Of one source, from `read_repairs`.
        refusals: Its rows of `open_refusals`.
        delivered: `batch_id` and `delivered_at` of the batches.

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
            *(F.col("row").getItem(name).alias(name) for name in sorted(names)),
            F.col("batch_id").alias(BATCH_ID),
            F.col(REJECTED_ID).alias(FILE_NAME),
            F.col("delivered_at").alias(DELIVERED_AT),
            F.lit(None).cast("string").alias(MALFORMED),
            F.lit(None).cast("string").alias(RAW_ROW),
        )
    )


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


def replay_id(name: str, rejected_batch: str, content: str) -> str:
    """Id of the batch that takes in a batch's repaired rows."""
    return content_id("batch", name, "replay", rejected_batch, content)
