"""One writer a table on a local disk: Delta's own commits are not safe there between processes."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from py4j.protocol import Py4JError
from pyspark.sql import SparkSession

from segspark.errors import StorageError
from segspark.tables.engine_errors import engine_sentences


@contextmanager
def table_lock(folder: Path | None, table: str) -> Iterator[None]:
    """Hold the operating system's lock of `table`; it goes with the process, however it ends.

    Args:
        folder: Local folder of the lock files; None where the store itself orders commits.
        table: Name of the table.
    """
    if folder is None:
        yield
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = (folder / f"{table}.lock").open("w")
    except OSError as error:
        raise StorageError(
            f"{folder}: cannot be written ({error.strerror}): check its owner and free space"
        ) from error
    with handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextmanager
def engine_lock(spark: SparkSession, folder: Path | None, table: str) -> Iterator[None]:
    """Within `table_lock`, hold a lock of `table` in Java, too: it is Java that writes.

    When Python is killed its lock goes at once, while Java may still end a write.

    Args:
        spark: The session that writes.
        folder: As of `table_lock`.
        table: Name of the table.
    """
    if folder is None:
        yield
        return
    path = folder / f"{table}.lock"
    java: Any = spark._jvm  # noqa: SLF001 - PySpark has no public way to Java's locks
    with engine_sentences(f"locking {path}"):
        file = java.java.io.RandomAccessFile(str(path), "rw")
    try:
        with engine_sentences(f"locking {path}"):
            file.getChannel().lock()
        yield
    finally:
        # Where Java is gone, so is its lock.
        with suppress(Py4JError):
            file.close()
