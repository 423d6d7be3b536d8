"""Table contracts: name, grain, types and meaning of every column that is kept."""

from dataclasses import dataclass, field

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from segspark.errors import StorageError

LINE_MONEY = T.DecimalType(18, 4)
"""Money of one line, or of one customer's day: below 100 trillion."""
MONEY = T.DecimalType(28, 4)
"""Sums of money."""
SHARE = "__month"
"""What rows of a table that keeps days apart are shared out by."""
_WITHOUT_STATISTICS = (T.ArrayType, T.MapType, T.BooleanType)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a contract.

    Attributes:
        name: In snake_case, with the unit as suffix.
        dtype: Spark type.
        comment: What it means, its unit and its null rule.
        nullable: Whether it may be missing.
        personal: Whether it tells about a person; no file statistics are kept of such a column,
            since they would outlive the person's deletion in the table's log.
    """

    name: str
    dtype: T.DataType
    comment: str
    nullable: bool = field(default=False, kw_only=True)
    personal: bool = field(default=False, kw_only=True)

    @property
    def struct_field(self) -> T.StructField:
        return T.StructField(self.name, self.dtype, self.nullable, {"comment": self.comment})


@dataclass(frozen=True, slots=True)
class TableContract:
    """A table of the lake.

    Attributes:
        name: Folder of the table below the lake's root.
        meaning: What one row is.
        grain: Columns that identify one row.
        columns: All columns in storage order.
        filtered_by: Columns that queries of large slices filter on; only of these are file
            statistics kept, since a statistic costs time on every row. Empty: of all.
        apart_by: Column of days that files are kept apart by, a month in one file, so that changes
            to few days touch few files; never NULL. Who works the rows out arranges them.
    """

    name: str
    meaning: str
    grain: tuple[str, ...]
    columns: tuple[Column, ...]
    filtered_by: tuple[str, ...] = ()
    apart_by: str | None = None

    @property
    def schema(self) -> T.StructType:
        return T.StructType([column.struct_field for column in self.columns])

    @property
    def statistics_columns(self) -> tuple[str, ...]:
        """Columns of which file statistics are kept: neither personal nor nested."""
        return tuple(
            c.name
            for c in self.columns
            if (not self.filtered_by or c.name in self.filtered_by)
            and not c.personal
            and not isinstance(c.dtype, _WITHOUT_STATISTICS)
        )

    def differences(self, schema: T.StructType) -> list[str]:
        """Where `schema` lacks a column or has another type.

        Extra columns are no difference, nor is whether an array or a map may hold NULL.
        """
        actual = {f.name: f.dataType.simpleString() for f in schema.fields}
        return [
            f"{c.name} should be {c.dtype.simpleString()} and is {actual.get(c.name, 'missing')}"
            for c in self.columns
            if actual.get(c.name) != c.dtype.simpleString()
        ]

    def lacking(self, schema: T.StructType) -> tuple[Column, ...]:
        """Nullable columns that a table of this schema does not have yet."""
        return tuple(c for c in self.columns if c.nullable and c.name not in schema.names)

    def breaches(self, schema: T.StructType) -> list[str]:
        """As `differences`, of a stored table: nullable columns that it lacks can be added."""
        lacking = [column.struct_field for column in self.lacking(schema)]
        return self.differences(T.StructType([*schema.fields, *lacking]))

    def complete(self, df: DataFrame) -> DataFrame:
        """Add the nullable columns that a table's rows lack, as NULL; lazy."""
        return df.withColumns({c.name: F.lit(None).cast(c.dtype) for c in self.lacking(df.schema)})

    def conform(self, df: DataFrame) -> DataFrame:
        """Project `df` onto the contract; lazy, runs no Spark job.

        Raises:
            StorageError: Listing every missing or mistyped column at once.
        """
        problems = self.differences(df.schema)
        if problems:
            raise StorageError(f"{self.name} breaks its contract: {'; '.join(problems)}")
        return df.select(*(F.col(c.name) for c in self.columns))

    def share_out(self, df: DataFrame) -> DataFrame:
        """Share rows out among files by month of `apart_by`, named `SHARE`; each month one task.

        What is grouped by `SHARE` and more need not be sent across again. By hash and not by range:
        Spark would work all rows out once more to see their range.
        """
        if self.apart_by is None:
            return df
        return df.withColumn(SHARE, F.trunc(self.apart_by, "month")).repartition(SHARE)

    def arrange(self, df: DataFrame) -> DataFrame:
        """Conforming rows as they are written, shared out where the table keeps days apart."""
        return df.transform(self.share_out).transform(self.conform)
