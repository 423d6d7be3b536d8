"""Encoding, delimiter, quotes, header and places of unknown text files."""

from pathlib import Path

import pytest

from segspark.errors import IngestError
from segspark.ingest.inferring.lines import text_sample
from segspark.ingest.inferring.profiles import Sample
from segspark.ingest.inferring.text import decode, find_delimiter, has_header

LINES = ("Kunde;Datum;Betrag", "Müller;31.01.2020;12,50", "Ångström;01.02.2020;3,00", "")
TEXT = "\r\n".join(LINES)


def sample(content: str | bytes, *, is_whole: bool = True) -> Sample:
    start = content if isinstance(content, bytes) else content.encode()
    return text_sample(start, is_whole=is_whole, path=Path("x.csv"), notes=())


def form(content: str | bytes) -> dict[str, object]:
    return {key: choice.value for key, choice in sample(content).format.items()}


def names(content: str | bytes) -> list[str]:
    return [column.name for column in sample(content).columns]


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8"),
        ("utf-16", "UTF-16"),
        ("windows-1252", "windows-1252"),
    ],
)
def test_the_encoding_is_found_and_the_text_is_the_same(encoding: str, expected: str) -> None:
    content = TEXT.encode(encoding)
    assert form(content)["encoding"] == expected
    assert sample(content).columns[0].values == ["Müller", "Ångström"]
    assert names(content) == ["Kunde", "Datum", "Betrag"]


def test_both_byte_orders_of_utf_16_are_read_by_their_mark() -> None:
    for mark, name in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        assert decode(mark + TEXT.encode(name), where="x").text == TEXT


def test_utf_16_without_its_mark_is_refused_since_reading_refuses_it_too() -> None:
    with pytest.raises(IngestError, match=r"x\.csv: seems to be UTF-16 without its mark.*UTF-8"):
        sample(TEXT.encode("utf-16-le"))


def test_bytes_that_windows_does_not_define_are_latin_and_doubtful() -> None:
    found = decode(b"a\x81b;\xe4", where="x")
    assert (found.name, found.is_certain) == ("ISO-8859-1", False)


def test_a_character_that_is_cut_at_the_end_of_the_sample_does_not_change_the_encoding() -> None:
    assert decode("ä€".encode()[:-1], where="x").name == "UTF-8"


@pytest.mark.parametrize(
    ("delimiter", "written"), [(",", ","), (";", ";"), ("\t", "\\t"), ("|", "|"), ("^", "^")]
)
def test_the_delimiter_is_the_one_that_splits_all_rows_alike(delimiter: str, written: str) -> None:
    rows = [("id", "what", "price"), ("1", "red, or; so", "2.50"), ("2", "a|b", "3.00")]
    quoted = "\n".join(delimiter.join(f'"{cell}"' for cell in row) for row in rows)
    assert form(quoted)["delimiter"] == written


def test_decimal_commas_do_not_make_a_comma_the_delimiter() -> None:
    assert form("12,50;13,00;14,25\n1,50;1,00;1,25\n")["delimiter"] == ";"


def test_quotes_are_respected_and_line_breaks_within_make_it_multiline() -> None:
    found = form('id,text\n1,"two\nlines, and a ""quote"""\n2,one\n')
    assert found["multiline"] is True
    assert sample('id,text\n1,"a\nb"\n2,c\n').row_count == 2
    assert "multiline" not in form("id,text\n1,a\n2,b\n")


def test_quotes_that_open_no_field_are_left_as_they_are() -> None:
    text = "id,size,price\n" + "".join(f'{n},"{n} inch,{n}.50\n' for n in range(1, 9))
    assert form(text)["quote"] == ""


def test_a_backslash_before_quotes_is_the_escape() -> None:
    text = "id,text,n\n" + "".join(f'{n},"a \\"b, c\\" d",{n}\n' for n in range(9))
    assert form(text)["escape"] == "\\"


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([["Kunde", "Betrag"], ["1", "2"]], True),
        ([["foo", "bar"], ["1", "2.5"], ["2", "3.5"]], True),
        ([["foo", "bar"], ["a", "x"], ["b", "y"]], True),
        ([["1001", "2.5"], ["1002", "3.5"]], False),
        ([["a1", "2020-01-01"], ["a2", "2020-01-02"]], False),
        ([["red", "big"], ["red", "small"]], False),
        ([["email", "country"], ["email", "DE"]], True),
    ],
)
def test_a_header_is_told_by_usual_names_and_by_types(
    rows: list[list[str]], *, expected: bool
) -> None:
    assert has_header(rows) is expected


def test_columns_without_a_name_are_called_as_reading_calls_them() -> None:
    assert names(",CustomerID, Quantity \n0,17850,6\n1,13047,8\n") == [
        "_c0", "CustomerID", "Quantity",
    ]  # fmt: skip


def test_fields_at_fixed_places_are_found_with_room_for_longer_values() -> None:
    text = " 00004 Bob   19970101  2  129.33\n 00021 Alice 19970118 13   29.73\n"
    found = form(text)
    assert found["kind"] == "fixed_width"
    assert found["fields"] == {
        "column_1": [1, 6],
        "column_2": [7, 13],
        "column_3": [14, 21],
        "column_4": [22, 24],
        "column_5": [25, 32],
    }
    assert [c.values[1] for c in sample(text).columns] == [
        "00021", "Alice", "19970118", "13", "29.73",
    ]  # fmt: skip


def test_objects_a_line_are_columns_and_nested_ones_have_dotted_names() -> None:
    found = sample('{"id": 1, "who": {"mail": "a@b"}, "n": null}\n{"id": 2, "paid": true}\n')
    assert {c.name: list(c.values) for c in found.columns} == {
        "id": ["1", "2"], "who.mail": ["a@b", None], "n": [None, None], "paid": [None, "true"],
    }  # fmt: skip


def test_an_array_of_objects_is_refused_with_a_way_to_convert_it() -> None:
    with pytest.raises(IngestError, match=r"not with one object a line.*jq -c '\.\[\]' x\.csv"):
        sample('[\n{"id": 1},\n{"id": 2}\n]\n')


@pytest.mark.parametrize("content", ["<!doctype html><html></html>", "%PDF-1.7"])
def test_what_is_no_table_is_refused(content: str) -> None:
    with pytest.raises(IngestError, match="no table: export it as CSV"):
        sample(content)


def test_a_text_without_columns_is_refused() -> None:
    with pytest.raises(IngestError, match="no delimiter"):
        sample("one\ntwo words here\nthree\n")
    with pytest.raises(IngestError, match="is empty"):
        sample("  \n")


def test_the_last_line_of_a_cut_sample_is_left_out() -> None:
    found = sample("id,price\n1,2.50\n2,3.50\n3,4.", is_whole=False)
    assert found.columns[1].values == ["2.50", "3.50"]
    assert found.start == b"id,price\n1,2.50\n2,3.50\n"
    assert not found.is_whole


def test_rows_with_other_fields_are_counted_and_not_looked_at() -> None:
    rows = "".join(f"{n},{n}.50\n" for n in range(9))
    found = sample(f"id,price\n{rows}a,b,c\n")
    assert found.row_count == 9
    assert found.notes == ("1 of 10 rows looked at have another number of fields",)
    assert find_delimiter("id,price\n1,2\n") is not None
