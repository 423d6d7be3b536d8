"""Keys that are looked up among many rows: told to every task where they are few."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

_MOST_NUMBERS = 2_000_000
_MOST_TEXTS = 1_000_000
"""So many keys are told to every task; more are joined. A number takes some 60 bytes there, a short
text about twice as many: its row is held as the key and as the value."""


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
        keys: Distinct keys, one column; worked out once, by one job.
    """
    is_number = isinstance(keys.schema[0].dataType, T.NumericType)
    most = _MOST_NUMBERS if is_number else _MOST_TEXTS
    held = keys.persist()
    try:
        count = held.count()
        yield Told(F.broadcast(held) if count <= most else held, count)
    finally:
        held.unpersist()
