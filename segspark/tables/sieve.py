"""Hashes that rows are looked up by: some bits for each, in one array that is told to every task.

A join that is told the hashes holds each as a row, several times over, which fills a small heap.
Here one takes 8 to 16 bytes. In return, about one row in a hundred of those with another hash
passes as well: for what looks at the whole keys afterwards. Without Spark's generated code each row
that passes would be put together with the whole array: there, rows are joined with the hashes.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

_MOST_HASHES = 4_000_000
"""So many make an array of 32 MB; rows are joined with more."""
_BITS = "__bits"
_COMPILED = "spark.sql.codegen.wholeStage"
_BITS_OF_WORD = 6
"""2 to the power of it are in a word of 64 bits; the other bits of a hash choose the word."""


@dataclass(frozen=True, slots=True)
class Sieve:
    """What lets rows pass that have one of some hashes.

    Attributes:
        hashes: Distinct ones, in one column, which is how the rows' own column is named.
        bits: One row with one array, whose set bits tell of the hashes; None: rows are joined with
            the hashes, and none of another hash passes.
    """

    hashes: DataFrame
    bits: DataFrame | None = None

    def marked(self, rows: DataFrame, *, mark: str) -> DataFrame:
        """Add a column: true for the rows that pass, false or NULL for the others."""
        if self.bits is None:
            marks = self.hashes.withColumn(mark, F.lit(col=True))
            return rows.join(marks, on=self.hashes.columns, how="left")
        own = F.col(self.hashes.columns[0])
        word = F.get(_BITS, F.pmod(own, F.size(_BITS)).cast("int"))
        bit = F.getbit(word, F.shiftrightunsigned(own, 64 - _BITS_OF_WORD).cast("int"))
        return rows.crossJoin(F.broadcast(self.bits)).withColumn(mark, bit == 1).drop(_BITS)


@contextmanager
def sieve(hashes: DataFrame) -> Iterator[Sieve]:
    """Work hashes out once, for all the rows that are looked through.

    Args:
        hashes: Distinct, in one column of longs, none of them NULL.
    """
    held = hashes.persist()
    try:
        yield _sieve(held, held.count())
    finally:
        held.unpersist()


def _sieve(held: DataFrame, count: int) -> Sieve:
    if count == 0:
        # Spark knows that nothing is left by it, and reads nothing to join with nothing.
        return Sieve(held.limit(0))
    spark = held.sparkSession
    if count > _MOST_HASHES or spark.conf.get(_COMPILED) != "true":
        return Sieve(held)
    words = _words([chunk.to_numpy() for chunk in held.toArrow().column(0).chunks], count)
    held.unpersist()
    bits = pa.ListArray.from_arrays(pa.array([0, len(words)], pa.int32()), pa.array(words))
    return Sieve(held, spark.createDataFrame(pa.table({_BITS: bits})))


def _words(parts: Iterable[NDArray[np.int64]], count: int) -> NDArray[np.int64]:
    """Words with a bit set for each of `count` hashes, one or two words for each."""
    words = np.zeros(1 << (count - 1).bit_length(), dtype=np.int64)
    for hashes in parts:
        bits = np.left_shift(np.int64(1), hashes >> (64 - _BITS_OF_WORD) & (1 << _BITS_OF_WORD) - 1)
        np.bitwise_or.at(words, hashes % len(words), bits)
    return words
