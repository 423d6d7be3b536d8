"""Parquet files with stamps in nanoseconds, as pandas writes them and Spark refuses them."""

import pyarrow as pa
import pyarrow.parquet as pq

from segspark.ingest.files.stores import Store, refusals
from segspark.ingest.reading.column_files import damaged

_BATCH_ROWS = 50_000


def has_nanoseconds(store: Store, address: str, *, name: str) -> bool:
    """Whether a column of the file, itself or within another, is a time in nanoseconds.

    Raises:
        IngestError: It is no Parquet file, or damaged.
    """
    with store.open(address) as stream:
        try:
            columns = pq.ParquetFile(stream).schema
        except (pa.ArrowException, OSError) as error:
            raise damaged(name, "parquet", error) from error
    # The older kind of stamp, INT96, has no such type, and Spark reads it.
    return any("nanoseconds" in str(columns.column(i).logical_type) for i in range(len(columns)))


def write_as_microseconds(store: Store, address: str, staging: Store, target: str) -> None:
    """Copy a Parquet file, its stamps cut to microseconds; a bounded number of rows at a time."""
    with store.open(address) as stream, staging.create(target) as copy, refusals(address):
        packed = pq.ParquetFile(stream)
        schema = pa.schema([_in_microseconds(field) for field in packed.schema_arrow])
        with pq.ParquetWriter(copy, schema) as writer:
            for batch in packed.iter_batches(_BATCH_ROWS):
                writer.write_table(pa.Table.from_batches([batch]).cast(schema, safe=False))


def _in_microseconds(field: pa.Field) -> pa.Field:
    if pa.types.is_timestamp(field.type) and field.type.unit == "ns":
        return field.with_type(pa.timestamp("us", tz=field.type.tz))
    if pa.types.is_time64(field.type) and field.type.unit == "ns":
        return field.with_type(pa.time64("us"))
    return field
