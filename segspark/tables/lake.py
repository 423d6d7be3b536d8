"""The store: the only place that reads or writes the lake's tables."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from delta.tables import DeltaTable
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from segspark.errors import StorageError
from segspark.settings.base import resolve_location
from segspark.settings.lake import LakeSettings
from segspark.tables.changes import IS_GONE
from segspark.tables.contract import TableContract
from segspark.tables.engine_errors import (
    ENGINE_ERRORS,
    engine_sentence,
    engine_sentences,
    is_conflict,
)
from segspark.tables.locks import engine_lock, table_lock
from segspark.tables.making import make_table, widen_table
from segspark.tables.slices import Slice, day_bounds, predicate

logger = logging.getLogger(__name__)

_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Lake:
    """The Delta tables of one lake, addressed by contract.

    Attributes:
        spark: The session that reads and writes.
        root: Root folder: an absolute local path or an address such as s3a://bucket/lake.
        settings: Retention and currency.
    """

    spark: SparkSession
    root: str
    settings: LakeSettings
    _checked: set[TableContract] = field(default_factory=set, repr=False)
    _made: set[TableContract] = field(default_factory=set, repr=False)

    @classmethod
    def open(cls, spark: SparkSession, settings: LakeSettings) -> "Lake":
        """The lake that the settings name; nothing is read or made yet."""
        return cls(spark, lake_root(settings), settings)

    @property
    def local_folder(self) -> Path | None:
        """The root as a folder of this machine, or None."""
        return None if "://" in self.root else Path(self.root)

    def address(self, contract: TableContract) -> str:
        """Where the table is."""
        return f"{self.root}/{contract.name}"

    def exists(self, contract: TableContract) -> bool:
        """Whether the table has been made."""
        if contract in self._checked:
            return True
        with engine_sentences(f"looking for {self.address(contract)}"):
            return DeltaTable.isDeltaTable(self.spark, self.address(contract))

    def read(self, contract: TableContract) -> DataFrame:
        """The table's rows at its newest version; none where it was never written.

        Nullable columns that it does not have yet are NULL.
        """
        if not self.exists(contract):
            # Spark knows that nothing is left by a limit of 0, and starts no job for it.
            return self.spark.createDataFrame([], contract.schema).limit(0)
        rows = self._load(contract)
        self._check(contract, rows.schema)
        return rows.transform(contract.complete).transform(contract.conform)

    def version(self, contract: TableContract) -> int:
        """Newest Delta version; -1 where the table was never written."""
        if not self.exists(contract):
            return -1
        with engine_sentences(f"reading the history of {self.address(contract)}"):
            history = DeltaTable.forPath(self.spark, self.address(contract)).history(1)
            return int(history.select("version").collect()[0]["version"])

    def replace(self, contract: TableContract, df: DataFrame, rows: Slice) -> None:
        """Make `df` the rows of one slice; the rest of the table stays as it is.

        Writing the same slice again is harmless. Rows outside the slice are refused. Where the
        slice is empty, and on a local disk, whose locks keep others from filling it, rows are
        appended: Delta would sum up the whole table to see that nothing gives way. A table that is
        made for them is not asked.

        Raises:
            StorageError: The frame breaks the contract, or the write failed; nothing has changed.
        """
        conformed = df.transform(contract.conform)
        is_local = self.local_folder is not None

        def append() -> None:
            self._append(contract, _inside(contract, conformed, rows))

        def write() -> None:
            if is_local and self.is_empty(contract, rows):
                append()
            else:
                self._overwrite(contract, conformed, rows)

        self._commit(contract, write, first=append if is_local else None)

    def amend(self, contract: TableContract, changes: DataFrame, rows: Slice) -> None:
        """Change single rows of a slice, by their key; the other rows stay as they are.

        Args:
            contract: The table.
            changes: From `row_changes`.
            rows: The slice that all of them are in.
        """
        kept = changes.persist()
        try:
            bounds = day_bounds(contract, kept)
            if bounds is not None:
                condition = " AND ".join([predicate(contract, rows, "t."), *bounds])
                self._commit(contract, lambda: self._merge(contract, kept, condition))
        finally:
            kept.unpersist()

    def append_after(self, contract: TableContract, make: Callable[[DataFrame], DataFrame]) -> None:
        """Append what `make` derives from the table's rows.

        On a local disk no other writer comes between; in an object store let one driver write.
        """

        def append() -> None:
            self._append(contract, make(self.read(contract)).transform(contract.conform))

        self._commit(contract, append)

    def differences(self, contract: TableContract) -> list[str]:
        """Where an existing table breaks its contract; empty for one not yet made."""
        if not DeltaTable.isDeltaTable(self.spark, self.address(contract)):
            return []
        return contract.breaches(self._load(contract).schema)

    def _load(self, contract: TableContract) -> DataFrame:
        with engine_sentences(f"reading {self.address(contract)}"):
            return self.spark.read.format("delta").load(self.address(contract))

    def is_empty(self, contract: TableContract, rows: Slice) -> bool:
        """Whether the table has no row of the slice."""
        if not self.exists(contract):
            return True
        return self._load(contract).filter(predicate(contract, rows)).isEmpty()

    def _append(self, contract: TableContract, df: DataFrame) -> None:
        df.write.format("delta").mode("append").save(self.address(contract))

    def _overwrite(self, contract: TableContract, df: DataFrame, rows: Slice) -> None:
        (
            df.write.format("delta")
            .mode("overwrite")
            .option("replaceWhere", predicate(contract, rows))
            .save(self.address(contract))
        )

    def _merge(self, contract: TableContract, changes: DataFrame, condition: str) -> None:
        keys = [f"t.{name} <=> c.{name}" for name in contract.grain]
        values: dict[str, str | Column] = {c.name: f"c.{c.name}" for c in contract.columns}
        (
            DeltaTable.forPath(self.spark, self.address(contract))
            .alias("t")
            .merge(changes.alias("c"), " AND ".join([condition, *keys]))
            .whenMatchedDelete(f"c.{IS_GONE}")
            .whenMatchedUpdate(set=values)
            .whenNotMatchedInsert(f"NOT c.{IS_GONE}", values=values)
            .execute()
        )

    def _commit(
        self,
        contract: TableContract,
        write: Callable[[], None],
        *,
        first: Callable[[], None] | None = None,
    ) -> None:
        """Write with the table to oneself; `first` in its place into a table made for it."""
        address = self.address(contract)
        locks = self.local_folder / "_locks" if self.local_folder else None
        name = contract.name
        with table_lock(locks, name), engine_lock(self.spark, locks, name):
            for attempt in range(1, _ATTEMPTS + 1):
                try:
                    is_new = self._ensure(contract)
                    (first if first and is_new else write)()
                except ENGINE_ERRORS as caught:
                    if attempt == _ATTEMPTS or not is_conflict(caught):
                        raise StorageError(
                            f"writing {address}: {engine_sentence(caught)}"
                        ) from caught
                    logger.info("%s: another writer was faster, trying again", name)
                    time.sleep(0.2 * attempt)
                else:
                    return

    def _ensure(self, contract: TableContract) -> bool:
        """Make the table, or add to it; inside the retries, since others may do the same.

        Returns:
            Whether the table was made, and so is empty.
        """
        if contract in self._made:
            return False
        address = self.address(contract)
        is_new = not self.exists(contract)
        if is_new:
            make_table(self.spark, address, contract, self.settings)
        schema = self._load(contract).schema
        self._check(contract, schema)
        widen_table(self.spark, address, contract, schema)
        self._made.add(contract)
        return is_new

    def _check(self, contract: TableContract, schema: T.StructType) -> None:
        """Compare once a session: creating over another schema would succeed silently."""
        if contract in self._checked:
            return
        problems = contract.breaches(schema)
        if problems:
            raise StorageError(
                f"{self.address(contract)}: was made by another version of segspark or another "
                f"tool ({'; '.join(problems)}): name another lake.location or move it away"
            )
        self._checked.add(contract)


def _inside(contract: TableContract, df: DataFrame, rows: Slice) -> DataFrame:
    """The rows, an error for each that is not of the slice."""
    inside = predicate(contract, rows)
    refusal = F.raise_error(F.lit(f"a row is outside of the slice of {', '.join(rows)}"))
    # Of a column that is one value Spark checks that value and no row.
    name = next(iter(rows))
    return df.withColumn(name, F.when(F.expr(inside), F.col(name)).otherwise(refusal))


def lake_root(settings: LakeSettings) -> str:
    """The lake's root: addresses as they are, folders of this machine absolute."""
    location = resolve_location(settings.location).rstrip("/")
    if location.startswith("file:"):
        location = "/" + location.removeprefix("file:").lstrip("/")
    return location if "://" in location else str(Path(location).absolute())
