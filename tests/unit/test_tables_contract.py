import pytest
from pyspark.sql import types as T

from segspark.tables.catalogue import ALL_TABLES
from segspark.tables.contract import Column, TableContract

VISITS = TableContract(
    name="visits",
    meaning="One visit.",
    grain=("visit_id",),
    columns=(
        Column("visit_id", T.StringType(), "The visit."),
        Column("customer_id", T.StringType(), "Who came.", personal=True),
        Column("spend_amount", T.DecimalType(18, 4), "Money.", nullable=True),
        Column("reasons", T.ArrayType(T.StringType()), "Why."),
        Column("is_first", T.BooleanType(), "Whether it was the first."),
    ),
)


def schema(**changes: T.DataType) -> T.StructType:
    """The contract's own schema with some columns of another type."""
    return T.StructType(
        [T.StructField(c.name, changes.get(c.name, c.dtype)) for c in VISITS.columns]
    )


def test_a_table_as_the_contract_says_has_no_differences() -> None:
    assert VISITS.differences(VISITS.schema) == []


def test_all_differences_are_listed_at_once_each_with_what_should_be_and_is() -> None:
    actual = T.StructType(
        [f for f in schema(spend_amount=T.DoubleType()) if f.name not in {"visit_id", "is_first"}]
    )

    assert VISITS.differences(actual) == [
        "visit_id should be string and is missing",
        "spend_amount should be decimal(18,4) and is double",
        "is_first should be boolean and is missing",
    ]


def test_another_precision_of_money_is_a_difference() -> None:
    assert VISITS.differences(schema(spend_amount=T.DecimalType(18, 2))) == [
        "spend_amount should be decimal(18,4) and is decimal(18,2)"
    ]


def test_another_element_type_is_a_difference_and_another_null_rule_within_is_none() -> None:
    numbers = T.ArrayType(T.LongType())
    never_null = T.ArrayType(T.StringType(), containsNull=False)

    assert VISITS.differences(schema(reasons=numbers)) == [
        "reasons should be array<string> and is array<bigint>"
    ]
    assert VISITS.differences(schema(reasons=never_null)) == []


def test_extra_columns_and_another_order_are_no_differences() -> None:
    backwards = list(reversed(VISITS.schema.fields))
    extra = T.StructField("weather", T.StringType())

    assert VISITS.differences(T.StructType([extra, *backwards])) == []


def test_statistics_are_kept_of_columns_that_are_neither_personal_nor_nested_nor_flags() -> None:
    assert VISITS.statistics_columns == ("visit_id", "spend_amount")


@pytest.mark.parametrize("contract", ALL_TABLES, ids=lambda contract: contract.name)
def test_every_table_keeps_its_promises_to_readers(contract: TableContract) -> None:
    names = [column.name for column in contract.columns]

    assert len(set(names)) == len(names)
    assert set(contract.grain) <= set(names)
    assert all(column.comment for column in contract.columns)
    assert not set(contract.statistics_columns) & {"customer_id", "raw_row"}


def test_every_customer_id_is_personal() -> None:
    ids = [c for table in ALL_TABLES for c in table.columns if c.name == "customer_id"]

    assert len(ids) >= 8
    assert all(column.personal for column in ids)
