"""Functions that tests name in a configuration, as a user would."""

from collections.abc import Mapping

from pyspark.sql import Column
from pyspark.sql import functions as F

NO_FUNCTION = 7


def spend_per_month(columns: Mapping[str, Column]) -> Column:
    return columns["monetary_amount"] / (columns["tenure_days"] / 30 + 1)


def a_number(_: Mapping[str, Column]) -> int:
    return NO_FUNCTION


def of_nothing(columns: Mapping[str, Column]) -> Column:
    return columns["no_such_column"]


def summed(columns: Mapping[str, Column]) -> Column:
    return F.sum(columns["monetary_amount"])
