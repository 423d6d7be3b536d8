"""Figures of each batch: four Spark queries, however many columns and batches there are."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from statistics import median

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F
from pyspark.sql import types as T
from pyspark.sql.window import Window, WindowSpec

from segspark.ingest.parsing.rows import Entity
from segspark.ingest.quality.figures import DISTINCT_ERROR_RATIO, Figure
from segspark.ingest.quality.novelty import columns_text, values_text
from segspark.settings.rules import LineKind
from segspark.tables.contract import Column, TableContract

CATEGORY_COLUMNS = (
    "line_kind",
    "event_type",
    "country",
    "region",
    "store_id",
    "channel",
    "brand",
    "source_currency",
)
"""Columns whose values are listed, as far as they are few; the array `flags` is one more."""
MOST_VALUES = 200
MOST_DAYS = 5000
_LONGEST_VALUE = 100
_STRAGGLER_RATIO = 0.01
_NOT_PROFILED = {
    "batch_id",
    "source",
    "line_id",
    "local_hour",
    "exchange_rate",
    "source_unit_price_amount",
    "flags",
    "copies_count",
}
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_Measures = dict[tuple[str, str], SparkColumn]
_Key = tuple[str, str]


def profile_batches(
    kept: DataFrame,
    entity: Entity,
    *,
    columns: Mapping[str, Sequence[str]],
    refused: Mapping[str, float],
) -> list[Figure]:
    """The figures of every batch, for `ingest_quality`.

    Different ids are estimated with a relative standard error of 2 %. Values are listed of
    category columns with at most 200 of them in the batch; of the days of a batch, the 5,000 with
    the most rows are looked at.

    Args:
        kept: Typed rows that will be kept, copies included, with the contract's columns except
            `copies_count`; read four times, a few columns from the second time on.
        entity: What the rows are.
        columns: Batch id → names of the source's columns, for every batch.
        refused: Batch id → refused share of the rows that came in, for every batch.

    Returns:
        Batch after batch in the order of `columns`, which `judge` takes for the order of ingestion;
        a batch without a kept row has only its rows, refused share and columns.
    """
    contract = entity.kept
    found = _numbers(kept, contract)
    volumes = _volumes(kept, contract)
    values, different = _values(kept, contract, found)
    for batch_id, own in found.items():
        for name in values[batch_id].keys() | {c for b, c in different if b == batch_id}:
            if name != "flags":
                own["distinct", name] = float(different.get((batch_id, name), 0))
    figures = []
    for batch_id, names in columns.items():
        own = found.get(batch_id, {("rows", ""): 0.0})
        figures += [_figure(batch_id, key, value) for key, value in own.items()]
        days = volumes.get(batch_id, {}) if _day_column(contract) else {"": own["rows", ""]}
        figures += [_figure(batch_id, ("volume", day), rows) for day, rows in days.items()]
        figures += [
            Figure(batch_id, "new_values", column, None, values_text(counts))
            for column, counts in values.get(batch_id, {}).items()
        ]
        figures.append(Figure(batch_id, "refused", "", refused[batch_id]))
        figures.append(Figure(batch_id, "columns", "", float(len(names)), columns_text(names)))
    return figures


def rows_by_weekday(days: Mapping[date, int]) -> dict[str, float]:
    """Median rows per day of each weekday in a batch.

    Days with less than a hundredth of the rows of the fullest day are stragglers: the days from the
    first to the last other one count, those without a row as 0.
    """
    least = max(days.values(), default=0) * _STRAGGLER_RATIO
    full = [day for day, rows in days.items() if rows >= least]
    if not full:
        return {}
    found: dict[int, list[int]] = {}
    for number in range((max(full) - min(full)).days + 1):
        day = min(full) + timedelta(days=number)
        found.setdefault(day.weekday(), []).append(days.get(day, 0))
    return {WEEKDAYS[weekday]: float(median(rows)) for weekday, rows in sorted(found.items())}


def _figure(batch_id: str, key: _Key, value: object) -> Figure:
    metric, column = key
    if isinstance(value, str):
        return Figure(batch_id, metric, column, None, value)
    return Figure(batch_id, metric, column, None if value is None else float(str(value)))


def _numbers(kept: DataFrame, contract: TableContract) -> dict[str, dict[_Key, object]]:
    """Batch id → what plain aggregates tell, by metric and column."""
    measures = _measures(contract)
    # One sketch of different values keeps Spark from compiling all that it is aggregated with.
    sketches = {key: measure for key, measure in measures.items() if key[0] == "distinct"}
    others = {key: measure for key, measure in measures.items() if key not in sketches}
    found: dict[str, dict[_Key, object]] = {}
    for some in (others, sketches):
        aliased = [measure.alias(f"f{n}") for n, measure in enumerate(some.values())]
        if aliased:
            for row in kept.groupBy("batch_id").agg(*aliased).collect():
                own = {key: row[f"f{n}"] for n, key in enumerate(some)}
                found.setdefault(row["batch_id"], {}).update(own)
    return found


def _measures(contract: TableContract) -> _Measures:
    found: _Measures = {
        ("rows", ""): F.count(F.lit(1)).cast("double"),
        ("share", "flags"): _ratio(F.size("flags") > 0),
    }
    for column in contract.columns:
        if column.name not in _NOT_PROFILED:
            found |= _measures_of(column)
    if "line_kind" in {column.name for column in contract.columns}:
        for kind in LineKind:
            condition = F.col("line_kind") == F.lit(kind.value)
            found["share", f"line_kind = {kind.value}"] = _ratio(condition)
    return found


def _measures_of(column: Column) -> _Measures:
    name, dtype, value = column.name, column.dtype, F.col(column.name)
    found: _Measures = {}
    if isinstance(dtype, T.MapType):
        found["completeness", name] = _ratio(F.size(value) > 0)
    elif isinstance(dtype, T.ArrayType):
        found["completeness", name] = _ratio(F.exists(value, lambda part: part.isNotNull()))
    elif column.nullable:
        found["completeness", name] = _ratio(value.isNotNull())
    if name.endswith("_id") and name not in CATEGORY_COLUMNS:
        distinct = F.approx_count_distinct(name, DISTINCT_ERROR_RATIO)
        found["distinct", name] = distinct.cast("double")
    if isinstance(dtype, T.NumericType):
        found |= _number_measures(name)
    elif isinstance(dtype, T.DateType | T.TimestampType) and not column.personal:
        found["least", name] = F.min(value).cast("string")
        found["most", name] = F.max(value).cast("string")
    return found


def _number_measures(name: str) -> _Measures:
    number = F.col(name).cast("double")
    count, total = F.count(number), F.sum(number)
    # By plain sums: Spark's own deviation costs three times as much, and this is a noise floor.
    squares = F.sum(number * number) - total * F.try_divide(total, count)
    variance = F.coalesce(F.try_divide(F.greatest(squares, F.lit(0.0)), count - 1), F.lit(0.0))
    found: _Measures = {
        ("mean", name): F.avg(number),
        ("mean_error", name): F.sqrt(F.try_divide(variance, count)),
        ("least", name): F.min(number),
        ("most", name): F.max(number),
    }
    if name.endswith(("_amount", "_units")):
        found["share", f"{name} < 0"] = _ratio(number < 0)
    return found


def _ratio(condition: SparkColumn) -> SparkColumn:
    return F.count_if(condition) / F.count(F.lit(1))


def _day_column(contract: TableContract) -> str | None:
    """Calendar day of every row, where the entity has one."""
    days = [c.name for c in contract.columns if c.dtype == T.DateType() and not c.nullable]
    return days[0] if days else None


def _volumes(kept: DataFrame, contract: TableContract) -> dict[str, dict[str, float]]:
    """Batch id → weekday → median rows per day."""
    day = _day_column(contract)
    if day is None:
        return {}
    counted = kept.groupBy("batch_id", F.col(day).alias("day")).agg(F.count("*").alias("rows"))
    by_size = Window.partitionBy("batch_id").orderBy(F.desc("rows"), F.desc("day"))
    days: dict[str, dict[date, int]] = {}
    for row in _first(counted, by_size, MOST_DAYS):
        days.setdefault(row["batch_id"], {})[row["day"]] = row["rows"]
    return {batch_id: rows_by_weekday(found) for batch_id, found in days.items()}


def _values(
    kept: DataFrame, contract: TableContract, batch_ids: Iterable[str]
) -> tuple[dict[str, dict[str, dict[str, int]]], dict[tuple[str, str], int]]:
    """Values of the category columns.

    Returns:
        Batch id → category column → value → rows, where the batch has few enough values; a column
        that is always NULL is there without a value. And the number of different values by batch
        id and column.
    """
    names = [c.name for c in contract.columns if c.name in CATEGORY_COLUMNS]
    flags = F.transform("flags", lambda flag: _pair("flags", flag))
    pairs = [_pair(name, F.col(name)) for name in names]
    each = F.explode(F.concat(F.array(*pairs), flags)) if pairs else F.explode(flags)
    # Few rows differ in all categories together: those are unfolded, not every row.
    together = kept.groupBy("batch_id", "flags", *names).agg(F.count("*").alias("rows"))
    counted = (
        together.select("batch_id", each.alias("pair"), "rows")
        .filter(F.col("pair.value").isNotNull())
        .groupBy("batch_id", "pair")
        .agg(F.sum("rows").alias("rows"))
        .select("batch_id", "pair.*", "rows")
        .withColumn("different", F.count("*").over(Window.partitionBy("batch_id", "name")))
    )
    by_size = Window.partitionBy("batch_id", "name").orderBy(F.desc("rows"), "value")
    values: dict[str, dict[str, dict[str, int]]] = {
        batch_id: {name: {} for name in (*names, "flags")} for batch_id in batch_ids
    }
    different: dict[tuple[str, str], int] = {}
    for row in _first(counted, by_size, MOST_VALUES):
        batch_id, name = row["batch_id"], row["name"]
        different[batch_id, name] = row["different"]
        if row["different"] <= MOST_VALUES:
            values[batch_id][name][row["value"]] = row["rows"]
        else:
            values[batch_id].pop(name, None)
    return values, different


def _pair(name: str, value: SparkColumn) -> SparkColumn:
    shortened = F.substring(value, 1, _LONGEST_VALUE)
    return F.struct(F.lit(name).alias("name"), shortened.alias("value"))


def _first(counted: DataFrame, order: WindowSpec, most: int) -> list[Row]:
    """The first rows of each group; collected, so their number has a bound."""
    ranked = counted.withColumn("place", F.row_number().over(order))
    return ranked.filter(F.col("place") <= most).collect()
