"""Tables of databases: their rows through JDBC, typed as their values are meant."""

from functools import reduce
from itertools import pairwise

from py4j.java_gateway import JavaGateway
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from segspark.errors import IngestError
from segspark.ingest.reading.raw import quoted
from segspark.ingest.reading.table_errors import missing_driver
from segspark.session.drivers import SQLITE, driver_of
from segspark.session.gateway import can_load, running_gateway
from segspark.settings.base import resolve_location
from segspark.settings.formats import JdbcFormat
from segspark.settings.sources import SourceSettings

_DIVISIBLE = (T.IntegralType, T.DecimalType, T.DateType, T.TimestampType, T.TimestampNTZType)
_STAMPS = (T.TimestampType, T.TimestampNTZType)


def open_database_table(
    spark: SparkSession, source: SourceSettings, table_format: JdbcFormat, *, name: str
) -> DataFrame:
    """The rows of a database's table, lazily, in as many parts as the format says.

    A stamp without a zone keeps its wall clock (`timestamp_ntz`); one with a zone is an instant.
    SQLite has no types but those of each value: all its columns are texts, but for numbers by
    which rows are sliced or split.

    Raises:
        IngestError: There is no driver, the partition column is not there or cannot be divided, or
            Java's zone would move stamps.
    """
    gateway = running_gateway()
    if gateway is None:
        raise IngestError(f"source {name}: Spark Connect cannot read databases: submit the job")
    options = _options(gateway, source, table_format, name=name)
    if options["url"].startswith(SQLITE.address_start):
        options["customSchema"] = _sqlite_types(_load(spark, options), table_format)
    rows = _load(spark, options)
    _check_java_zone(gateway, rows, name=name)
    if table_format.partition_column is None or table_format.partitions == 1:
        return rows
    column = table_format.partition_column
    _check_partition_column(rows, column, name=name)
    bounds = _bounds(gateway, options, rows, column)
    cuts = cuts_between(*bounds, parts=table_format.partitions) if bounds else []
    return _in_parts(rows, column, cuts)


def _options(
    gateway: JavaGateway, source: SourceSettings, table_format: JdbcFormat, *, name: str
) -> dict[str, str]:
    """What Spark is told of the database; all but `dbtable` holds for any query to it."""
    address = resolve_location(source.location)
    options = {
        "url": address,
        "dbtable": table_format.table,
        "fetchsize": str(table_format.fetch_rows),
        "preferTimestampNTZ": "true",
    }
    for key in ("user", "password"):
        reference = getattr(table_format, key)
        if reference is not None:
            options[key] = resolve_location(reference)
    driver = driver_of(address)
    if driver is None:
        return options
    if not can_load(gateway, driver.class_name):
        raise missing_driver(driver, name=name)
    options["driver"] = driver.class_name
    if driver is SQLITE:
        options["open_mode"] = "1"  # only read, or a wrong path would make an empty database
    return options


def _load(spark: SparkSession, options: dict[str, str]) -> DataFrame:
    return spark.read.format("jdbc").options(**options).load()


def _sqlite_types(rows: DataFrame, table_format: JdbcFormat) -> str:
    """Texts, since a value may be of any type; whole numbers that order rows get all 64 bits."""
    ordering = (table_format.watermark_column, table_format.partition_column)
    types = {field.name: "string" for field in rows.schema}
    for field in rows.schema:
        if field.name in ordering and isinstance(field.dataType, T.IntegralType):
            types[field.name] = "bigint"
        elif field.name in ordering and isinstance(field.dataType, T.NumericType):
            types[field.name] = field.dataType.simpleString()
    return ", ".join(f"`{name.replace('`', '``')}` {dtype}" for name, dtype in types.items())


