"""What customers prefer, against plain loops over the lines and the formulas of the paper."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from math import log, sqrt
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from scipy import stats

from segspark.features.categories import category_orders, customer_categories, product_categories
from segspark.features.lines import ledger_lines
from segspark.features.preferences import basket_products, customer_preferences
from segspark.features.returns import return_matches
from segspark.settings.behaviour import CategorySettings
from segspark.settings.features import LedgerSettings
from tests.builders import table
from tests.histories import Line, day, pieces, random_histories, transactions
from tests.purchases import checked, parsed, values

PRODUCTS = (
    "product_id string, line_id string, batch_number long, category_levels array<string>, "
    "attributes map<string,string>"
)
CATEGORIES = {"mug": "drinking", "cup": "drinking", "pan": "cooking", "pot": "cooking"}
OTHERS = {("mug", 7): "pan", ("cup", 7): "tea"}
WEIGHT = 4.0


def varied(lines: Sequence[Line]) -> list[Line]:
    """The lines with more products, and some without any."""
    return [
        replace(line, product=OTHERS.get((str(line.product), line.price), line.product))
        if line.number % 9
        else replace(line, product=None)
        for line in lines
    ]


HISTORIES = varied(random_histories(40, seed=31))
TOLD = [
    *HISTORIES,
    Line(None, "A1", 3, day=1, number=900_001),
    Line("fan", "A1", 1, day=1, product="pot", number=900_002),
    Line("fan", "A2", 1, day=2, product="pan", number=900_003),
    Line("fan", "A2", 1, day=2, product="mug", number=900_004),
    Line("giver", "A1", 1, day=1, product="tea", number=900_005),
    Line("giver", "A1", 1, day=1, product="pan", number=900_006),
    Line("giver", "R1", -1, day=3, product="pan", number=900_007),
]


@pytest.fixture(scope="module")
def made(spark: SparkSession) -> DataFrame:
    """Lines, matches and categories of all histories, worked out once."""
    rows = transactions(spark, TOLD).persist()
    rows.count()
    return rows


def orders(lines: DataFrame, spark: SparkSession, *, as_of: int, is_net: bool = True) -> DataFrame:
    categories = table(spark, "product_id string, category string", *CATEGORIES.items())
    settings = LedgerSettings()
    own = ledger_lines(lines, settings=settings)
    matches = return_matches(own, ledger_id="ledger-1") if is_net else None
    return category_orders(lines, matches, categories, settings=settings, as_of=day(as_of))


def expected_orders(as_of: int, *, is_net: bool = True) -> dict[tuple[str, str], tuple[int, int]]:
    """Orders and spend by customer and category, line by line."""
    left: Counter[tuple[str, str, str]] = Counter()
    spend: dict[tuple[str, str], int] = defaultdict(int)
    known = [line for line in TOLD if line.customer and line.day <= as_of]
    by_number = {line.number: line for line in known}
    for line in known:
        if line.units < 0 and not is_net:
            continue
        category = CATEGORIES.get(str(line.product), "unknown")
        spend[str(line.customer), category] += int(line.units) * line.price
        if line.units > 0:
            left[str(line.customer), line.order, category] += int(line.units)
    for who in {str(line.customer) for line in known} if is_net else ():
        mine = [line for line in known if line.customer == who and line.product]
        for piece in pieces(mine):
            category = CATEGORIES.get(str(by_number[piece.purchase_number].product), "unknown")
            left[who, piece.order, category] -= int(piece.units)
    counts = Counter((who, category) for (who, _, category), units in left.items() if units)
    keys = {*counts, *(key for key, money in spend.items() if money)}
    return {key: (counts[key], spend[key]) for key in keys}


@pytest.mark.parametrize(("as_of", "is_net"), [(9, True), (20, True), (20, False)])
def test_orders_and_spend_are_those_of_the_lines_known_on_the_day(
    spark: SparkSession, made: DataFrame, as_of: int, *, is_net: bool
) -> None:
    found = orders(made, spark, as_of=as_of, is_net=is_net).collect()
    assert {
        (row["customer_id"], row["category"]): (row["orders"], int(row["spend"])) for row in found
    } == expected_orders(as_of, is_net=is_net)


def expected_affinity(
    counts: dict[tuple[str, str], int], who: str, category: str
) -> tuple[float, float]:
    """Monroe, Colaresi and Quinn's equations, of one customer against all others."""
    total = sum(counts.values())
    sold = sum(n for (_, c), n in counts.items() if c == category)
    prior = WEIGHT * sold / total
    mine, own = counts[who, category], sum(n for (w, _), n in counts.items() if w == who)
    theirs, others = sold - mine, total - own
    delta = log((mine + prior) / (own + WEIGHT - mine - prior)) - log(
        (theirs + prior) / (others + WEIGHT - theirs - prior)
    )
    return delta, delta / sqrt(1 / (mine + prior) + 1 / (theirs + prior))


