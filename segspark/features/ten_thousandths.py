"""Money and units as whole ten-thousandths, which is how they are summed.

Amounts of the tables have four digits. Whole numbers are exact as well, and summing them takes a
fraction of the time that decimals of 28 digits take.
"""

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql.types import DataType


def ten_thousandths(amount: Column) -> Column:
    """A decimal of four digits in ten-thousandths, a long; an error beyond 922 trillion."""
    return (amount * 10_000).cast("long")


def as_amount(whole: Column, dtype: DataType) -> Column:
    """Ten-thousandths as a decimal of four digits after the point, an error beyond its size."""
    return (whole.cast("decimal(19,0)") * F.lit("0.0001").cast("decimal(4,4)")).cast(dtype)
