"""What is worked out once for several queries."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pyspark import StorageLevel
from pyspark.sql import DataFrame

Hold = Callable[[DataFrame], DataFrame]
"""A frame → the same one, kept or not."""


def as_is(df: DataFrame) -> DataFrame:
    """Keep nothing: each query works it out anew."""
    return df


@contextmanager
def on_disk(df: DataFrame) -> Iterator[DataFrame]:
    """Large tables in memory would leave queries too little of it, and Java much to clean up."""
    held = df.persist(StorageLevel.DISK_ONLY)
    try:
        yield held
    finally:
        held.unpersist()
