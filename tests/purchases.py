"""Sources, files and lines of purchases for tests."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from pyspark.sql import DataFrame, Row, SparkSession

from segspark.ingest.parsing.rows import parse_rows
from segspark.ingest.reading.raw import with_file
from segspark.pipeline.progress import Progress
from segspark.pipeline.stage import Workspace
from segspark.settings.root import Settings
from segspark.settings.sources import Source
from segspark.tables.lake import Lake

COLUMNS = {"customer_id": "who", "transaction_at": "at", "order_id": "order", "product_id": "what"}
PRICED = {**COLUMNS, "quantity": "units", "unit_price": "price"}
DELIVERED_AT = datetime(2026, 6, 30, 12, tzinfo=UTC)
"""When the rows of tests are said to have been delivered."""
_SOURCES: TypeAdapter[Source] = TypeAdapter(Source)
HEADER = "who,at,order,what,units,price"


def source_document(location: object = "x.csv", **changed: object) -> dict[str, Any]:
    """A source of priced lines as a user writes it; `columns` and the rest can be changed."""
    plain = {
        "location": str(location),
        "format": {"kind": "csv"},
        "currency": "EUR",
        "columns": PRICED,
    }
    return {**plain, **changed}


def source(location: object = "x.csv", **changed: object) -> Source:
    """As `source_document`, checked."""
    return checked(source_document(location, **changed))


def checked(document: dict[str, Any]) -> Source:
    """A source of any entity from what a user writes."""
    found: Source = _SOURCES.validate_python(document)
    return found


def csv_file(path: Path, *lines: str, header: str = HEADER) -> Path:
    """A CSV file with these lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    return path


def parsed(raw: DataFrame, settings: Source, *, rates: DataFrame | None = None) -> DataFrame:
    """A table's rows after parsing."""
    rows = with_file(raw, batch_id="batch-1", file_name="shop", delivered_at=DELIVERED_AT)
    return parse_rows(rows, name="shop", source=settings, currency="EUR", rates=rates)


def workspace(
    spark: SparkSession, folder: Path, sources: Mapping[str, Any], **sections: object
) -> Workspace:
    """A workspace on the lake at `folder`."""
    document = {"lake": {"location": str(folder)}, "sources": dict(sources), **sections}
    settings = Settings.model_validate(document)
    return Workspace(settings, Lake.open(spark, settings.lake), Progress())


def values(df: DataFrame, *names: str) -> list[tuple[Any, ...]]:
    """The rows' values of these columns, in order."""
    rows: list[Row] = df.select(*names).collect()
    return sorted((tuple(row) for row in rows), key=repr)
