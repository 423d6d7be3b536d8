"""The named map covers each of the 125 cells exactly once."""

from itertools import product

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from segspark.features.rfm_segments import RFM_MAP, rfm_segment
from tests.builders import table
from tests.purchases import values

SCORES = range(1, 6)
CELLS = list(product(SCORES, SCORES, SCORES))
NAMES = {
    "champions", "loyal customers", "potential loyalists", "new customers", "promising",
    "need attention", "about to sleep", "at risk", "cannot lose them", "hibernating", "lost",
}  # fmt: skip


def names_of(recency: int, frequency: int, monetary: int) -> list[str]:
    """Every name whose rectangle holds the cell."""
    mean = (frequency + monetary) / 2
    level = int(mean + 0.5)
    return [
        name
        for name, (first, last), (low, high) in RFM_MAP
        if first <= recency <= last and low <= level <= high
    ]


@pytest.mark.parametrize("recency", SCORES)
def test_every_cell_has_exactly_one_name(recency: int) -> None:
    found = {cell: names_of(*cell) for cell in CELLS if cell[0] == recency}

    assert {cell: names for cell, names in found.items() if len(names) != 1} == {}


def test_all_eleven_names_are_given() -> None:
    assert {name for cell in CELLS for name in names_of(*cell)} == NAMES


def test_spark_gives_each_cell_its_name_and_none_without_a_score(spark: SparkSession) -> None:
    rows = [*CELLS, (None, 5, 5), (5, None, 5), (5, 5, None)]
    scores = table(spark, "r int, f int, m int", *rows)

    named = scores.withColumn("name", rfm_segment(F.col("r"), F.col("f"), F.col("m")))

    found = {row[:3]: row[3] for row in values(named, "r", "f", "m", "name")}
    ends = [found[cell] for cell in ((5, 5, 5), (1, 4, 4), (1, 1, 1))]
    assert ends == ["champions", "cannot lose them", "lost"]
    assert {cell: found.pop(cell) for cell in CELLS} == {c: names_of(*c)[0] for c in CELLS}
    assert list(found.values()) == [None, None, None]
