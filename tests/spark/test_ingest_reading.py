"""Files are read as they are: every row with its file, a broken line with its text."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from segspark.errors import IngestError
from segspark.ingest.files import find_files
from segspark.ingest.lines import refused_lines
from segspark.ingest.parsing import parse_lines
from segspark.ingest.reading import BATCH_ID, FILE_NAME, MALFORMED, read_files
from segspark.settings.sources import SourceSettings
from tests.purchases import HEADER, csv_file, source, values

LINE = "7,2011-03-01 10:00:00,A1,mug,2,1.50"


def read(spark: SparkSession, settings: SourceSettings) -> DataFrame:
    files = find_files("shop", settings)
    return read_files(spark, settings, [(f, f.path, f"id of {f.name}") for f in files], name="shop")


def written(path: Path, content: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(content.encode(encoding))
    return path


def read_csv(spark: SparkSession, path: Path, names: Sequence[str], **options: object) -> list[Any]:
    """The columns `names` of the file, read with these CSV options."""
    return values(read(spark, source(path, format={"kind": "csv", **options})), *names)


def test_each_row_knows_its_file_and_batch_whatever_the_name(
    spark: SparkSession, tmp_path: Path
) -> None:
    names = ["1.csv", "a b.csv", "a+b.csv", "50%.csv", "a (1).csv", "[1].csv", "{2}.csv", "é.csv"]
    for number, name in enumerate(names):
        csv_file(tmp_path / "all files" / name, LINE.replace("7", str(number), 1))

    found = values(read(spark, source(tmp_path / "all files")), "who", FILE_NAME, BATCH_ID)

    assert found == [(str(n), name, f"id of {name}") for n, name in enumerate(names)]


def test_a_single_file_with_signs_of_a_pattern_in_its_name_is_read(
    spark: SparkSession, tmp_path: Path
) -> None:
    csv_file(tmp_path / "sales[1].csv", LINE)
    assert values(read(spark, source(tmp_path)), "who", FILE_NAME) == [("7", "sales[1].csv")]


def test_a_line_without_the_files_columns_keeps_its_text(
    spark: SparkSession, tmp_path: Path
) -> None:
    path = csv_file(tmp_path / "a.csv", LINE, "8,2011-03-01,A2", f"{LINE},more")
    raw = read(spark, source(path))
    assert [(row["who"], row[MALFORMED]) for row in raw.collect()] == [
        ("7", None),
        ("8", "8,2011-03-01,A2"),
        ("7", f"{LINE},more"),
    ]


def test_a_broken_line_is_refused_with_its_text_and_counted_with_its_copies(
    spark: SparkSession, tmp_path: Path
) -> None:
    path = csv_file(tmp_path / "a.csv", LINE, "8;broken", "8;broken")
    settings = source(path)
    parsed = parse_lines(read(spark, settings), name="shop", source=settings)

    row = refused_lines(parsed).collect()[0]

    assert (row["raw_row"], row["copies_count"], row["file_name"]) == ("8;broken", 2, "a.csv")
    assert row["reasons"][0] == "row: does not have the columns of its file"


def test_a_refused_row_is_kept_as_json_of_its_columns(spark: SparkSession, tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", LINE.replace("1.50", "free"), f"{LINE},")
    settings = source(path)
    parsed = parse_lines(read(spark, settings), name="shop", source=settings)
    assert values(refused_lines(parsed), "raw_row")[1] == (
        '{"who":"7","at":"2011-03-01 10:00:00","order":"A1","what":"mug","units":"2",'
        '"price":"free"}',
    )


def test_quoted_fields_may_hold_delimiters_and_quotes(spark: SparkSession, tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", LINE.replace("mug", '"a ""big"", red mug"'))
    assert read_csv(spark, path, ["what", "price"]) == [('a "big", red mug', "1.50")]


def test_fields_hold_line_breaks_where_that_is_asked_for(
    spark: SparkSession, tmp_path: Path
) -> None:
    path = csv_file(tmp_path / "a.csv", LINE.replace("mug", '"two\nlines"'))
    assert read_csv(spark, path, ["what"], multiline=True) == [("two\nlines",)]


@pytest.mark.parametrize(
    ("delimiter", "text"), [(";", ";"), ("\\t", "\t"), ("\t", "\t"), ("||", "||"), ("|", "|")]
)
def test_a_delimiter_may_be_any(
    spark: SparkSession, tmp_path: Path, delimiter: str, text: str
) -> None:
    path = written(tmp_path / "a.csv", f"{HEADER}\n{LINE}\n".replace(",", text))
    assert read_csv(spark, path, ["who", "price"], delimiter=delimiter) == [("7", "1.50")]


def test_quotes_can_be_plain_signs(spark: SparkSession, tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", LINE.replace("mug", '12" mug'))
    assert read_csv(spark, path, ["what", "price"], quote="") == [('12" mug', "1.50")]


@pytest.mark.parametrize(
    ("encoding", "codec"),
    [("ISO-8859-1", "latin-1"), ("windows-1252", "cp1252"), ("UTF-16", "utf-16")],
)
def test_a_file_is_read_in_its_encoding(
    spark: SparkSession, tmp_path: Path, encoding: str, codec: str
) -> None:
    text = f"{HEADER}\n{LINE}\n".replace("mug", "café").replace("what", "größe")
    path = written(tmp_path / "a.csv", text, codec)
    columns = {**source().columns.model_dump(exclude_none=True), "product_id": "größe"}
    settings = source(path, columns=columns, format={"kind": "csv", "encoding": encoding})
    assert values(read(spark, settings), "größe", "price") == [("café", "1.50")]


def test_a_byte_order_mark_is_no_part_of_the_first_name(
    spark: SparkSession, tmp_path: Path
) -> None:
    path = written(tmp_path / "a.csv", f"{HEADER}\n{LINE}\n", "utf-8-sig")
    assert values(read(spark, source(path)), "who") == [("7",)]


def test_a_file_without_a_header_has_the_names_of_the_settings(
    spark: SparkSession, tmp_path: Path
) -> None:
    path = csv_file(tmp_path / "a.csv", header=LINE)
    names = HEADER.split(",")
    assert read_csv(spark, path, ["who", "price"], header=False, column_names=names) == [
        ("7", "1.50")
    ]


def test_a_missing_mapped_column_is_named_with_those_that_are_there(
    spark: SparkSession, tmp_path: Path
) -> None:
    path = csv_file(tmp_path / "a.csv", "7,2011-03-01,1", header="who,date,price")
    with pytest.raises(IngestError, match="no column at, order, what, units; there are who, date"):
        read(spark, source(path))


def test_files_with_other_columns_are_two_sources(spark: SparkSession, tmp_path: Path) -> None:
    csv_file(tmp_path / "a.csv", LINE)
    csv_file(tmp_path / "b.csv", LINE, header=HEADER.replace("who,at", "at,who"))
    with pytest.raises(IngestError, match=r"b\.csv: its columns .* are not those of a\.csv"):
        read(spark, source(tmp_path))


def test_a_header_that_names_a_column_twice_is_refused(spark: SparkSession, tmp_path: Path) -> None:
    path = csv_file(tmp_path / "a.csv", header=f"{HEADER},who")
    with pytest.raises(IngestError, match="names the column who twice"):
        read(spark, source(path))


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_an_empty_file_is_refused_in_a_sentence(
    spark: SparkSession, tmp_path: Path, content: str
) -> None:
    path = written(tmp_path / "a.csv", content)
    with pytest.raises(IngestError, match=r"a\.csv: is empty: send the file again"):
        read(spark, source(path))
