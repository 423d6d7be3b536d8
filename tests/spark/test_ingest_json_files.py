"""JSON lines are read with their exact texts, and what is no object keeps its line."""

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from segspark.errors import IngestError
from segspark.ingest.parsing.rows import parse_rows
from segspark.ingest.reading.raw import ADDED, MALFORMED, RAW_ROW
from tests.readables import COLUMNS, file_source, only_frame, rows

GOOD = '{"who":"7","at":"x","paid":1.10}'


def read_lines(
    spark: SparkSession,
    folder: Path,
    *lines: str,
    names: tuple[str, ...] = ("paid", MALFORMED),
    columns: dict[str, object] | None = None,
) -> list[tuple[object, ...]]:
    (folder / "a.json").write_text("\n".join(lines), encoding="utf-8")
    source = file_source(folder / "a.json", "json", columns={**COLUMNS, **(columns or {})})
    return rows(only_frame(spark, source, folder / "staging"), *names)


@pytest.mark.parametrize(
    "number",
    ["1.10", "1234567890123456789012345678901234567890", "0.1000000000000000055511151231257827",
     "1E5", "-0", "-1.50e-3", "NaN"],
)  # fmt: skip
def test_numbers_keep_their_digits(spark: SparkSession, tmp_path: Path, number: str) -> None:
    line = f'{{"who": "7, 8", "at" : "1.10: 2, \\"3\\\\", "paid" : {number} }}'
    found = read_lines(spark, tmp_path, line, names=("who", "at", "paid", MALFORMED))
    assert found == [("7, 8", '1.10: 2, "3\\', number, None)]


def test_other_values_become_their_texts(spark: SparkSession, tmp_path: Path) -> None:
    line = '{"who":true,"at":null,"paid":"","list":[1.10,"x"],"object":{"a":2.50}}'
    assert read_lines(spark, tmp_path, line, names=("who", "at", "paid", "list", "object")) == [
        ("true", None, "", '["1.10","x"]', '{"a":"2.50"}')
    ]


@pytest.mark.parametrize(
    "line",
    ["no json", "7", "null", '"text"', f"[{GOOD}]", GOOD[:-1], f"{GOOD} more", f"{GOOD},",
     f"{GOOD}{GOOD}", f"{GOOD}]", "{'who':1}", '{"who":01}', '{"who":1 2}'],
)  # fmt: skip
def test_a_line_that_is_no_object_keeps_its_text(
    spark: SparkSession, tmp_path: Path, line: str
) -> None:
    found = read_lines(spark, tmp_path, line, GOOD, names=("who", MALFORMED, RAW_ROW))
    assert sorted(found, key=str) == sorted([("7", None, GOOD), (None, line, line)], key=str)


def test_the_raw_row_is_the_line_and_blank_lines_are_none(
    spark: SparkSession, tmp_path: Path
) -> None:
    lines = [GOOD, "", "  \t", f" {GOOD} \r"]
    found = read_lines(spark, tmp_path, *lines, names=("paid", RAW_ROW, MALFORMED))
    assert found == [("1.10", f" {GOOD} ", None), ("1.10", GOOD, None)]


def test_keys_of_all_lines_are_columns_and_mapped_ones_without_any(
    spark: SparkSession, tmp_path: Path
) -> None:
    for name, line in (("a", GOOD), ("b", '{"who":"8","at":"x","paid":2,"new":3,"":4}')):
        (tmp_path / f"{name}.json").write_text(line, encoding="utf-8")
    source = file_source(tmp_path, "json", columns={**COLUMNS, "country": "land"})
    raw = only_frame(spark, source, tmp_path / "staging")
    assert raw.columns == ["who", "at", "paid", "new", "land", *ADDED]
    assert rows(raw, "who", "new", "land") == [("7", None, None), ("8", "3", None)]


