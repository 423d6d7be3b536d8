"""Telling each row which file it came from, by the path that Spark read it from."""

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from segspark.errors import IngestError
from segspark.ingest.reading.raw import BATCH_ID, DELIVERED_AT, FILE_NAME, quoted
from segspark.settings.base import without_credentials

_PATH = "__path"
_ADDRESS = re.compile(r"[A-Za-z][\w+.-]*:(?://(?P<authority>[^/]*))?(?P<path>/.*)", re.DOTALL)
_SIGNS_OF_A_PATTERN = re.compile(r"[\[\]{}*?\\]")
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True, slots=True)
class Origin:
    """What the rows of one file share.

    Attributes:
        address: Where Spark reads them.
        file_name: What the books call the file.
        batch_id: Their batch.
        delivered_at: When that was last written, in UTC.
        folder_values: Values of the columns that folders name, in order of these.
    """

    address: str
    file_name: str
    batch_id: str
    delivered_at: datetime
    folder_values: tuple[str | None, ...]


def literal_address(address: str) -> str:
    """An address as Spark takes it: with its scheme, and the signs of patterns as plain ones."""
    if "://" not in address:
        address = f"file://{Path(address).absolute()}"
    return _SIGNS_OF_A_PATTERN.sub(r"\\\g<0>", address)


def folder_columns(file_name: str) -> dict[str, str | None]:
    """The columns that folders such as `day=2026-01-01` name, with their values."""
    parts = [part.partition("=") for part in PurePosixPath(file_name).parent.parts]
    values = {unquote(key): unquote(value) for key, sign, value in parts if key and sign}
    return {key: None if value == _NO_VALUE else value for key, value in values.items()}


def with_origins(rows: DataFrame, origins: Sequence[Origin], folders: Sequence[str]) -> DataFrame:
    """Add to each row what is known of its file: the columns of folders, batch, name and time.

    Args:
        rows: What Spark reads from files, with nothing joined.
        origins: All these files.
        folders: Names of the columns that folders name.
    """
    types = [T.StructField(name, T.StringType()) for name in (*folders, BATCH_ID, FILE_NAME)]
    fields = [*types, T.StructField(DELIVERED_AT, T.TimestampType())]
    if len(origins) == 1:
        values = zip(fields, _values(origins[0]), strict=True)
        return rows.withColumns({f.name: F.lit(v).cast(f.dataType) for f, v in values})
    by_place = {place_of(origin.address): origin for origin in origins}
    read = [(uri, *_values(_origin(unquote(uri), by_place))) for uri in rows.inputFiles()]
    schema = T.StructType([T.StructField(_PATH, T.StringType()), *fields])
    lookup = rows.sparkSession.createDataFrame(read, schema)
    path = rows.metadataColumn("_metadata")["file_path"]
    # Rows have file:/a where the list of files has file:///a.
    path = F.regexp_replace(path, "^([A-Za-z][A-Za-z0-9+.-]*):/(?!/)", "$1:///")
    unknown = F.raise_error(F.concat(F.lit("a row of an unknown file: "), F.col(_PATH)))
    return (
        rows.withColumn(_PATH, path)
        .join(F.broadcast(lookup), on=_PATH, how="left")
        # A row of a file that is not known stops the ingest. The name is kept with every row that
        # is not of a single file, and what nobody keeps Spark would not work out.
        .withColumn(FILE_NAME, F.coalesce(quoted(FILE_NAME), unknown))
        .drop(_PATH)
    )


def _values(origin: Origin) -> tuple[str | datetime | None, ...]:
    return (*origin.folder_values, origin.batch_id, origin.file_name, origin.delivered_at)


def _origin(uri: str, by_place: dict[tuple[str, str], Origin]) -> Origin:
    authority, path = place_of(uri)
    # A path of the cluster's own file system is read under that system's name.
    origin = by_place.get((authority, path)) or by_place.get(("", path))
    if origin is None:
        raise IngestError(f"{without_credentials(uri)}: Spark reads it and no source has it")
    return origin


def place_of(address: str) -> tuple[str, str]:
    """Host or bucket, and path, however the address is written."""
    found = _ADDRESS.fullmatch(address)
    path = found["path"] if found else str(Path(address).absolute())
    # As Hadoop does it to every path.
    return (found["authority"] or "" if found else ""), posixpath.normpath(path)
