"""Sources of files for tests of reading: found, prepared and read as the pipeline does it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from pyspark.sql import DataFrame, SparkSession

from segspark.ingest.files.choosing_store import store_for
from segspark.ingest.files.source_files import find_files, look_inside
from segspark.ingest.reading.file_columns import look_at
from segspark.ingest.reading.file_rows import Readable, read_files
from segspark.ingest.reading.preparing import prepare
from segspark.settings.formats import FileFormat
from segspark.settings.sources import Source

COLUMNS = {"customer_id": "who", "transaction_at": "at", "line_amount": "paid"}
DELIVERED_AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SOURCES: TypeAdapter[Source] = TypeAdapter(Source)


def file_source(location: object, file_format: dict[str, Any] | str, **changed: object) -> Source:
    """A source of paid amounts; `file_format` is its kind, or all of its format."""
    plain = {
        "location": str(location),
        "format": {"kind": file_format} if isinstance(file_format, str) else file_format,
        "currency": "EUR",
        "columns": COLUMNS,
    }
    return SOURCES.validate_python({**plain, **changed})


def prepared(spark: SparkSession, source: Source, staging: Path) -> list[Readable]:
    """The source's files, ready to be read; each is a batch called after its folder."""
    file_format: FileFormat = source.format  # type: ignore[assignment]
    store = store_for(spark, source.location)
    found = find_files(store, "shop", source.location)
    files = [file for one in found for file in look_inside(store, one, file_format)]
    target = store_for(None, str(staging))
    return [
        Readable(
            file,
            look_at(file, store=store, file_format=file_format).columns,
            prepare(
                file, store=store, staging=target, folder=str(staging), file_format=file_format
            ),
            f"batch of {file.name}",
            DELIVERED_AT,
        )
        for file in files
    ]


def frames(spark: SparkSession, source: Source, staging: Path) -> list[DataFrame]:
    """The raw frames of all the source's files."""
    raws = read_files(spark, source, prepared(spark, source, staging), name="shop")
    return [raw.frame for raw in raws]


def only_frame(spark: SparkSession, source: Source, staging: Path) -> DataFrame:
    """The one raw frame of the source's files."""
    (frame,) = frames(spark, source, staging)
    return frame


def rows(df: DataFrame, *names: str) -> list[tuple[Any, ...]]:
    """The values of these columns, in order."""
    found = [tuple(row) for row in df.select(*[f"`{name}`" for name in names]).collect()]
    return sorted(found, key=repr)


def csv_file(path: Path, *lines: str, header: str = "who,at,paid") -> Path:
    """A CSV file with these lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    return path
