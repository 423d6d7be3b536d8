"""Which columns a source's settings need."""

from segspark.ingest.reading.mapped_columns import required_columns, wanted_columns
from segspark.settings.sources import Source
from tests.readables import COLUMNS, SOURCES, file_source


def other(entity: str, **columns: object) -> Source:
    plain = {"location": "x.csv", "format": {"kind": "csv"}}
    return SOURCES.validate_python({**plain, "entity": entity, "columns": columns})


def test_every_column_that_a_mapping_names_is_wanted_once() -> None:
    columns = {**COLUMNS, "discounts": ["d1", "d2"], "country": "who"}
    assert wanted_columns(file_source("x", "csv", columns=columns)) == [
        "who", "at", "paid", "d1", "d2",
    ]  # fmt: skip
    customers = other("customers", customer_id="id", consents={"email": "m"}, attributes=["a"])
    assert wanted_columns(customers) == ["id", "m", "a"]
    products = other("products", product_id="id", category_levels=["l1", "l2"], attributes=["a"])
    assert wanted_columns(products) == ["id", "l1", "l2", "a"]


def test_required_are_those_that_no_mapping_can_do_without() -> None:
    assert required_columns(file_source("x", "csv")) == ["who", "at"]
    assert required_columns(other("products", product_id="id", brand="b")) == ["id"]
