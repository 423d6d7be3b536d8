"""Returns undo purchases in the order asked for, never a later one, and none of them is lost."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import pytest
from hypothesis import Phase, given, settings
from pyspark.sql import DataFrame, Row, SparkSession

from segspark.features.lines import ledger_lines
from segspark.features.returns import return_matches
from segspark.settings.features import LedgerSettings
from segspark.tables.returns import RETURN_MATCHES
from tests.histories import (
    Line,
    Matching,
    Units,
    apart,
    day,
    drawn_histories,
    long_history,
    pieces,
    random_histories,
    transactions,
)

RESELLER = long_history(purchases=2000, returns=20, seed=15, first_number=100_000)
HISTORIES = [*random_histories(60, seed=11), *RESELLER]
GUEST = [Line(None, "A1", 1, day=1), Line(None, "R1", -1, day=2)]
MATCHINGS: tuple[Matching, ...] = ("oldest", "nearest")
in_either_order = pytest.mark.parametrize("matching", MATCHINGS)

Match = tuple[str, str | None, Units, Units]
Found = defaultdict[str, list[Match]]
Undone = tuple[object, ...]


def undone(order: str | None, bought: int | None, back: int, units: int, money: Units) -> Undone:
    """Order and day of the purchase, day of the return, units and money."""
    return (order, None if bought is None else day(bought), day(back), units, money)


@dataclass(frozen=True)
class Case:
    """What the returns of a history undo; `nearest` is as `oldest` where it is not given."""

    lines: list[Line]
    oldest: list[Undone]
    nearest: list[Undone] | None = None


CASES = {
    "the first or the last purchase before the return is undone as asked": Case(
        [*(Line("7", f"A{at}", 2, day=at) for at in (1, 3, 9)), Line("7", "R1", -3, day=5)],
        [undone("A1", 1, 5, 2, 20), undone("A3", 3, 5, 1, 10)],
        [undone("A1", 1, 5, 1, 10), undone("A3", 3, 5, 2, 20)],
    ),
    "no return undoes a later purchase": Case(
        [Line("7", "R1", -1, day=1), Line("7", "A1", 1, day=2)],
        [undone(None, None, 1, 1, 10)],
    ),
    "at the same instant a purchase comes first": Case(
        [Line("7", "R1", -1, day=1), Line("7", "A1", 1, day=1)],
        [undone("A1", 1, 1, 1, 10)],
    ),
    "only the same product at the same price of the same customer is undone": Case(
        [
            Line("7", "A1", 1, day=1, product="cup"),
            Line("7", "A2", 1, day=1, price=11),
            Line("8", "A3", 1, day=1),
            Line("7", "R1", -1, day=2),
        ],
        [undone(None, None, 2, 1, 10)],
    ),
    "a price is the same at another rate": Case(
        [
            Line("7", "A1", 1, day=1, currency="USD", rate=Decimal("1.10")),
            Line("7", "R1", -1, day=2, currency="USD", rate=Decimal("1.20")),
        ],
        [undone("A1", 1, 2, 1, 12)],
    ),
    "a price is another in another currency": Case(
        [Line("7", "A1", 1, day=1, currency="USD"), Line("7", "R1", -1, day=2)],
        [undone(None, None, 2, 1, 10)],
    ),
    "lines without a product match nothing and stay": Case(
        [Line("7", "A1", 1, day=1, product=None), Line("7", "R1", -1, day=2, product=None)],
        [undone(None, None, 2, 1, 10)],
    ),
    "a return of money without units stays": Case(
        [Line("7", "A1", 1, day=1), Line("7", "R1", 0, day=2, money=-10)],
        [undone(None, None, 2, 0, 10)],
    ),
    "a purchase of money without units is not undone": Case(
        [
            Line("7", "A1", 1, day=1),
            Line("7", "A2", 0, day=2, kind="sale", money=10),
            Line("7", "R1", -1, day=3),
        ],
        [undone("A1", 1, 3, 1, 10)],
    ),
    "a row that two batches hold is two returns": Case(
        [
            Line("7", "A1", 2, day=1),
            Line("7", "R1", -1, day=2, number=900_009, batch="batch-1"),
            Line("7", "R1", -1, day=2, number=900_009, batch="batch-2"),
        ],
        [undone("A1", 1, 2, 1, 10), undone("A1", 1, 2, 1, 10)],
    ),
    "nine of sixteen units for 13.10 are 7.36875, a tie, which is rounded up": Case(
        [
            Line("7", "A1", 9, day=1),
            Line("7", "R1", -16, day=2, money=-10, rate=Decimal("1.31")),
        ],
        [
            undone("A1", 1, 2, 9, Decimal("7.3688")),
            undone(None, None, 2, 7, Decimal("5.7312")),
        ],
    ),
}
# 10.0000 over three units does not divide.
UNEVEN = {
    f"a return of three after {bought}": [
        *(Line("7", f"A{number}", 1, day=number) for number in range(bought)),
        Line("7", "R1", -3, day=9, money=-10),
    ]
    for bought in (2, 3)
}


def matched(lines: DataFrame, matching: Matching) -> DataFrame:
    chosen = LedgerSettings(return_matching=matching)
    return return_matches(ledger_lines(lines, settings=chosen), ledger_id="ledger-1")


@pytest.fixture(scope="module")
def found(spark: SparkSession) -> dict[Matching, list[Row]]:
    """The matches of all histories of this file, each order by one query."""
    told = apart({**{name: case.lines for name, case in CASES.items()}, **UNEVEN})
    lines = transactions(spark, [*HISTORIES, *told, *GUEST])
    return {matching: matched(lines, matching).collect() for matching in MATCHINGS}


def of_history(rows: Iterable[Row], name: str) -> list[Row]:
    return [row for row in rows if str(row["customer_id"]).startswith(f"{name}: ")]


def by_customer(rows: Iterable[Row]) -> Found:
    """Return line, purchase line, units and money of each customer's matches."""
    found: Found = defaultdict(list)
    for row in rows:
        units, money = row["returned_units"], row["returned_amount"]
        match = (row["return_line_id"], row["purchase_line_id"], units, money)
        found[row["customer_id"]].append(match)
    return found


