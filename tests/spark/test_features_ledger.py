"""The ledger of customer days: additive, and any past day can be rebuilt from it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

import pytest
from hypothesis import Phase, given
from hypothesis import settings as drawing
from pyspark.sql import DataFrame, Row, SparkSession

from segspark.errors import StageError
from segspark.features.customers import customer_summaries
from segspark.features.ledger import counted_money, customer_days, touched_orders
from segspark.features.lines import ledger_lines
from segspark.features.returns import return_matches
from segspark.settings.features import FeatureSettings, LedgerSettings
from segspark.settings.rules import LineKind
from segspark.tables.engine_errors import engine_sentences, overflow_of
from segspark.tables.purchases import CUSTOMER_DAYS
from segspark.tables.sieve import Sieve
from tests.histories import (
    Line,
    Matching,
    Units,
    apart,
    day,
    drawn_histories,
    random_histories,
    transactions,
)
from tests.purchases import values

DAYS = ("purchase_date", "effective_date")
MATCHINGS: tuple[Matching, ...] = ("oldest", "nearest")
HISTORIES = random_histories(40, seed=12)
CANCELLED = "an order of 80995 units cancelled after 12 minutes"
in_either_order = pytest.mark.parametrize("matching", MATCHINGS)


@dataclass(frozen=True)
class Case:
    """What the ledger says of a history; `nearest` is as `oldest` where it is not given."""

    lines: list[Line]
    columns: tuple[str, ...]
    oldest: list[tuple[object, ...]]
    nearest: list[tuple[object, ...]] | None = None


CASES = {
    "a matched return acts on the day of the purchase from its own on": Case(
        [Line("7", "A1", 3, day=1), Line("7", "R1", -2, day=5)],
        ("gross_amount", "returned_amount", "undone_order_count"),
        [(day(1), day(1), 30, 0, 0), (day(1), day(5), 0, 20, 0)],
    ),
    "what a return asks for beyond the queue stays on its own day": Case(
        [Line("7", "A1", 1, day=1), Line("7", "R1", -3, day=5)],
        ("returned_amount", "unmatched_returned_amount", "order_count"),
        [(day(1), day(1), 0, 0, 1), (day(1), day(5), 10, 0, 0), (day(5), day(5), 20, 20, 0)],
    ),
    "an order is undone on the day of its last unit": Case(
        [Line("7", "A1", 2, day=1), Line("7", "R1", -1, day=5), Line("7", "R2", -1, day=8)],
        ("order_count", "undone_order_count"),
        [(day(1), day(1), 1, 0), (day(1), day(5), 0, 0), (day(1), day(8), 0, 1)],
    ),
    "a line added to an undone order brings it back from that day on": Case(
        [Line("7", "A1", 1, day=1), Line("7", "R1", -1, day=2), Line("7", "A1", 1, day=3)],
        ("undone_order_count",),
        [(day(1), day(1), 0), (day(1), day(2), 1), (day(1), day(3), -1)],
    ),
    "an order belongs to the day of its first line": Case(
        [Line("7", "A1", 1, day=2), Line("7", "A1", 4, day=1)],
        ("order_count", "line_count", "quantity_units"),
        [(day(1), day(1), 1, 1, 4), (day(1), day(2), 0, 1, 1)],
    ),
    "customers without a purchase are zeros": Case(
        [Line(None, "A1", 1, day=1), Line("7", "A2", 1, day=3, kind="fee")],
        ("order_count", "gross_amount"),
        [(day(3), day(3), 0, 0)],
    ),
    "copies count once and fees not at all": Case(
        [
            Line("7", "A1", 1, day=1, copies=3, discount=Decimal(2)),
            Line("7", "A1", 1, day=1, kind="fee", discount=Decimal(1)),
        ],
        ("gross_amount", "discount_amount", "line_count", "order_count"),
        [(day(1), day(1), 10, 2, 1, 1)],
    ),
    "a discount counts with its purchase line, from that line's day on": Case(
        [
            Line("7", "A1", 1, day=1, discount=Decimal("0.5")),
            Line("7", "A1", 2, day=3, discount=Decimal(3)),
            Line("7", "R1", -1, day=4, discount=Decimal(7)),
        ],
        ("discount_amount", "gross_amount"),
        [(day(1), day(1), Decimal("0.5"), 10), (day(1), day(3), 3, 20), (day(1), day(4), 0, 0)],
    ),
    "a row that two batches hold is two lines": Case(
        [
            Line("7", "A1", 2, day=1),
            Line("7", "R1", -1, day=2, number=900_009, batch="batch-1"),
            Line("7", "R1", -1, day=2, number=900_009, batch="batch-2"),
        ],
        ("returned_amount", "undone_order_count"),
        [(day(1), day(1), 0, 0), (day(1), day(2), 20, 1)],
    ),
    "the last purchase before a return is undone where asked": Case(
        [Line("7", "A1", 1, day=1), Line("7", "A2", 1, day=3), Line("7", "R1", -1, day=5)],
        ("undone_order_count",),
        [(day(1), day(1), 0), (day(1), day(5), 1), (day(3), day(3), 0)],
        [(day(1), day(1), 0), (day(3), day(3), 0), (day(3), day(5), 1)],
    ),
    "a return at another rate has its own money": Case(
        [
            Line("7", "A1", 2, day=1, currency="USD", rate=Decimal("1.10")),
            Line("7", "R1", -1, day=5, currency="USD", rate=Decimal("1.20")),
        ],
        ("gross_amount", "returned_amount", "unmatched_returned_amount"),
        [(day(1), day(1), 22, 0, 0), (day(1), day(5), 0, 12, 0)],
    ),
    "an order counts in the part of the day of its first line until it is undone": Case(
        [
            Line("7", "A1", 1, day=1, hour=19),
            Line("7", "A1", 1, day=1, hour=11, minute=59),
            Line("7", "A2", 1, day=1, hour=12),
            Line("7", "R1", -3, day=4, hour=7),
            Line("7", "A3", 1, day=5, hour=0, minute=1),
            Line("7", "A4", 1, day=6, hour=18),
        ],
        ("night_order_count", "morning_order_count", "afternoon_order_count",
         "evening_order_count", "undone_morning_order_count", "undone_afternoon_order_count"),
        [
            (day(1), day(1), 0, 1, 1, 0, 0, 0),
            (day(1), day(4), 0, 0, 0, 0, 1, 1),
            (day(5), day(5), 1, 0, 0, 0, 0, 0),
            (day(6), day(6), 0, 0, 0, 1, 0, 0),
        ],
    ),
    "a line added to an undone order brings it back to its own part of the day": Case(
        [
            Line("7", "A1", 1, day=1, hour=8),
            Line("7", "R1", -1, day=2, hour=8),
            Line("7", "A1", 1, day=3, hour=20),
        ],
        ("morning_order_count", "undone_morning_order_count", "undone_evening_order_count"),
        [(day(1), day(1), 1, 0, 0), (day(1), day(2), 0, 1, 0), (day(1), day(3), 0, -1, 0)],
    ),
    "an order stamped at midnight is in no part of the day": Case(
        [Line("7", "A1", 1, day=1), Line("7", "A1", 1, day=1, hour=9), Line("7", "R1", -2, day=2)],
        ("order_count", "undone_order_count", "night_order_count", "morning_order_count",
         "undone_night_order_count", "undone_morning_order_count"),
        [(day(1), day(1), 1, 0, 0, 0, 0, 0), (day(1), day(2), 0, 1, 0, 0, 0, 0)],
    ),
    CANCELLED: Case(
        [
            Line("16446", "A1", 80995, day=9, price=2, hour=9, minute=15),
            Line("16446", "C1", -80995, day=9, price=2, hour=9, minute=27),
        ],
        ("order_count", "undone_order_count", "quantity_units", "returned_units",
         "gross_amount", "returned_amount", "unmatched_returned_amount"),
        [(day(9), day(9), 1, 1, 80995, 80995, 161990, 161990, 0)],
    ),
}  # fmt: skip


def ledger(spark: SparkSession, *lines: Line, settings: LedgerSettings | None = None) -> DataFrame:
    own = ledger_lines(transactions(spark, lines), settings=settings or LedgerSettings())
    return customer_days(own, ledger_id="ledger-1")


@pytest.fixture(scope="module")
def found(spark: SparkSession) -> dict[Matching, list[Row]]:
    """The ledger of all histories of this file, each order by one query."""
    lines = [*HISTORIES, *apart({name: case.lines for name, case in CASES.items()})]
    return {
        matching: ledger(spark, *lines, settings=LedgerSettings(return_matching=matching)).collect()
        for matching in MATCHINGS
    }


def of_history(rows: Iterable[Row], name: str) -> list[Row]:
    return [row for row in rows if str(row["customer_id"]).startswith(f"{name}: ")]


def of_random_histories(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if ":" not in str(row["customer_id"])]


@in_either_order
@pytest.mark.parametrize("name", CASES)
def test_the_ledger_says_what_is_told_of_it(
    found: dict[Matching, list[Row]], matching: Matching, name: str
) -> None:
    case = CASES[name]
    rows = of_history(found[matching], name)
    expected = case.nearest if matching == "nearest" and case.nearest else case.oldest
    assert sorted(tuple(row[c] for c in (*DAYS, *case.columns)) for row in rows) == expected


@in_either_order
def test_lines_that_pass_a_sieve_by_chance_change_nothing(
    spark: SparkSession, found: dict[Matching, list[Row]], matching: Matching
) -> None:
    everything = spark.createDataFrame([([-1],)], "__bits array<long>")
    unitless = Line("no units: 1", "A1", 0, day=1, money=10, kind="sale", number=900_001)
    lines = [*HISTORIES, *apart({name: case.lines for name, case in CASES.items()}), unitless]
    own = ledger_lines(
        transactions(spark, lines),
        settings=LedgerSettings(return_matching=matching),
        sift=lambda hashes: Sieve(hashes, everything),
    )
    touched = touched_orders(return_matches(own, ledger_id="ledger-1"))

    days = customer_days(own, ledger_id="ledger-1", touched=Sieve(touched, everything)).collect()

    others = [row for row in days if row["customer_id"] != unitless.customer]
    assert sorted(others, key=_by_key) == sorted(found[matching], key=_by_key)
    kept = [(row["order_count"], row["undone_order_count"]) for row in days if row not in others]
    assert kept == [(1, 0)]


def _by_key(row: Row) -> tuple[object, ...]:
    return tuple(row[name] for name in CUSTOMER_DAYS.grain)


def test_guests_are_absent_and_keys_unique(found: dict[Matching, list[Row]]) -> None:
    for rows in found.values():
        keys = [tuple(row[name] for name in CUSTOMER_DAYS.grain) for row in rows]
        assert len(set(keys)) == len(keys)
        assert None not in {row["customer_id"] for row in rows}


def test_kinds_and_copies_count_as_asked(spark: SparkSession) -> None:
    lines = CASES["copies count once and fees not at all"].lines
    wide = LedgerSettings(
        purchase_kinds=(LineKind.SALE, LineKind.FEE), return_kinds=(), exact_duplicates="all"
    )
    columns = ("gross_amount", "discount_amount", "line_count", "order_count")
    found = values(ledger(spark, *lines, settings=wide), *columns)
    assert found == [(Decimal(40), Decimal(7), 4, 1)]


def test_a_line_without_money_is_a_purchase_where_samples_are_and_it_is_one(
    spark: SparkSession,
) -> None:
    lines = [
        Line("7", "A1", 1, day=1, kind="sample", price=0),
        Line("7", "A2", 1, day=2, kind="sample", price=0),
        Line("7", "A2", 1, day=2),
        Line("7", "A3", 1, day=3, price=0),
        Line("7", "A4", 1, day=4, kind="fee", price=0),
    ]
    wide = LedgerSettings(purchase_kinds=(LineKind.SALE, LineKind.SAMPLE, LineKind.FEE))
    columns = ("purchase_date", "order_count", "line_count", "gross_amount")

    plain = values(ledger(spark, *lines), *columns)
    free = values(ledger(spark, *lines, settings=wide), *columns)

    assert [row for row in plain if row[1]] == [(day(2), 1, 1, 10)]
    assert [row for row in free if row[1]] == [(day(1), 1, 1, 0), (day(2), 1, 2, 10)]


def test_a_cancelled_order_counts_for_nothing(
    spark: SparkSession, found: dict[Matching, list[Row]]
) -> None:
    rows = [
        tuple({**row.asDict(), "customer_id": matching}.values())
        for matching in MATCHINGS
        for row in of_history(found[matching], CANCELLED)
    ]
    days = spark.createDataFrame(rows, CUSTOMER_DAYS.schema)
    summaries = customer_summaries(days, settings=FeatureSettings(), as_of=day(20))
    columns = ("customer_id", "exclusion_reason", "gross_amount", "net_amount")
    assert values(summaries, *columns) == [
        (matching, "every purchase was undone", Decimal(161990), Decimal(0))
        for matching in sorted(MATCHINGS)
    ]


def net_money(lines: Iterable[Line]) -> dict[str | None, Units]:
    net: dict[str | None, Units] = defaultdict(int)
    for line in lines:
        net[line.customer] += line.units * line.price
    return net


def ledger_money(rows: Iterable[Row]) -> dict[str | None, Units]:
    net: dict[str | None, Units] = defaultdict(int)
    for row in rows:
        net[row["customer_id"]] += row["gross_amount"] - row["returned_amount"]
    return net


@in_either_order
def test_netting_moves_money_between_days_and_never_changes_it(
    found: dict[Matching, list[Row]], matching: Matching
) -> None:
    assert ledger_money(of_random_histories(found[matching])) == net_money(HISTORIES)


@in_either_order
@drawing(max_examples=2, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(lines=drawn_histories(customers=50))
def test_nor_where_units_are_fractions(
    spark: SparkSession, matching: Matching, lines: list[Line]
) -> None:
    days = ledger(spark, *lines, settings=LedgerSettings(return_matching=matching))
    assert ledger_money(days.collect()) == net_money(lines)


def test_the_money_counted_is_that_of_purchases_and_of_returns(spark: SparkSession) -> None:
    lines = [
        Line("7", "A1", 3, day=1, copies=2),
        Line("7", "R1", -1, day=2),
        Line("7", "A2", 5, day=2, kind="fee"),
        Line(None, "A3", 5, day=2),
    ]
    sums = ("gross_amount", "returned_amount")
    counted = {
        copies: values(
            counted_money(
                ledger_lines(
                    transactions(spark, lines), settings=LedgerSettings(exact_duplicates=copies)
                )
            ),
            *sums,
        )
        for copies in ("once", "all")
    }
    assert counted == {"once": [(Decimal(30), Decimal(10))], "all": [(Decimal(60), Decimal(10))]}
    nothing = counted_money(ledger_lines(transactions(spark, []), settings=LedgerSettings()))
    assert values(nothing, *sums) == [(Decimal(0), Decimal(0))]


def test_the_money_counted_of_all_customers_may_be_more_than_64_bits_hold(
    spark: SparkSession,
) -> None:
    great = 90_000_000_000_000
    lines = [
        *(Line(who, "A1", 1, day=1, money=great, copies=6) for who in ("7", "8")),
        *(Line(who, "R1", -1, day=2, money=-great, copies=6) for who in ("7", "8")),
    ]
    own = ledger_lines(transactions(spark, lines), settings=LedgerSettings(exact_duplicates="all"))
    expected = Decimal(12 * great)
    assert expected * 10_000 > 2**63
    sums = ("gross_amount", "returned_amount")
    assert values(counted_money(own), *sums) == [(expected, expected)]


def test_matches_that_were_written_are_used_as_they_are(
    spark: SparkSession, found: dict[Matching, list[Row]]
) -> None:
    lines = transactions(spark, HISTORIES)
    nearest = LedgerSettings(return_matching="nearest")
    written = return_matches(ledger_lines(lines, settings=nearest), ledger_id="ledger-1")
    # Settings that would match otherwise, to see whose matches count.
    days = customer_days(
        ledger_lines(lines, settings=LedgerSettings()), ledger_id="ledger-1", matches=written
    )
    assert set(days.collect()) == set(of_random_histories(found["nearest"]))


def test_the_ledger_of_some_customers_is_that_part_of_the_ledger_of_all(
    spark: SparkSession, found: dict[Matching, list[Row]]
) -> None:
    some = {f"c{number}" for number in range(0, 40, 2)}
    days = ledger(spark, *(line for line in HISTORIES if line.customer in some))
    assert set(days.collect()) == {row for row in found["oldest"] if row["customer_id"] in some}


@pytest.mark.parametrize(
    "copies", [pytest.param(2, id="beyond the column"), pytest.param(100, id="beyond 64 bits")]
)
def test_money_of_a_day_that_is_too_large_is_told_in_one_sentence(
    spark: SparkSession, copies: int
) -> None:
    great = Line("7", "A1", 1, day=1, money=90_000_000_000_000, copies=copies)
    beyond = "numbers grow beyond what their columns hold"
    sentence = f"^summing: {beyond}: correct what they are worked out from, the amounts$"
    with (
        pytest.raises(StageError, match=sentence),
        overflow_of("the amounts"),
        engine_sentences("summing", error=StageError),
    ):
        ledger(spark, great, settings=LedgerSettings(exact_duplicates="all")).collect()
