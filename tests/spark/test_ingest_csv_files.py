"""Delimited files are read as they are: encodings, line ends, quotes, headers, broken lines."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from segspark.errors import IngestError
from segspark.ingest.reading.raw import ADDED, FILE_NAME, MALFORMED
from tests.readables import COLUMNS, file_source, only_frame, rows

HEADER = "who,at,paid"
LINE = "7,2011-03-01,1.50"


def read_text(
    spark: SparkSession,
    folder: Path,
    text: str,
    names: Sequence[str] = ("who", "paid"),
    encoding: str = "utf-8",
    **options: object,
) -> list[tuple[object, ...]]:
    """The columns `names` of a file with this text, read with these options of the format."""
    (folder / "a.csv").write_bytes(text.encode(encoding))
    source = file_source(folder / "a.csv", {"kind": "csv", **options})
    return rows(only_frame(spark, source, folder / "staging"), *names)


def refusal(spark: SparkSession, folder: Path, text: str, **changed: object) -> str:
    (folder / "a.csv").write_text(text, encoding="utf-8")
    source = file_source(folder / "a.csv", "csv", **changed)
    with pytest.raises(IngestError) as caught:
        only_frame(spark, source, folder / "staging")
    return str(caught.value)


def test_a_line_without_the_files_columns_keeps_its_text_even_if_few_columns_are_asked_for(
    spark: SparkSession, tmp_path: Path
) -> None:
    text = f"{HEADER}\n{LINE}\n8,2011-03-01\n{LINE},more\n,,\n\n"
    assert read_text(spark, tmp_path, text, ["who", MALFORMED]) == [
        ("7", "7,2011-03-01,1.50,more"),
        ("7", None),
        ("8", "8,2011-03-01"),
        (None, None),
    ]


def test_quoted_fields_may_hold_delimiters_and_quotes(spark: SparkSession, tmp_path: Path) -> None:
    text = f'{HEADER}\n"a ""big"", one",x,1.50\n'
    assert read_text(spark, tmp_path, text) == [('a "big", one', "1.50")]


def test_a_backslash_may_escape_quotes_in_the_header_too(
    spark: SparkSession, tmp_path: Path
) -> None:
    text = 'who,at,paid,"a \\"b\\", c"\n7,x,1,"d \\"e\\", f"\n'
    found = read_text(spark, tmp_path, text, ["who", 'a "b", c'], escape="\\")
    assert found == [("7", 'd "e", f')]


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_fields_hold_line_breaks_where_that_is_asked_for(
    spark: SparkSession, tmp_path: Path, ends: str
) -> None:
    text = ends.join([HEADER, f'"two{ends}lines",x,1.50', ""])
    assert read_text(spark, tmp_path, text, multiline=True) == [("two\nlines", "1.50")]


@pytest.mark.parametrize(
    ("delimiter", "text"), [(";", ";"), ("\\t", "\t"), ("\t", "\t"), ("||", "||"), ("|", "|")]
)
def test_a_delimiter_may_be_any(
    spark: SparkSession, tmp_path: Path, delimiter: str, text: str
) -> None:
    content = f"{HEADER}\n{LINE}\n".replace(",", text)
    assert read_text(spark, tmp_path, content, delimiter=delimiter) == [("7", "1.50")]


def test_quotes_can_be_plain_signs(spark: SparkSession, tmp_path: Path) -> None:
    text = f'{HEADER},12"\n12" mug,x,1.50,1\n'
    assert read_text(spark, tmp_path, text, ["who", "paid", '12"'], quote="") == [
        ('12" mug', "1.50", "1")
    ]


@pytest.mark.parametrize("multiline", [False, True])
@pytest.mark.parametrize(
    ("encoding", "codec"),
    [
        ("UTF-8", "utf-8-sig"),
        ("ISO-8859-1", "latin-1"),
        ("windows-1252", "cp1252"),
        ("UTF-16", "utf-16"),
        ("UTF-16", "utf-16-be"),
    ],
)
def test_a_file_is_read_in_its_encoding(
    spark: SparkSession, tmp_path: Path, encoding: str, codec: str, *, multiline: bool
) -> None:
    mark = "\ufeff" if codec == "utf-16-be" else ""
    text = f"{mark}who,at,paid,größe\r\ncafé,x,1,ß\r\n"
    (tmp_path / "a.csv").write_bytes(text.encode(codec))
    source_format = {"kind": "csv", "encoding": encoding, "multiline": multiline}
    source = file_source(tmp_path / "a.csv", source_format)
    raw = only_frame(spark, source, tmp_path / "staging")
    assert rows(raw, "who", "paid", "größe") == [("café", "1", "ß")]


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("multiline", [False, True])
def test_lines_end_as_they_like(
    spark: SparkSession, tmp_path: Path, ends: str, *, multiline: bool
) -> None:
    text = ends.join([HEADER, LINE, LINE, ""])
    assert read_text(spark, tmp_path, text, multiline=multiline) == [("7", "1.50")] * 2


def test_signs_of_windows_are_read(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(f"{HEADER}\n“café”,x,€ 1\n“,\n".encode("cp1252"))
    source = file_source(tmp_path / "a.csv", {"kind": "csv", "encoding": "windows-1252"})
    raw = only_frame(spark, source, tmp_path / "staging")
    assert rows(raw, "who", "paid", MALFORMED) == [("“", None, "“,"), ("“café”", "€ 1", None)]


def test_a_byte_order_mark_is_no_part_of_a_file_without_header(
    spark: SparkSession, tmp_path: Path
) -> None:
    for multiline in (False, True):
        found = read_text(
            spark, tmp_path, f"{LINE}\n", encoding="utf-8-sig", header=False,
            column_names=HEADER.split(","), multiline=multiline,
        )  # fmt: skip
        assert found == [("7", "1.50")]


def test_names_in_a_header_lose_their_outer_spaces_and_nameless_columns_get_one(
    spark: SparkSession, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text(",who , at,paid,\n0,7,x,1,\n", encoding="utf-8")
    raw = only_frame(spark, file_source(tmp_path / "a.csv", "csv"), tmp_path / "staging")
    assert raw.columns == ["_c0", "who", "at", "paid", "_c4", *ADDED]
    assert rows(raw, "_c0", "who", "paid", "_c4") == [("0", "7", "1", None)]


@pytest.mark.usefixtures("small_splits")
def test_each_files_header_is_skipped_once_and_a_line_like_it_is_kept(
    spark: SparkSession, tmp_path: Path
) -> None:
    for name in ("a", "b", "c"):
        text = f"{HEADER}\n{HEADER}\n" + f"{name},x,1\n" * 2000
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    raw = only_frame(spark, file_source(tmp_path, "csv"), tmp_path / "staging")
    assert raw.rdd.getNumPartitions() > 6
    counts = {(r["who"], r[FILE_NAME]): r["count"]
              for r in raw.groupBy("who", FILE_NAME).count().collect()}  # fmt: skip
    assert counts == {
        (who, f"{name}.csv"): count for name in "abc" for who, count in ((name, 2000), ("who", 1))
    }


def test_a_file_without_a_header_has_the_names_of_the_settings(
    spark: SparkSession, tmp_path: Path
) -> None:
    found = read_text(spark, tmp_path, f"{LINE}\n", header=False, column_names=HEADER.split(","))
    assert found == [("7", "1.50")]


def test_a_missing_mapped_column_is_named_with_its_file_and_those_that_are_there(
    spark: SparkSession, tmp_path: Path
) -> None:
    assert refusal(spark, tmp_path, "who,date,price\n7,x,1\n") == (
        "source shop: a.csv: there is no column at, paid; there are who, date, price: correct "
        "sources.shop.columns or the file"
    )


@pytest.mark.parametrize(("mark", "shown"), [(";", ";"), ("\t", "\\t"), ("|", "|")])
def test_a_header_of_one_column_tells_the_delimiter_it_seems_to_have(
    spark: SparkSession, tmp_path: Path, mark: str, shown: str
) -> None:
    sentence = refusal(spark, tmp_path, f"{HEADER}\n{LINE}\n".replace(",", mark))
    assert f"; it looks delimited by '{shown}': set format.delimiter of the source: " in sentence


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        (f"{HEADER},who", "a.csv: names the column who twice: rename one"),
        (f"{HEADER},Who", "a.csv: names the columns who and Who, which differ by case only"),
        (f"{HEADER},__batch_id", "names the column __batch_id, which segspark adds itself"),
    ],
)
def test_a_header_that_no_frame_can_have_is_refused(
    spark: SparkSession, tmp_path: Path, header: str, sentence: str
) -> None:
    assert sentence in refusal(spark, tmp_path, f"{header}\n7,x,1,2\n")


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_an_empty_file_is_refused_in_a_sentence(
    spark: SparkSession, tmp_path: Path, content: str
) -> None:
    assert refusal(spark, tmp_path, content).startswith("a.csv: is empty")


def test_further_columns_may_come_and_go_but_mapped_ones_may_not(
    spark: SparkSession, tmp_path: Path
) -> None:
    sentence = refusal(
        spark, tmp_path, f"{HEADER}\n{LINE}\n", columns={**COLUMNS, "discounts": ["off"]}
    )
    assert "there is no column off; there are who, at, paid" in sentence
