"""Text files whose fields stand at fixed places."""

from collections.abc import Sequence
from functools import reduce
from operator import or_

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from segspark.ingest.reading.raw import MALFORMED, RAW_ROW
from segspark.ingest.reading.text_lines import LINE, read_lines
from segspark.settings.formats import FixedWidthFormat


def read_fixed_width(
    spark: SparkSession,
    fixed_format: FixedWidthFormat,
    wanted: Sequence[str],
    addresses: Sequence[str],
) -> DataFrame:
    """The rows of files, each field without filling blanks; then `MALFORMED` and `RAW_ROW`.

    Args:
        spark: The session.
        fixed_format: The fields and their places, in characters.
        wanted: Mapped fields: a line that ends before one of them begins is malformed.
        addresses: The prepared files, as Spark takes them.
    """
    lines = read_lines(spark, addresses, fixed_format.encoding)
    line = F.rtrim(F.col(LINE), F.lit("\r"))
    fields = [
        F.nullif(F.trim(F.substring(line, first, last - first + 1)), F.lit("")).alias(name)
        for name, (first, last) in fixed_format.fields.items()
    ]
    starts = [fixed_format.fields[name][0] for name in wanted if name in fixed_format.fields]
    is_short = reduce(or_, [F.length(line) < start for start in starts], F.lit(col=False))
    return lines.select(
        *fields,
        F.when(is_short, line).alias(MALFORMED),
        F.lit(None).cast("string").alias(RAW_ROW),
    )
