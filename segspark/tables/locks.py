"""One writer a table on a local disk: Delta's own commits are not safe there between processes."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from segspark.errors import StorageError


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
