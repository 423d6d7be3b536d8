"""Attributes of customers as last known, encoded as few levels, against plain loops."""

from collections import Counter, defaultdict
from datetime import date, timedelta
from random import Random
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from segspark.features.attributes import customer_attributes, told_by_lines, told_of_customers
from segspark.settings.features import LedgerSettings
from tests.builders import table
from tests.histories import Line, day, transactions
from tests.purchases import values

AS_OF = date(2026, 6, 30)
ROWS = (
    "customer_id string, valid_from_date date, batch_number long, line_id string, country string, "
    "region string, attributes map<string,string>"
)


def at(days: int) -> date:
    return AS_OF + timedelta(days=days)


def told(spark: SparkSession, *rows: tuple[object, ...]) -> DataFrame:
    return table(spark, "customer_id string, name string, value string", *rows)


def test_the_row_that_holds_from_the_latest_day_on_counts_then_the_last_batch(
    spark: SparkSession,
) -> None:
    random = Random(5)  # noqa: S311 - the same every time
    rows: list[tuple[Any, ...]] = [
        (
            f"c{random.randint(1, 12)}",
            random.choice([None, at(-20), at(-3), at(0), at(1)]),
            random.randint(1, 3),
            f"line {number:03d}",
            random.choice([None, "FR", "DE"]),
            random.choice([None, "north"]),
            {"age": random.choice(["18-24", "25+"])} if random.random() < 0.7 else {},
        )
        for number in range(90)
    ]
    expected: dict[tuple[str, str], str] = {}
    for who, _, _, _, country, region, more in sorted(
        (row for row in rows if row[1] is None or row[1] <= AS_OF),
        key=lambda row: (row[1] or date.min, row[2], row[3]),
    ):
        found = {"country": country, "region": region, "attributes.age": more.get("age")}
        expected |= {(who, name): value for name, value in found.items() if value}
    made = told_of_customers(table(spark, ROWS, *rows).repartition(5), as_of=AS_OF)
    assert {(r["customer_id"], r["name"]): r["value"] for r in made.collect()} == expected


def test_of_lines_the_most_frequent_value_counts_then_the_latest_then_the_first_name(
    spark: SparkSession,
) -> None:
    random = Random(6)  # noqa: S311 - the same every time
    lines = [
        Line(
            random.choice([None, *(f"c{n}" for n in range(15))]),
            "A1",
            1,
            day=random.randint(0, 3),
            kind=random.choice(["sale", "sale", "sale", "return"]),
            money=random.choice([1, 1, 0]),
            copies=random.choice([1, 1, 1, 4]),
            country=random.choice(["FR", "DE", None]),
            store=random.choice(["s1", "s2", "s3"]),
        )
        for _ in range(150)
    ]
    rows = transactions(spark, lines).persist()
    for duplicates in ("once", "all"):
        settings = LedgerSettings.model_validate({"exact_duplicates": duplicates})
        made = told_by_lines(rows, settings=settings, as_of=day(2))
        expected = most_frequent(lines, 2, counts_copies=duplicates == "all")
        assert {(r["customer_id"], r["name"]): r["value"] for r in made.collect()} == expected


def most_frequent(
    lines: list[Line], as_of: int, *, counts_copies: bool
) -> dict[tuple[str, str], str]:
    """Value of each customer and name, line by line."""
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    last: dict[tuple[str, str, str], int] = {}
    for line in sorted(lines, key=lambda line: line.day):
        if line.customer and line.day <= as_of and line.kind == "sale" and line.money:
            for name, value in (("country", line.country), ("store_id", line.store)):
                if value:
                    counts[line.customer, name][value] += line.copies if counts_copies else 1
                    last[line.customer, name, value] = line.day
    return {
        key: min(found, key=lambda v: (-found[v], -last[(*key, v)], v))
        for key, found in counts.items()
    }


def test_rare_values_become_other_and_what_is_not_known_missing(spark: SparkSession) -> None:
    customers = table(spark, "customer_id string", *((who,) for who in "abcdef"))
    rows = [("a", "FR"), ("b", "FR"), ("c", "DE"), ("d", "IT"), ("z", "DE"), ("z2", "DE")]
    ages = [("a", "attributes.country", "x"), ("b", "attributes.age", "9"), ("a", "region", "n")]
    found = customer_attributes(
        customers,
        [
            told(spark, *((who, "country", land) for who, land in rows), *ages),
            # Lines do not overrule what sources of customers say.
            told(spark, ("a", "country", "US"), ("e", "country", "IT"), ("e", "store_id", "s1")),
        ],
        demographics=["age", "country"],
        max_categories=2,
        snapshot_id="s",
    )
    missing = {"age": "missing", "country": "missing"}
    assert values(found, "customer_id", "country", "region", "store_id", "attributes") == [
        ("a", "FR", "n", "missing", {**missing, "country": "x"}),
        ("b", "FR", "missing", "missing", {**missing, "age": "9"}),
        ("c", "other", "missing", "missing", missing),
        ("d", "IT", "missing", "missing", missing),
        ("e", "IT", "missing", "s1", missing),
        ("f", "missing", "missing", "missing", missing),
    ]


def test_equally_frequent_values_are_kept_in_order(spark: SparkSession) -> None:
    customers = table(spark, "customer_id string", ("a",), ("b",))
    found = customer_attributes(
        customers,
        [told(spark, ("a", "country", "FR"), ("b", "country", "DE"))],
        demographics=[],
        max_categories=1,
        snapshot_id="s",
    )
    assert values(found, "customer_id", "country", "attributes") == [
        ("a", "other", {}),
        ("b", "DE", {}),
    ]
