"""Files of every kind are recognised by what they hold, or refused."""

import os
import sqlite3
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import orc
from pyarrow import parquet as pq

from segspark.errors import IngestError
from segspark.ingest.inferring.source import infer_source
from segspark.pipeline.inferring_yaml import as_yaml
from segspark.settings.loading import load_settings
from tests.inferring import PLAIN, document, loaded, shop
from tests.packed import gzipped, streamed_zstd, zipped

DATA = Path(
    os.environ.get("SEGSPARK_DATA", Path(__file__).parents[2] / ".." / "shared" / "data")
).resolve()


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


@pytest.mark.parametrize("packing", ["gzip", "zstd", "zip"])
def test_packed_files_are_unpacked_whatever_they_are_called(tmp_path: Path, packing: str) -> None:
    path = tmp_path / "shop.bin"
    plain = PLAIN.encode()
    packed = {
        "gzip": gzipped(plain),
        "zstd": streamed_zstd(plain),
        "zip": zipped(("jan.csv", plain), ("feb.csv", plain)),
    }
    path.write_bytes(packed[packing])
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
    ("name", "content", "sentence"),
    [
        ("none.csv", None, "there is no such file: check the path"),
        ("empty.csv", "", "is empty"),
        ("header.csv", "customer_id,date,amount\n", "holds no rows"),
        ("twice.csv", "customer_id,date,date\n7,2022-01-31,1\n", "names the column date twice"),
        ("page.csv", "<html><body>404</body></html>", "no table"),
        ("cut.parquet", b"PAR1 cut short", "cannot be read as parquet"),
        ("cut.gz", gzipped(PLAIN.encode() * 99)[:60], "is damaged"),
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
