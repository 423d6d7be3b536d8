"""Keys that are looked up among many rows: told to every task where they are few."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

_MOST = 1_000_000
_MOST_LISTED = 5_000
"""So many keys are told to every task; more are joined. A short text takes some 120 bytes there, as
its row is held as the key and as the value. Few texts are listed in the query itself, by which rows
are looked through in half the time."""


@dataclass(frozen=True, slots=True)
class Told:
    """Keys to join with.

    Attributes:
        keys: As they were given, to be joined by broadcast where they are few.
        count: How many.
        is_listed: Whether a value is among them, where they are one column of few texts; else None.
    """

    keys: DataFrame
    count: int
    is_listed: Column | None = None

    def among(self, rows: DataFrame) -> DataFrame:
        """Those of the rows that have one of the keys."""
        if self.is_listed is not None:
            return rows.filter(self.is_listed)
        return rows.join(self.keys, on=self.keys.columns, how="left_semi")


@contextmanager
def told(keys: DataFrame) -> Iterator[Told]:
    """Hold keys in memory or on disk, and count them, since Spark cannot know in time.

    It would have sent the many rows across before it saw how few keys it looks for.

    Args:
        keys: Distinct keys, and what they are to bring; worked out once, by one job.
    """
    most = _MOST // len(keys.schema)
    held = keys.persist()
    try:
        count = held.count()
        yield Told(_told(held, count, most), count, _is_listed(held, count))
    finally:
        held.unpersist()


def _told(held: DataFrame, count: int, most: int) -> DataFrame:
    if count == 0:
        # Spark knows that nothing is left by it, and reads nothing to join with nothing.
        return held.limit(0)
    return F.broadcast(held) if count <= most else held


def _is_listed(held: DataFrame, count: int) -> Column | None:
    is_text = [field.dataType for field in held.schema] == [T.StringType()]
    if not is_text or count > _MOST_LISTED:
        return None
    # Made once and kept: Python tells Java each key by itself.
    return F.col(held.columns[0]).isin([row[0] for row in held.collect()])
