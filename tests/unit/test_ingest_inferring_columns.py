"""Columns whose names do not tell what they hold are mapped by their content."""

from pathlib import Path

import pytest

from segspark.ingest.inferring.profiles import Choice
from tests.inferring import choice, columns, inferred, lines

QUANTITIES = (1, 2, 3, 5)
HEADER = "customer,date,sku,qty,price"


def priced(money: str) -> str:
    """Two products in several quantities; the column `price` is of a unit or of the line."""
    prices = {"A-1": 2.5, "B-1": 4.0}
    rows = [
        (f"c{n}", "2022-01-31", sku, n, each if money == "unit" else each * n)
        for sku, each in prices.items()
        for n in QUANTITIES
    ]
    return lines(*rows, header=HEADER)


@pytest.mark.parametrize(("money", "target"), [("unit", "unit_price"), ("line", "line_amount")])
def test_an_ambiguous_price_is_settled_by_how_it_grows(
    tmp_path: Path, money: str, target: str
) -> None:
    found = choice(inferred(tmp_path, priced(money)), "columns", target)
    assert found.value == "price"
    assert found.is_certain
    assert "with a product's quantity" in found.reason


def test_an_ambiguous_price_without_evidence_is_to_be_checked(tmp_path: Path) -> None:
    found = inferred(tmp_path, lines(("c1", "2022-01-31", "A", 1, 2.5), header=HEADER))
    assert choice(found, "columns", "unit_price") == Choice(
        "price", "by its name only; it could be the money of the line", is_certain=False
    )


def test_an_amount_that_is_the_whole_orders_is_not_the_lines(tmp_path: Path) -> None:
    rows = [("c1", "2022-01-31", "o1", 2, 3.0, 11.0), ("c1", "2022-01-31", "o1", 1, 5.0, 11.0)]
    found = inferred(
        tmp_path, lines(*rows, header="customer,date,order,qty,unit price,total amount")
    )
    assert choice(found, "columns", "unit_price").value == "unit price"
    assert "is the order's" in choice(found, "columns", "unit_price").reason


def test_an_amount_that_is_not_quantity_times_price_is_to_be_checked(tmp_path: Path) -> None:
    rows = [("c1", "2022-01-31", 2, 3.0, 5.5), ("c2", "2022-01-31", 3, 5.0, 12.0)]
    found = inferred(tmp_path, lines(*rows, header="customer,date,qty,unit price,line total"))
    amount = choice(found, "columns", "line_amount")
    assert (amount.value, amount.is_certain) == ("line total", False)


def test_a_discount_that_is_a_share_is_not_money(tmp_path: Path) -> None:
    rows = [("c1", "2022-01-31", 5.5, 0.2, 1.1), ("c2", "2022-01-31", 12.0, 0, 0)]
    header = "customer,date,line total,discount,discount amount"
    assert columns(inferred(tmp_path, lines(*rows, header=header)))["discounts"] == [
        "discount amount"
    ]


def test_a_name_whose_content_is_something_else_is_not_believed(tmp_path: Path) -> None:
    rows = [("c1", "soon", 5.5), ("c2", "later", 7.5)]
    found = inferred(tmp_path, lines(*rows, header="customer,order date,amount"))
    assert set(found.missing) == {"transaction_at"}


def test_a_longer_name_that_holds_a_usual_one_is_to_be_checked(tmp_path: Path) -> None:
    rows = [("c1", "2022-01-31", 5.5), ("c2", "2022-02-01", 7.5)]
    found = inferred(tmp_path, lines(*rows, header="hashed customer id v2,order date local,amount"))
    for target in ("customer_id", "transaction_at"):
        assert not choice(found, "columns", target).is_certain
        assert choice(found, "columns", target).reason.startswith("its name holds")


def test_customers_without_a_usual_name_are_found_by_content(tmp_path: Path) -> None:
    rows = [(f"k{n % 3}", f"o{n}", "2022-01-31", n + 0.5) for n in range(9)]
    rows += [(f"k{n % 3}", f"o{n}", "2022-01-31", 1.5) for n in range(9)]
    found = inferred(tmp_path, lines(*rows, header="whom,order_id,order_date,amount"))
    customer = choice(found, "columns", "customer_id")
    assert (customer.value, customer.is_certain) == ("whom", False)


def test_a_file_without_a_header_is_mapped_by_content(tmp_path: Path) -> None:
    orders = [
        ("536365", "17850", "2010-12-01 08:26:00", "United Kingdom", ("85123A", "71053A")),
        ("536366", "17850", "2010-12-02 08:28:00", "United Kingdom", ("22633B", "71053A")),
        ("536367", "13047", "2010-12-02 08:34:00", "France", ("85123A", "22633B")),
        ("536368", "13047", "2010-12-03 09:34:00", "France", ("85123A", "22745C")),
        ("536369", "12583", "2010-12-04 10:34:00", "Germany", ("22633B", "22745C")),
    ]
    names = {"85123A": "HANGING HEART", "71053A": "METAL LANTERN", "22633B": "HAND WARMER",
             "22745C": "POPPY PLAYHOUSE"}  # fmt: skip
    rows = [
        f"{order},{code},{names[code]},{2 + len(order) % 3 + i},{at},{1.5 + i},{who},{country}"
        for order, who, at, country, codes in orders
        for i, code in enumerate(codes)
    ]
    found = inferred(tmp_path, "\n".join([*rows, ""]))
    own = [
        "order_id", "product_id", "description", "quantity", "transaction_at", "line_amount",
        "customer_id", "country",
    ]  # fmt: skip
    assert choice(found, "format", "header").value is False
    assert choice(found, "format", "column_names").value == own
    assert columns(found) == {name: name for name in own}


def test_without_a_header_customers_of_several_days_are_no_orders(tmp_path: Path) -> None:
    rows = [(f"0{n % 5}7", f"2022010{1 + n % 3}", 1 + n % 2, 1.5 + n) for n in range(12)]
    found = columns(inferred(tmp_path, "\n".join(",".join(map(str, row)) for row in rows) + "\n"))
    assert "order_id" not in found
    assert found["customer_id"] == "customer_id"
