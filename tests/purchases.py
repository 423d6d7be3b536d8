"""Sources, files and lines of purchases for tests."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, Row, SparkSession

from segspark.ingest.parsing import parse_lines
from segspark.ingest.reading import table_rows
from segspark.pipeline.progress import Progress
from segspark.pipeline.stage import Workspace
from segspark.settings.root import Settings
from segspark.settings.sources import SourceSettings
from segspark.tables.lake import Lake

COLUMNS = {"customer_id": "who", "transaction_at": "at", "order_id": "order", "product_id": "what"}
PRICED = {**COLUMNS, "quantity": "units", "unit_price": "price"}
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


def source(location: object = "x.csv", **changed: object) -> SourceSettings:
    """As `source_document`, checked."""
    return SourceSettings.model_validate(source_document(location, **changed))


def csv_file(path: Path, *lines: str, header: str = HEADER) -> Path:
    """A CSV file with these lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    return path


def parsed(raw: DataFrame, settings: SourceSettings) -> DataFrame:
    """A table's rows after parsing."""
    rows = table_rows(raw, settings, name="shop", batch="batch-1")
    return parse_lines(rows, name="shop", source=settings)


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
