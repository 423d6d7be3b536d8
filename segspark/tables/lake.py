"""The store: the only place that reads or writes the lake's tables."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from delta.tables import DeltaTable
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql.types import StructType

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
from segspark.tables.locks import table_lock
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

        Writing the same slice again is harmless. Rows outside the slice are refused.

        Raises:
            StorageError: The frame breaks the contract, or the write failed; nothing has changed.
        """
        conformed = df.transform(contract.conform)
        self._commit(contract, lambda: self._overwrite(contract, conformed, rows))

    def fill(self, contract: TableContract, df: DataFrame, rows: Slice) -> None:
        """As `replace`, for large slices that the caller counts afterwards.

        Replacing checks each row against the slice, which doubles the time. Where the slice is
        empty, and on a local disk, whose lock keeps others from filling it, rows are appended.
        """
        conformed = df.transform(contract.conform)

        def write() -> None:
            if self.local_folder is not None and self.is_empty(contract, rows):
                conformed.write.format("delta").mode("append").save(self.address(contract))
            else:
                self._overwrite(contract, conformed, rows)

        self._commit(contract, write)

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
            df = make(self.read(contract)).transform(contract.conform)
            df.write.format("delta").mode("append").save(self.address(contract))

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

    def _commit(self, contract: TableContract, write: Callable[[], None]) -> None:
        address = self.address(contract)
        locks = self.local_folder / "_locks" if self.local_folder else None
        with table_lock(locks, contract.name):
            for attempt in range(1, _ATTEMPTS + 1):
                try:
                    self._ensure(contract)
                    write()
                except ENGINE_ERRORS as caught:
                    if attempt == _ATTEMPTS or not is_conflict(caught):
                        raise StorageError(
                            f"writing {address}: {engine_sentence(caught)}"
                        ) from caught
                    logger.info("%s: another writer was faster, trying again", contract.name)
                    time.sleep(0.2 * attempt)
                else:
                    return

    def _ensure(self, contract: TableContract) -> None:
        """Make the table, or add to it; inside the retries, since others may do the same."""
        if contract in self._made:
            return
        days = self.settings
        (
            DeltaTable.createIfNotExists(self.spark)
            .location(self.address(contract))
            .addColumns(contract.schema)
            .comment(contract.meaning)
            .property(
                "delta.deletedFileRetentionDuration",
                f"interval {days.deleted_file_retention_days} days",
            )
            .property("delta.logRetentionDuration", f"interval {days.log_retention_days} days")
            .property("delta.dataSkippingStatsColumns", ",".join(contract.statistics_columns))
            .execute()
        )
        schema = self._load(contract).schema
        self._check(contract, schema)
        self._widen(contract, schema)
        self._made.add(contract)

    def _widen(self, contract: TableContract, schema: StructType) -> None:
        """Add the nullable columns that the table lacks; the columns of others may stay empty.

        Writing no rows adds them, which is no error where another writer has just added them.
        """
        address = self.address(contract)
        always = {c.name for c in contract.columns if not c.nullable}
        for name in [f.name for f in schema.fields if not f.nullable and f.name not in always]:
            table = address.replace("`", "``")
            self.spark.sql(f"ALTER TABLE delta.`{table}` ALTER COLUMN `{name}` DROP NOT NULL")
        if contract.lacking(schema):
            nothing = self.spark.createDataFrame([], contract.schema)
            merging = nothing.write.format("delta").mode("append").option("mergeSchema", value=True)
            merging.save(address)

    def _check(self, contract: TableContract, schema: StructType) -> None:
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


def lake_root(settings: LakeSettings) -> str:
    """The lake's root: addresses as they are, folders of this machine absolute."""
    location = resolve_location(settings.location).rstrip("/")
    if location.startswith("file:"):
        location = "/" + location.removeprefix("file:").lstrip("/")
    return location if "://" in location else str(Path(location).absolute())
