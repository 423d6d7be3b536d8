"""Money and units are the same after they were whole numbers."""

from decimal import Decimal

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from segspark.features.ten_thousandths import as_amount, ten_thousandths
from segspark.tables.contract import MONEY
from tests.builders import table
from tests.purchases import values

AMOUNTS = ["0", "-0.0001", "0.1", "-1.5", "90071992547409.9301", "920000000000000"]


def test_amounts_come_back_to_the_last_digit(spark: SparkSession) -> None:
    amounts = [Decimal(text) for text in AMOUNTS]
    rows = table(spark, "amount decimal(28,4)", *((amount,) for amount in amounts))
    whole = rows.withColumn("whole", ten_thousandths(F.col("amount")))

    found = whole.withColumn("amount", as_amount(F.col("whole"), MONEY))

    expected = sorted((amount, int(amount * 10_000)) for amount in amounts)
    assert sorted(values(found, "amount", "whole")) == expected
