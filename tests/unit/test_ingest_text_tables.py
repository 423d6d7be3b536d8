"""Tables of texts are written in bounded batches, and paths are told apart from addresses."""

import io

import pyarrow.parquet as pq
import pytest

from segspark.ingest.reading.row_files import folder_columns, literal_address, place_of
from segspark.ingest.reading.text_tables import TextTable, write_text_table


@pytest.mark.parametrize("count", [0, 1, 4, 5])
def test_all_rows_are_written_in_batches(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr("segspark.ingest.reading.text_tables._BATCH_ROWS", 2)
    stream = io.BytesIO()
    write_text_table(TextTable(("a", "b"), ((str(n), None) for n in range(count))), stream)
    found = pq.ParquetFile(stream)
    assert found.read().to_pylist() == [{"a": str(n), "b": None} for n in range(count)]
    assert found.num_row_groups == (count + 1) // 2
    assert {str(field.type) for field in found.schema_arrow} == {"string"}


def test_folders_name_columns() -> None:
    assert folder_columns("year=2026/x/day=a%2Fb=c/=d/e=/a=1.csv") == {
        "year": "2026", "day": "a/b=c", "e": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("/in/a b%.csv", ("", "/in/a b%.csv")),
        ("/a/../in//a.csv", ("", "/in/a.csv")),
        ("file:///in/a.csv", ("", "/in/a.csv")),
        ("file:/in/a.csv", ("", "/in/a.csv")),
        ("s3a://bucket/in/a:b?.csv", ("bucket", "/in/a:b?.csv")),
        ("hdfs://name:8020/in/a.csv", ("name:8020", "/in/a.csv")),
    ],
)
def test_a_file_is_at_a_place_however_its_address_is_written(
    address: str, place: tuple[str, str]
) -> None:
    assert place_of(address) == place


def test_spark_takes_the_signs_of_patterns_in_addresses_as_plain_ones() -> None:
    assert literal_address("/in/[1]*.csv") == "file:///in/\\[1\\]\\*.csv"
    assert literal_address("s3a://bucket/a{b}?") == "s3a://bucket/a\\{b\\}\\?"