def test_a_mapped_name_leads_into_nested_objects(spark: SparkSession, tmp_path: Path) -> None:
    found = read_lines(
        spark,
        tmp_path,
        '{"who":{"id":7.10,"at":{"home":"é \\"x\\""}},"at":"x","paid":1}',
        '{"who":{"id":"8"},"at":"x","paid":1}',
        '{"who":"text","at":"x","paid":1}',
        '{"who.id":"flat","who":{"id":"9"},"at":"x","paid":1}',
        names=("who.id", "who.at.home", MALFORMED),
        columns={"customer_id": "who.id", "country": "who.at.home"},
    )
    assert found == [
        ("7.10", 'é "x"', None), ("8", None, None), ("flat", None, None), (None, None, None),
    ]  # fmt: skip


def test_keys_that_differ_by_case_only_leave_the_mapped_one(
    spark: SparkSession, tmp_path: Path
) -> None:
    line = '{"Who":"not this","who":"7","at":"x","PAID":9,"paid":1,"a":1,"A":2}'
    assert read_lines(spark, tmp_path, line, names=("who", "paid", "a")) == [("7", "1", "1")]


@pytest.mark.parametrize(
    ("encoding", "codec"),
    [("UTF-8", "utf-8-sig"), ("ISO-8859-1", "latin-1"), ("windows-1252", "cp1252"),
     ("UTF-16", "utf-16"), ("UTF-16", "utf-16-be")],
)  # fmt: skip
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_file_is_read_in_its_encoding(
    spark: SparkSession, tmp_path: Path, encoding: str, codec: str, ends: str
) -> None:
    text = f'{{"who":"é","at":"x","paid":1,"größe":"ß"}}{ends}' * 2
    mark = "\ufeff" if codec == "utf-16-be" else ""
    (tmp_path / "a.json").write_bytes((mark + text).encode(codec))
    source = file_source(tmp_path / "a.json", {"kind": "json", "encoding": encoding})
    raw = only_frame(spark, source, tmp_path / "staging")
    assert rows(raw, "who", "größe", MALFORMED) == [("é", "ß", None)] * 2


def test_what_no_row_can_be_known_without_must_be_found(
    spark: SparkSession, tmp_path: Path
) -> None:
    with pytest.raises(IngestError) as caught:
        read_lines(spark, tmp_path, GOOD, columns={"customer_id": "customer.id"})
    assert str(caught.value) == (
        "source shop: a.json: there is no column customer.id; there are who, at, paid: correct "
        "sources.shop.columns or the file"
    )


def test_a_row_with_a_key_that_stands_twice_is_refused(spark: SparkSession, tmp_path: Path) -> None:
    twice = {
        GOOD: None,
        '{"who":"7","at":"x","paid":1,"Paid":2}': None,
        '{"who":"7","at":"x","paid":1,"more":[{"paid":2},{"paid":3}]}': None,
        '{"who":"paid","at":"paid","paid":"paid"}': None,
        '{"who":{"other":{"id":7,"id":8}},"at":"x","paid":1}': None,
        '{"who":"7","at":"x","paid":1,"paid":2}': "the key paid",
        '{"paid":1,"who":"7","at":"x","p\\u0061id":1}': "the key paid",
        '{"who":"7","at":"x","paid":1,"a b\'":null,"a b\'":null}': "a key",
        '{"who":"7","at":"x","paid":NaN,"paid":2}': "the key paid",
        '{"who":"7","at":"a\tb","paid":1,"paid":2}': "the key paid",
        '{"who":{"id":7,"id":8},"at":"x","paid":1}': "the key id",
        '{"who":{"in":{"id":7,"id":8}},"at":"x","paid":1}': "the key id",
    }
    (tmp_path / "a.json").write_text("\n".join(twice), encoding="utf-8")
    columns = {**COLUMNS, "order_id": "who.in.id"}
    source = file_source(tmp_path / "a.json", "json", columns=columns)
    raw = only_frame(spark, source, tmp_path / "staging")
    # Each has a stamp that is none, so that it is refused and keeps its line.
    found = parse_rows(raw, name="shop", source=source, currency="EUR")
    told = {line: reasons[0] for line, reasons in rows(found, "raw_row", "reasons")}
    stamp = "transaction_at: not a date or time"
    assert told == {
        line: f"row: {key} stands twice" if key else stamp for line, key in twice.items()
    }