def test_affinities_favourites_and_their_confidence_are_those_of_the_formulas(
    spark: SparkSession, made: DataFrame
) -> None:
    settings = CategorySettings(prior_weight=WEIGHT)
    rows = customer_categories(
        orders(made, spark, as_of=20).repartition(5), settings=settings, snapshot_id="s"
    ).collect()
    written = spark.createDataFrame(rows).repartition(3)
    baskets = basket_products(made, settings=LedgerSettings(), as_of=day(20))
    summed = customer_preferences(written, baskets, settings=settings, snapshot_id="s").collect()

    truth = expected_orders(20)
    counts = {key: n for key, (n, _) in truth.items()}
    of_customer: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        key = row["customer_id"], row["category"]
        delta, z = expected_affinity(counts, *key)
        assert (row["affinity_log_odds"], row["affinity_z_score"]) == (
            pytest.approx(delta), pytest.approx(z),
        )  # fmt: skip
        of_customer[key[0]].append(row)
    assert {row["customer_id"] for row in summed} == set(of_customer)
    for row in summed:
        mine = {c: truth[w, c] for w, c in truth if w == row["customer_id"]}
        ranked = sorted((-n, -money, c) for c, (n, money) in mine.items() if n and c != "unknown")
        favourite = ranked[0][2] if ranked else None
        assert row["favourite_category"] == favourite
        assert [r["category"] for r in of_customer[row["customer_id"]] if r["is_favourite"]] == (
            [favourite] if favourite else []
        )
        assert row["category_count"] == len(ranked)
        assert row["average_basket_products"] == mean_products(row["customer_id"], as_of=20)
        assert row["favourite_confidence_ratio"] == confidence(
            counts, row["customer_id"], favourite
        )
        total = sum(n for n, _ in mine.values())
        entropy = float(stats.entropy([n for n, _ in mine.values()])) / log(3) if total else 0
        assert row["concentration_ratio"] == (pytest.approx(1 - entropy) if total else None)


def mean_products(who: str, *, as_of: int) -> object:
    """Different products per order of a customer, order by order."""
    products: dict[str, set[str | None]] = defaultdict(set)
    for line in TOLD:
        if line.customer == who and line.units > 0 and line.day <= as_of:
            products[line.order].add(line.product)
    sizes = [len(each - {None}) for each in products.values()]
    return pytest.approx(sum(sizes) / len(sizes)) if sizes else None


def test_products_of_a_basket_are_those_of_the_purchases_known_on_the_day(made: DataFrame) -> None:
    found = basket_products(made, settings=LedgerSettings(), as_of=day(9)).collect()
    assert {row["customer_id"]: row["average_basket_products"] for row in found} == {
        who: mean
        for who in {str(line.customer) for line in TOLD if line.customer}
        if (mean := mean_products(who, as_of=9)) is not None
    }


def confidence(counts: dict[tuple[str, str], int], who: str, favourite: str | None) -> object:
    if favourite is None:
        return None
    total = sum(counts.values())
    posterior = {
        category: counts.get((who, category), 0)
        + WEIGHT * sum(n for (_, c), n in counts.items() if c == category) / total
        for category in {c for _, c in counts}
    }
    first = posterior.pop(favourite)
    return pytest.approx(stats.beta.sf(0.5, first, max(posterior.values())))


def test_log_odds_worked_by_hand(spark: SparkSession) -> None:
    # Of four orders three are of A: a prior of 4 is 3 of A and 1 of B.
    rows = table(
        spark, "customer_id string, category string, orders long, spend decimal(28,4)",
        ("x", "A", 1, Decimal(1)), ("x", "B", 1, Decimal(5)), ("y", "A", 2, Decimal(2)),
    )  # fmt: skip
    settings = CategorySettings(prior_weight=WEIGHT)
    found = customer_categories(rows, settings=settings, snapshot_id="s")
    columns = ("customer_id", "category", "order_ratio", "is_favourite", "affinity_log_odds")
    assert values(found, *columns) == [
        ("x", "A", 0.5, False, pytest.approx(log(4 / 2) - log(5 / 1))),
        ("x", "B", 0.5, True, pytest.approx(log(2 / 4) - log(1 / 5))),
        ("y", "A", 1.0, True, pytest.approx(log(5 / 1) - log(4 / 2))),
    ]


def test_a_product_is_what_the_batch_taken_in_last_says(spark: SparkSession) -> None:
    products = table(
        spark, PRODUCTS,
        ("mug", "z", 1, ["old"], {"line": "x"}), ("mug", "a", 3, ["new", None], {}),
        ("mug", "b", 2, ["older"], {}), ("pan", "a", 1, ["cooking", "iron"], {"line": "pro"}),
        ("pan", "b", 1, ["baking", "tin"], {"line": "home"}), ("pot", "a", 1, [], {}),
    )  # fmt: skip
    found = {
        name: values(
            product_categories(products, settings=CategorySettings.model_validate(wanted)),
            "product_id", "category",
        )
        for name, wanted in (("1", {}), ("2", {"level": 2}), ("line", {"attribute": "line"}))
    }  # fmt: skip
    assert found == {
        "1": [("mug", "new"), ("pan", "baking"), ("pot", None)],
        "2": [("mug", None), ("pan", "tin"), ("pot", None)],
        "line": [("mug", None), ("pan", "home"), ("pot", None)],
    }


def test_a_column_of_the_lines_is_the_category_where_their_file_is_a_source_of_products(
    spark: SparkSession,
) -> None:
    document = {
        "entity": "products",
        "location": "lines.csv",
        "format": {"kind": "csv"},
        "columns": {"product_id": "what", "category_levels": ["group"]},
    }
    lines = table(
        spark, "who string, what string, group string",
        ("7", "mug", "drinking"), ("8", "mug", "drinking"), ("8", "pan", "cooking"),
    )  # fmt: skip
    products = parsed(lines, checked(document)).withColumn("batch_number", F.lit(1))
    found = product_categories(products, settings=CategorySettings())
    assert values(found, "product_id", "category") == [("mug", "drinking"), ("pan", "cooking")]


def test_without_products_the_code_is_the_category(spark: SparkSession) -> None:
    lines = transactions(
        spark, [Line("7", "A1", 1, day=1), Line("7", "A2", 1, day=1, product=None)]
    )
    found = category_orders(lines, None, None, settings=LedgerSettings(), as_of=day(1))
    assert values(found, "category", "orders") == [("mug", 1), ("unknown", 1)]