def found_by_a_loop(lines: Sequence[Line], matching: Matching) -> Found:
    found: Found = defaultdict(list)
    left = {line.number: -line.units for line in lines if line.units < 0}
    of = {line.number: line for line in lines}

    def add(line: Line, bought: str | None, units: Units) -> None:
        match = (f"line {line.number:06d}", bought, units, units * line.price)
        found[str(line.customer)].append(match)

    for piece in pieces(lines, matching=matching):
        left[piece.return_number] -= piece.units
        add(of[piece.return_number], f"line {piece.purchase_number:06d}", piece.units)
    for number, units in left.items():
        if units:
            add(of[number], None, units)
    return found


def differing(one: Found, other: Found) -> dict[str, object]:
    """The customers whose matches are not the same, with both."""
    both = {who: (_in_order(one[who]), _in_order(other[who])) for who in {*one, *other}}
    return {who: matches for who, matches in both.items() if matches[0] != matches[1]}


def _in_order(found: list[Match]) -> list[tuple[str, str, Decimal, Decimal]]:
    return sorted((back, str(bought), Decimal(u), Decimal(m)) for back, bought, u, m in found)


@in_either_order
@pytest.mark.parametrize("name", CASES)
def test_returns_undo_what_is_told_of_them(
    found: dict[Matching, list[Row]], matching: Matching, name: str
) -> None:
    columns = ("order_id", "purchase_date", "return_date", "returned_units", "returned_amount")
    rows = of_history(found[matching], name)
    case = CASES[name]
    expected = case.nearest if matching == "nearest" and case.nearest else case.oldest
    assert sorted((tuple(row[c] for c in columns) for row in rows), key=str) == expected
    assert [row["is_matched"] for row in rows] == [row["order_id"] is not None for row in rows]


@in_either_order
# Not shrunk: each step is a Spark query, and the customers that differ are told apart anyway.
@settings(max_examples=3, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(lines=drawn_histories(customers=40))
def test_returns_undo_what_a_plain_loop_finds_and_the_rest_of_them_stays(
    spark: SparkSession, matching: Matching, lines: list[Line]
) -> None:
    rows = matched(transactions(spark, lines), matching).collect()
    assert not differing(by_customer(rows), found_by_a_loop(lines, matching))


@in_either_order
def test_on_long_histories_as_well(found: dict[Matching, list[Row]], matching: Matching) -> None:
    expected = found_by_a_loop(HISTORIES, matching)
    pieces_of = Counter(match[0] for rows in expected.values() for match in rows)
    assert max(pieces_of.values()) > 2
    rows = by_customer(row for row in found[matching] if ":" not in str(row["customer_id"]))
    assert not differing(rows, expected)


def test_the_two_orders_differ() -> None:
    assert differing(found_by_a_loop(HISTORIES, "oldest"), found_by_a_loop(HISTORIES, "nearest"))


@in_either_order
def test_every_return_is_there_and_its_pieces_add_up_to_it(
    found: dict[Matching, list[Row]], matching: Matching
) -> None:
    sums: dict[object, tuple[Decimal, Decimal]] = {}
    for row in found[matching]:
        if ":" not in str(row["customer_id"]):
            key = row["return_line_id"], row["return_date"]
            units, money = sums.get(key, (Decimal(0), Decimal(0)))
            sums[key] = units + row["returned_units"], money + row["returned_amount"]
    assert sums == {
        (f"line {line.number:06d}", line.date): (-line.units, -line.units * line.price)
        for line in HISTORIES
        if line.units < 0
    }


@in_either_order
def test_the_grain_of_the_table_is_unique(
    found: dict[Matching, list[Row]], matching: Matching
) -> None:
    keys = [tuple(row[name] for name in RETURN_MATCHES.grain) for row in found[matching]]
    assert len(keys) > 200
    assert len(set(keys)) == len(keys)


def test_guests_are_absent(found: dict[Matching, list[Row]]) -> None:
    assert None not in {row["customer_id"] for rows in found.values() for row in rows}


@in_either_order
@pytest.mark.parametrize("name", UNEVEN)
def test_the_money_of_a_split_return_adds_up_to_the_penny(
    found: dict[Matching, list[Row]], matching: Matching, name: str
) -> None:
    money = [row["returned_amount"] for row in of_history(found[matching], name)]
    assert len(money) == 3
    assert sum(money) == Decimal(10)
    assert {abs(each - Decimal("3.3333")) <= Decimal("0.0001") for each in money} == {True}
