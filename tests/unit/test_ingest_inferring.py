"""From a file to a configuration that loads: formats, rules, comments, refusals."""

import gzip
import os
import sqlite3
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml
from pyarrow import orc
from pyarrow import parquet as pq

from segspark import cli
from segspark.errors import IngestError
from segspark.ingest.inferring.source import infer_source, source_name
from segspark.pipeline.inferring_yaml import as_yaml
from segspark.settings.loading import load_settings
from segspark.settings.sources import Source

DATA = Path(
    os.environ.get("SEGSPARK_DATA", Path(__file__).parents[2] / ".." / "shared" / "data")
).resolve()
ROWS = (
    ("Kunde", "Bestellnummer", "Datum", "Artikel", "Menge", "Betrag"),
    ("10023", "R1", "31.01.2022", "T-1", "2", "1.009,90"),
    ("10024", "R2", "01.02.2022", "T-2", "1", "5,00"),
    ("0", "R3", "02.02.2022", "VERSAND", "1", "4,90"),
    ("10023", "C4", "03.02.2022", "T-1", "-1", "-9,90"),
    ("10024", "C5", "04.02.2022", "T-2", "-1", "-5,00"),
    ("10024", "R6", "05.02.2022", "T-3", "1", "0,00"),
)
TEXT = "\n".join(";".join(row) for row in ROWS) + "\n"
PLAIN = "customer_id,ordered_at,amount\n7,2022-01-31,9.90\n8,2022-02-01,5.00\n"