def _check_java_zone(gateway: JavaGateway, rows: DataFrame, *, name: str) -> None:
    """Refuse a Java whose own clock is put forward and back.

    Drivers read and write stamps by it: a wall clock that it skips is moved by an hour, and a
    watermark within an hour that comes twice is taken for the wrong one.
    """
    zone = gateway.jvm.java.time.ZoneId.systemDefault()
    stamps = [field.name for field in rows.schema if isinstance(field.dataType, _STAMPS)]
    if stamps and not zone.getRules().isFixedOffset():
        options = " ".join(
            f"--conf spark.{side}.extraJavaOptions=-Duser.timezone=UTC"
            for side in ("driver", "executor")
        )
        raise IngestError(
            f"source {name}: Java's zone is {zone.getId()}, by whose summer time the database's "
            f"driver would move {', '.join(stamps)}: submit with {options}"
        )


def _check_partition_column(rows: DataFrame, column: str, *, name: str) -> None:
    dtype = type_of_named(rows, column, name=name, key="partition_column")
    if not isinstance(dtype, _DIVISIBLE):
        raise IngestError(
            f"source {name}: the read cannot be split by {column}, which is "
            f"{dtype.simpleString()}: name a column of whole numbers, decimals, dates or stamps as "
            f"sources.{name}.format.partition_column"
        )


def type_of_named(rows: DataFrame, column: str, *, name: str, key: str) -> T.DataType:
    """The type of the column that the source `name` names under `format.key`.

    Raises:
        IngestError: There is no such column.
    """
    if column not in rows.columns:
        raise IngestError(
            f"source {name}: there is no column {column}; there are {', '.join(rows.columns)}: "
            f"correct sources.{name}.format.{key}"
        )
    return rows.schema[column].dataType


def _bounds(
    gateway: JavaGateway, options: dict[str, str], rows: DataFrame, column: str
) -> tuple[int, int] | None:
    """Lowest and highest value as whole numbers, worked out by the database; None if it has none.

    Spark would fetch the whole column, since its reader pushes no aggregates down.
    """
    dialect = gateway.jvm.org.apache.spark.sql.jdbc.JdbcDialects.get(options["url"])
    name = dialect.quoteIdentifier(column)
    dtype = rows.schema[column].dataType
    typed = dtype.simpleString()
    query = ["SELECT", f"MIN({name}) AS lowest, MAX({name}) AS highest", "FROM", options["dbtable"]]
    asked = {key: value for key, value in options.items() if key != "dbtable"}
    asked |= {"query": " ".join(query), "customSchema": f"lowest {typed}, highest {typed}"}
    found = _load(rows.sparkSession, asked)
    lowest, highest = found.select(
        *(_as_number(F.col(end), dtype) for end in found.columns)
    ).collect()[0]
    return None if lowest is None else (int(lowest), int(highest))


def cuts_between(low: int, high: int, *, parts: int) -> list[int]:
    """Where one part ends and the next begins: at most `parts` - 1 values, rising, above `low`."""
    found = {low - (low - high) * part // parts for part in range(1, parts)}  # rounded up
    return sorted(found - {low})


def _as_number(value: Column, dtype: T.DataType) -> Column:
    """Days, microseconds or the number itself; roughly is enough to cut a range."""
    if isinstance(dtype, T.DateType):
        return F.unix_date(value)
    if isinstance(dtype, _STAMPS):
        return F.unix_micros(value.cast("timestamp"))
    return value.cast("decimal(38,0)")


def _from_number(number: int, dtype: T.DataType) -> Column:
    """The other way round, as a constant of the column's type."""
    if isinstance(dtype, T.DateType):
        return F.date_from_unix_date(F.lit(number))
    if isinstance(dtype, _STAMPS):
        return F.timestamp_micros(F.lit(number)).cast(dtype)
    return F.lit(str(number)).cast(dtype)


def _in_parts(rows: DataFrame, column: str, cuts: list[int]) -> DataFrame:
    """The same rows, each part read by a connection of its own.

    Spark's own way of splitting knows no stamps without a zone.
    """
    if not cuts:
        return rows
    value = quoted(column)
    ends = [_from_number(cut, rows.schema[column].dataType) for cut in cuts]
    # Rows without a value are in no range; the first part takes them.
    conditions: list[Column] = [value.isNull() | (value < ends[0])]
    conditions += [(value >= low) & (value < high) for low, high in pairwise(ends)]
    conditions.append(value >= ends[-1])
    return reduce(DataFrame.unionAll, [rows.filter(condition) for condition in conditions])
