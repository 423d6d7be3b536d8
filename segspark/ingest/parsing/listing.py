"""Texts that apply to a row, as an array; compiled, unlike what works by a function of elements."""

from collections.abc import Sequence

from pyspark.sql import Column
from pyspark.sql import functions as F

_SEPARATOR = "\x1e"


def listed(texts: Sequence[Column]) -> Column:
    """The texts that are not NULL, in order; an empty array where none applies.

    `array_compact` would do, but Spark interprets it and everything below it, row by row: this
    made parsing a third slower.
    """
    nothing = F.array().cast("array<string>")
    if not texts:
        return nothing
    joined = F.concat_ws(_SEPARATOR, *texts)
    return F.when(joined == "", nothing).otherwise(F.split(joined, _SEPARATOR))
