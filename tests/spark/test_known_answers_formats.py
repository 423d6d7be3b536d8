"""Online Retail as CSV, ZIP, Parquet and Excel: all four give the same lines and the same books."""

import json
import os
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from segspark.pipeline.ingest import current_batches, ingest
from segspark.pipeline.progress import Progress
from segspark.pipeline.stage import Workspace
from segspark.settings.formats import CsvFormat, ExcelFormat, FileFormat, ParquetFormat
from segspark.settings.loading import load_settings
from segspark.tables.ingested import INGEST_BATCHES
from segspark.tables.lake import Lake
from segspark.tables.purchases import TRANSACTIONS

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("SEGSPARK_DATA", ROOT / ".." / "shared" / "data")).resolve()
FOLDER = DATA / "online_retail"
KNOWN = json.loads((ROOT / "tests" / "known_answers" / "rfm.json").read_text(encoding="utf-8"))
OF_ONE_FORM = {"batch_id", "source", "line_id"}
"""Where a line came from, and the hash of the texts that it came in."""
BOOKS = [
    column.name
    for column in INGEST_BATCHES.columns
    if column.name.endswith(("_row_count", "_amount")) or column.name in {"first_date", "last_date"}
]

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"no Online Retail in {DATA}: name its parent in SEGSPARK_DATA"
)


@pytest.fixture(scope="module")
def taken_in(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """One lake of four sources, which differ in nothing but the place and the kind of file."""
    folder = tmp_path_factory.mktemp("forms")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEGSPARK_LAKE", str(folder / "lake"))
        settings = load_settings(ROOT / "conf" / "online_retail.yml")
        configured = settings.sources["online_retail"]
        forms = {
            name: configured.model_copy(update={"location": str(path), "format": file_format})
            for name, (path, file_format) in _forms(folder).items()
        }
        work = Workspace(
            settings.model_copy(update={"sources": forms}),
            Lake.open(spark, settings.lake),
            Progress(),
        )
        ingest(work)
        yield work


def _forms(folder: Path) -> dict[str, tuple[Path, FileFormat]]:
    packed = FOLDER / "online_retail.zip"
    with zipfile.ZipFile(packed) as archive:
        plain = Path(archive.extract("online_retail.csv", folder))
    return {
        "csv": (plain, CsvFormat(kind="csv")),
        "zip": (packed, CsvFormat(kind="csv")),
        "parquet": (FOLDER / "online_retail.parquet", ParquetFormat(kind="parquet")),
        "excel": (_workbook(folder / "online_retail.xlsx"), ExcelFormat(kind="excel")),
    }


def _workbook(path: Path) -> Path:
    """All rows in one sheet, as the UCI publishes them: dates and digits are no texts there."""
    lines = pq.read_table(FOLDER / "online_retail.parquet")
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Online Retail")
    sheet.append(lines.column_names)
    columns = [map(_cell, column.to_pylist()) for column in lines.columns]
    for row in zip(*columns, strict=True):
        sheet.append(row)
    book.save(path)
    return path


def _cell(value: Any) -> Any:  # noqa: ANN401 - whatever a cell may hold
    return int(value) if isinstance(value, str) and value.isdecimal() else value


@pytest.fixture(scope="module")
def books(taken_in: Workspace) -> dict[str, Row]:
    """Source → its only batch."""
    return {row["source"]: row for row in current_batches(taken_in)}


def _rows_that_differ(lines: DataFrame, forms: list[str]) -> DataFrame:
    """Lines that not all forms have equally often: EXCEPT ALL of each pair, in one go."""
    columns = [name for name in lines.columns if name not in OF_ONE_FORM]
    counts = [F.count_if(F.col("source") == form).alias(f"in_{form}") for form in forms]
    are_equal = [F.col(f"in_{form}") == F.col(f"in_{forms[0]}") for form in forms]
    return lines.groupBy(*columns).agg(*counts).filter(~F.forall(F.array(*are_equal), lambda x: x))


def test_all_forms_give_the_same_lines(taken_in: Workspace) -> None:
    lines = taken_in.lake.read(TRANSACTIONS)
    forms = list(taken_in.settings.sources)

    assert _rows_that_differ(lines, forms).limit(5).collect() == []

    kept = KNOWN["raw"]["rows"] - KNOWN["raw"]["exact_dup_rows_extra"]
    counted = {row["source"]: row["count"] for row in lines.groupBy("source").count().collect()}
    assert counted == dict.fromkeys(["csv", "zip", "parquet", "excel"], kept)


@pytest.mark.parametrize("form", ["csv", "zip", "parquet", "excel"])
def test_the_books_of_each_form_are_the_published_totals(books: dict[str, Row], form: str) -> None:
    raw = KNOWN["raw"]
    mine = books[form]
    assert (mine["in_row_count"], mine["rejected_row_count"]) == (raw["rows"], 0)
    assert mine["duplicate_row_count"] == raw["exact_dup_rows_extra"]
    assert mine["in_amount"] == Decimal(raw["sum_qty_x_price_all_rows_exact"])
    assert [mine[name] for name in BOOKS] == [books["csv"][name] for name in BOOKS]
