"""When customers buy, against plain loops over the orders and the days known on a day."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from typing import Any

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession

from segspark.features import evenness
from segspark.features.customers import customer_summaries
from segspark.features.ledger import customer_days
from segspark.features.lines import ledger_lines
from segspark.features.seasons import customer_seasons
from segspark.settings.features import FeatureSettings, LedgerSettings
from segspark.tables.purchases import CUSTOMER_DAYS, DAYPARTS
from tests.histories import START, Line, day, known_lines, pieces, random_histories, transactions

HOLIDAYS = {
    "christmas": "12-01..12-24",
    "new_year": "12-20..01-06",
    "jubilee": "2011-05-02..2011-06-10, 2011-09-01..2011-09-30",
}
LEVELS = {
    "month": ["january", "february", "march", "april", "may", "june", "july", "august",
              "september", "october", "november", "december"],
    "weekday": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"],
    "holiday": [*HOLIDAYS, ""],
    "daypart": list(DAYPARTS),
}  # fmt: skip


def holiday(at: date) -> str:
    if at.month == 12 and at.day <= 24:
        return "christmas"
    if (at.month == 12 and at.day >= 20) or (at.month == 1 and at.day <= 6):
        return "new_year"
    spring = date(2011, 5, 2) <= at <= date(2011, 6, 10)
    return "jubilee" if spring or (at.year, at.month) == (2011, 9) else ""


def level(kind: str, at: date) -> str:
    if kind == "holiday":
        return holiday(at)
    return LEVELS[kind][at.month - 1 if kind == "month" else at.weekday()]


def spread_out(lines: Sequence[Line], *, seed: int) -> list[Line]:
    """The lines over two years, at any minute, some at midnight."""
    random = Random(seed)  # noqa: S311 - the same every time
    return [
        replace(
            line, day=line.day * 37, hour=random.choice([0, 0, 5, 6, 11, 12, 17, 18, 23]),
            minute=random.choice([0, 7, 59]),
        )
        for line in lines
    ]  # fmt: skip


HISTORIES = spread_out(random_histories(60, seed=21), seed=22)


def settings(**changed: object) -> FeatureSettings:
    return FeatureSettings.model_validate({"seasons": {"holidays": HOLIDAYS}, **changed})


@pytest.fixture(scope="module")
def ledger(spark: SparkSession) -> DataFrame:
    """The ledger of all histories, computed once, with everything that comes later."""
    lines = ledger_lines(transactions(spark, HISTORIES), settings=LedgerSettings())
    rows = customer_days(lines, ledger_id="ledger-1").collect()
    return spark.createDataFrame(rows, CUSTOMER_DAYS.schema)


def found(ledger: DataFrame, *, as_of: int, **changed: object) -> dict[str, dict[str, Any]]:
    summaries = customer_summaries(
        ledger, settings=settings(**changed), as_of=day(as_of), with_seasons=True
    )
    made = customer_seasons(summaries, snapshot_id="snapshot-1")
    rows = [row.asDict() for row in made.collect()]
    assert {row.pop("snapshot_id") for row in rows} <= {"snapshot-1"}
    return {row.pop("customer_id"): row for row in rows}


def expected(as_of: int, *, is_net: bool = True) -> dict[str, dict[str, Any]]:
    known = known_lines(HISTORIES, as_of)
    return {who: seasons(lines, as_of, is_net=is_net) for who, lines in known.items()}


def seasons(lines: Sequence[Line], as_of: int, *, is_net: bool) -> dict[str, Any]:
    """One customer's row, order by order and day by day."""
    orders: dict[str, Line] = {}
    left: Counter[str] = Counter()
    for line in sorted((x for x in lines if x.units > 0), key=lambda x: (x.day, x.hour, x.minute)):
        orders.setdefault(line.order, line)
        left[line.order] += int(line.units)
    for piece in pieces(lines) if is_net else ():
        left[piece.order] -= int(piece.units)
    standing = [first for order, first in orders.items() if left[order]]
    opening = min((x.day for x in standing), default=as_of + 1)
    days = [(START + timedelta(days=n)).date() for n in range(opening, as_of + 1)]
    row: dict[str, Any] = {
        "order_count": len(standing),
        "later_order_count": sum(x.day > opening for x in standing),
        "observed_days": len(days),
    }
    for kind in ("month", "weekday", "holiday"):
        orders_in = [level(kind, x.date) for x in standing]
        later_in = [level(kind, x.date) for x in standing if x.day > opening]
        days_in = [level(kind, x) for x in days]
        row |= told(kind, (orders_in, days_in), (later_in, days_in[1:]))
    timed = [x for x in standing if x.hour or x.minute]
    parts = [next(p for p, hour in reversed(DAYPARTS.items()) if x.hour >= hour) for x in timed]
    hours = list(DAYPARTS) * 6
    return row | told("daypart", (parts, hours), (parts, hours))


def told(
    kind: str, everything: tuple[list[str], list[str]], tested: tuple[list[str], list[str]]
) -> dict[str, Any]:
    def table(names: list[str]) -> evenness.Counts:
        return np.array([[names.count(name) for name in LEVELS[kind]]], dtype=np.int64)

    def number(values: evenness.Floats) -> object:
        return None if np.isnan(values[0]) else pytest.approx(float(values[0]))

    bought, time = everything
    counted, days = map(table, tested)
    p_values = evenness.p_value(counted, days)
    counts = Counter(name for name in bought if name)
    ranked = sorted(
        counts, key=lambda name: (-counts[name], time.count(name), LEVELS[kind].index(name))
    )
    return {
        f"{kind}_shares": {name: pytest.approx(n / len(bought)) for name, n in counts.items()},
        f"favourite_{kind}": ranked[0] if ranked else None,
        f"{kind}_concentration_ratio": number(evenness.concentration(table(bought), table(time))),
        f"{kind}_strength_ratio": number(evenness.strength(counted, days, p_values)),
        f"{kind}_p_value": number(p_values),
    }


@pytest.mark.parametrize("as_of", [222, 740])
def test_seasons_are_those_of_the_orders_known_on_the_day_and_of_no_later_ones(
    ledger: DataFrame, as_of: int
) -> None:
    assert found(ledger, as_of=as_of) == expected(as_of)


def test_gross_counts_orders_that_were_undone_in_every_season(ledger: DataFrame) -> None:
    assert found(ledger, as_of=740, monetary="gross") == expected(740, is_net=False)


def test_seasons_do_not_depend_on_the_partitioning_nor_on_rows_of_later_days(
    ledger: DataFrame,
) -> None:
    known = ledger.filter(ledger["effective_date"] <= day(500))
    assert found(known.repartition(7), as_of=500) == found(ledger.coalesce(1), as_of=500)


def test_without_holidays_nothing_is_said_of_them(ledger: DataFrame) -> None:
    rows = found(ledger, as_of=740, seasons={"holidays": {}}).values()
    of_holidays = {repr(value) for row in rows for name, value in row.items() if "holiday" in name}
    assert of_holidays == {"{}", "None"}