def shop(folder: Path, content: str | bytes = TEXT, name: str = "shop.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def document(path: Path) -> dict[str, Any]:
    """The written YAML of the one source."""
    written = yaml.safe_load(as_yaml(infer_source(path)))
    (source,) = written["sources"].values()
    return dict(source)


def loaded(path: Path, folder: Path) -> Source:
    """The source as the settings have it."""
    config = folder / "made.yml"
    config.write_text(as_yaml(infer_source(path)), encoding="utf-8")
    (source,) = load_settings(config).sources.values()
    return source


def test_an_unknown_file_becomes_a_whole_configuration(tmp_path: Path) -> None:
    path = shop(tmp_path)
    written = yaml.safe_load(as_yaml(infer_source(path)))
    assert written == {
        "segmentation": "shop",
        "lake": {"location": "lakes/shop", "currency": "EUR"},
        "sources": {
            "shop": {
                "location": str(path),
                "format": {"kind": "csv", "delimiter": ";", "encoding": "UTF-8"},
                "currency": "EUR",
                "timestamp_format": "dd.MM.yyyy",
                "stamp_zone": "UTC",
                "business_zone": "UTC",
                "columns": {
                    "customer_id": "Kunde",
                    "transaction_at": "Datum",
                    "order_id": "Bestellnummer",
                    "product_id": "Artikel",
                    "quantity": "Menge",
                    "line_amount": "Betrag",
                },
                "numbers": {"decimal_separator": ",", "thousands_separator": "."},
                "customer_ids": {"guest_ids": ["0"]},
                "line_kinds": [
                    {"kind": "cancellation", "order_id_matches": "^C"},
                    {"kind": "postage", "product_id_matches": "^(VERSAND)$"},
                ],
            }
        },
    }


def test_every_written_configuration_loads(tmp_path: Path) -> None:
    source = loaded(shop(tmp_path), tmp_path)
    assert source.numbers.decimal_separator == ","
    assert source.customer_ids.guest_ids == ("0",)


def test_reasons_are_comments_and_doubts_are_marked(tmp_path: Path) -> None:
    text = as_yaml(infer_source(shop(tmp_path)))
    assert "delimiter: ;  # 100% of the rows have 6 fields by it" in text
    assert "currency: EUR  # please check: nothing tells it" in text
    assert "timestamp_format: dd.MM.yyyy  # the first number is above 12 somewhere" in text
    assert "# 2 of 6 rows have a negative Menge: they are returns without a rule" in text
    assert "# 1 of 6 rows have a zero Betrag: they are samples without a rule" in text
    assert all(len(line) <= 100 for line in text.splitlines() if "#" in line)


def test_names_that_mean_something_in_yaml_are_quoted(tmp_path: Path) -> None:
    path = shop(
        tmp_path,
        'Customer #,"Date: ""of"" order",NO,price\n7,2022-01-31,3,2.50\n8,2022-02-01,4,1.5\n',
    )
    columns = document(path)["columns"]
    assert columns["transaction_at"] == 'Date: "of" order'


@pytest.mark.parametrize("sign", ["\n", "\x07", "\x85"])
def test_odd_signs_in_a_name_do_not_end_or_break_a_comment(tmp_path: Path, sign: str) -> None:
    path = shop(tmp_path, f'"wh{sign}om",date,amount\n7,2022-01-31,2.50\n8,2022-02-01,2.50\n')
    assert document(path)["columns"]["customer_id"] == "???"
    assert "it could be wh om" in as_yaml(infer_source(path))


def test_a_file_is_recognised_by_its_bytes_and_not_by_its_name(tmp_path: Path) -> None:
    table = pa.table(
        {"customer_id": [7, 8], "ordered_at": pa.array([0, 1], pa.timestamp("us")),
         "amount": [9.9, 5.0]}
    )  # fmt: skip
    pq.write_table(table, tmp_path / "a.csv")
    orc.write_table(table, tmp_path / "b.csv")
    for name, kind in (("a.csv", "parquet"), ("b.csv", "orc")):
        found = document(tmp_path / name)
        assert found["format"] == {"kind": kind}
        assert found["columns"] == {
            "customer_id": "customer_id", "transaction_at": "ordered_at", "line_amount": "amount",
        }  # fmt: skip
        assert "timestamp_format" not in found


def packed_zstd(content: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    return bytes(sink.getvalue().to_pybytes())


@pytest.mark.parametrize("packing", ["gzip", "zstd", "zip"])
def test_packed_files_are_unpacked_whatever_they_are_called(tmp_path: Path, packing: str) -> None:
    path = tmp_path / "shop.bin"
    if packing == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("jan.csv", PLAIN)
            archive.writestr("feb.csv", PLAIN)
    else:
        path.write_bytes(
            gzip.compress(PLAIN.encode()) if packing == "gzip" else packed_zstd(PLAIN.encode())
        )
    found = infer_source(path)
    assert found.sample.row_count == 2
    assert any("of 2 files in the archive" in note for note in found.notes) == (packing == "zip")


def test_a_workbook_gives_the_sheets_that_are_alike(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    notes = book.active
    notes.title = "notes"
    notes.append(["read me"])
    notes.append(["please"])
    for title in ("2021", "2022"):
        sheet = book.create_sheet(title)
        for row in [line.split(",") for line in PLAIN.splitlines()]:
            sheet.append(row)
    book.save(tmp_path / "shop.xlsx")
    found = document(tmp_path / "shop.xlsx")
    assert found["format"] == {"kind": "excel", "sheets": ["2021", "2022"]}
    assert found["columns"]["line_amount"] == "amount"


def test_a_database_gives_the_table_with_usual_names(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE a_log (x, y, z, w)")
        database.execute("CREATE TABLE orders (customer_id, order_date, amount)")
        database.execute("INSERT INTO orders VALUES (7, '2022-01-31', 9.9), (8, '2022-02-01', 5)")
    database.close()
    found = document(path)
    assert found["format"] == {"kind": "sqlite", "table": "orders"}
    assert found["columns"]["transaction_at"] == "order_date"


def test_json_lines_are_mapped_by_dotted_names(tmp_path: Path) -> None:
    rows = [
        '{"order": {"id": "o1"}, "customer": {"id": "c1"}, "created_at": "2022-01-31T10:00:00Z",'
        ' "total": 5.5}',
        '{"order": {"id": "o2"}, "customer": {"id": "c2"}, "created_at": "2022-02-01T10:00:00Z",'
        ' "total": 7.5}',
    ]
    found = document(shop(tmp_path, "\n".join([*rows, ""]), "shop.jsonl"))
    assert found["columns"] == {
        "customer_id": "customer.id", "transaction_at": "created_at", "order_id": "order.id",
        "line_amount": "total",
    }  # fmt: skip
    text = as_yaml(infer_source(tmp_path / "shop.jsonl"))
    assert "stamp_zone: UTC  # the stamps state their offset themselves" in text


@pytest.mark.parametrize(
    ("amounts", "currency", "doubt"),
    [(("£9.90", "£5.00"), "GBP", False), (("$9.90", "$5.00"), "USD", True),
     (("9.90", "5.00"), "EUR", True)],
)  # fmt: skip
def test_the_currency_is_told_by_signs_or_is_the_default_with_a_doubt(
    tmp_path: Path, amounts: tuple[str, str], currency: str, *, doubt: bool
) -> None:
    path = shop(tmp_path, PLAIN.replace("9.90", amounts[0]).replace("5.00", amounts[1]))
    found = infer_source(path).currency
    assert (found.value, found.is_certain) == (currency, not doubt)


def test_the_currency_of_a_column_is_its_most_frequent(tmp_path: Path) -> None:
    path = shop(
        tmp_path,
        "customer_id,date,amount,currency\n1,2022-01-31,5.5,usd\n2,2022-01-31,5.5,EUR\n"
        "3,2022-01-31,5.5,EUR\n",
    )
    found = document(path)
    assert found["currency"] == "EUR"
    assert found["columns"]["currency"] == "currency"


def test_missing_columns_are_written_with_their_candidates(tmp_path: Path) -> None:
    path = shop(
        tmp_path,
        "amount,sku,when,until\n5.5,A1,2022-01-31,2022-02-01\n6.5,B1,2022-01-31,2022-02-01\n",
    )
    text = as_yaml(infer_source(path))
    assert "transaction_at: ???  # please check: not found; it could be when, until" in text
    assert "customer_id: ???" in text


def run(*words: str) -> int:
    return cli.main(["infer-source", *words])


def test_the_command_writes_the_configuration_and_says_what_to_type_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(str(shop(tmp_path)), "--no-preview") == 0
    assert load_settings(Path("conf/shop.yml")).segmentation == "shop"
    shown = capsys.readouterr().out
    assert "conf/shop.yml: written from 6 rows of" in shown
    assert "Next: segspark run-pipeline --config conf/shop.yml --as-of 2022-02-05" in shown


def test_the_location_is_absolute_so_that_it_runs_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = shop(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert document(Path("shop.csv"))["location"] == str(path)


def test_what_is_there_is_replaced_by_force_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, output = shop(tmp_path), tmp_path / "mine.yml"
    output.write_text("lake: {}\n")
    words = (str(path), "--no-preview", "--output", str(output))
    assert run(*words) == 1
    assert output.read_text() == "lake: {}\n"
    assert f"{output}: is there already: --force replaces it" in capsys.readouterr().err
    assert run(*words, "--force") == 0
    assert load_settings(output).segmentation == "shop"


def test_missing_columns_end_with_1_after_writing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, output = shop(tmp_path, PLAIN.replace("customer_id", "whom")), tmp_path / "x.yml"
    assert run(str(path), "--no-preview", "--output", str(output)) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line == (
        f"segspark: {path}: no column of customer for customer_id (it could be whom): "
        f"replace ??? in {output}"
    )
    assert "customer_id: ???" in output.read_text()


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("none.csv", None, "there is no such file: check the path"),
        ("_shop.csv", PLAIN, "marks no data: rename the file"),
        ("empty.csv", "", "is empty"),
        ("header.csv", "customer_id,date,amount\n", "holds no rows"),
        ("twice.csv", "customer_id,date,date\n7,2022-01-31,1\n", "names the column date twice"),
        ("page.csv", "<html><body>404</body></html>", "no table"),
        ("cut.parquet", b"PAR1 cut short", "cannot be read as parquet"),
        ("cut.gz", gzip.compress(PLAIN.encode() * 99)[:60], "is damaged"),
        ("a${b}.csv", PLAIN, "rename the file"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(
    tmp_path: Path, name: str, content: str | bytes | None, sentence: str
) -> None:
    path = tmp_path / name if content is None else shop(tmp_path, content, name)
    with pytest.raises(IngestError, match=sentence) as refused:
        infer_source(path)
    assert "\n" not in str(refused.value)


def test_a_folder_is_refused_with_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(IngestError, match="is a folder: name one file of it"):
        infer_source(tmp_path)


@pytest.mark.parametrize(
    ("file", "name"),
    [("Shop Export 2021.csv.gz", "shop_export_2021"), ("2021.csv", "source_2021"),
     ("bestellungen-alt.XLSX", "bestellungen_alt"), (".csv", "csv"), ("…", "source")],
)  # fmt: skip
def test_the_source_is_called_after_the_file(file: str, name: str) -> None:
    assert source_name(Path(file)) == name


def online_retail(kind: str) -> Path:
    path = DATA / "online_retail" / f"online_retail.{kind}"
    if not path.is_file():
        pytest.skip(f"no {path}: name its parent in SEGSPARK_DATA")
    return path


@pytest.mark.parametrize("kind", ["zip", "parquet"])
def test_online_retail_is_recognised(kind: str, tmp_path: Path) -> None:
    source = loaded(online_retail(kind), tmp_path)
    shipped = load_settings(Path(__file__).parents[2] / "conf" / "online_retail.yml")
    ours, theirs = source.model_dump(), shipped.sources["online_retail"].model_dump()
    for key in ("columns", "line_kinds", "currency", "stamp_zone", "business_zone", "numbers"):
        assert ours[key] == theirs[key]
    assert source.timestamp_format is None
    assert source.format.kind == {"zip": "csv", "parquet": "parquet"}[kind]


def test_cdnow_without_a_header_is_mapped_by_content() -> None:
    path = DATA / "cdnow" / "CDNOW_sample.txt"
    if not path.is_file():
        pytest.skip(f"no {path}: name its parent in SEGSPARK_DATA")
    found = document(path)
    assert found["format"] == {
        "kind": "fixed_width",
        "fields": {
            "customer_id": [1, 6], "column_2": [7, 11], "transaction_at": [12, 20],
            "quantity": [21, 23], "line_amount": [24, 31],
        },
        "encoding": "UTF-8",
    }  # fmt: skip
    assert found["timestamp_format"] == "yyyyMMdd"
    assert set(found["columns"]) == {"customer_id", "transaction_at", "quantity", "line_amount"}
