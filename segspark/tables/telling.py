"""Keys that are looked up among many rows: told to every task where they are few."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

_MOST_TOLD = 2_000_000
"""So many keys are told to every task, some 60 bytes each; more are joined."""


@dataclass(frozen=True, slots=True)
class Told:
    """Keys to join with.

    Attributes:
        keys: As they were given, to be joined by broadcast where they are few.
        count: How many.
    """

    keys: DataFrame
    count: int


@contextmanager
def told(keys: DataFrame) -> Iterator[Told]:
    """Hold keys in memory or on disk, and count them, since Spark cannot know in time.

    It would have sent the many rows across before it saw how few keys it looks for.

    Args:
        keys: Distinct keys; worked out once, by one job.
    """
    held = keys.persist()
    try:
        count = held.count()
        yield Told(F.broadcast(held) if count <= _MOST_TOLD else held, count)
    finally:
        held.unpersist()
