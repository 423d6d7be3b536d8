"""Which store an address is in."""

from pyspark.sql import SparkSession

from segspark.errors import IngestError
from segspark.ingest.files.hadoop_store import HadoopStore
from segspark.ingest.files.local_store import LocalStore
from segspark.ingest.files.stores import Store
from segspark.settings.base import without_credentials


def store_for(spark: SparkSession | None, location: str) -> Store:
    """The store that a location is in: an address with `://` is Hadoop's, a path is local.

    Raises:
        IngestError: The location needs Spark, and there is no session.
    """
    if "://" not in location:
        return LocalStore()
    if spark is None:
        raise IngestError(f"{without_credentials(location)}: only a Spark session can read it")
    return HadoopStore(spark)
