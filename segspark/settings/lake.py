"""Where results live and how Spark is started on one machine."""

from typing import Annotated, Literal

from pydantic import Field

from segspark.settings.base import Location, StrictModel


class LakeSettings(StrictModel):
    """The folder of Delta tables, local or in an object store."""

    location: Location = "${SEGSPARK_LAKE:-lake}"
    """Root folder of all tables; a relative one is taken from where the job runs."""
    currency: str = Field(default="EUR", pattern="^[A-Z]{3}$")
    """The one reporting currency, ISO 4217; lines in another are converted or refused."""
    deleted_file_retention_days: int = Field(default=30, ge=7)
    """Days for which removed data files stay readable by time travel."""
    log_retention_days: int = Field(default=365, ge=7)
    """Days for which the tables' history is kept."""


Coordinate = Annotated[str, Field(pattern=r"^[\w.-]+:[\w.-]+:[\w.-]+$")]
"""A jar by the name that Maven repositories know it by: `group:artifact:version`."""


class SparkSettings(StrictModel):
    """A local Spark session; a submitted job keeps what its cluster gives it."""

    master: str = Field(default="local[*]", pattern=r"^local(\[.+\])?$|^local-cluster\[.+\]$")
    """Local master; `spark-submit --master` decides elsewhere."""
    driver_memory: str = Field(default="2g", pattern="^[0-9]+[mg]$")
    """Heap of the local Java process."""
    shuffle_partitions: int = Field(default=16, ge=1)
    """Partitions of a middling shuffle, some times the cores; a large one has up to four times as
    many, and those of less than 1 MB become one."""
    log_level: Literal["ERROR", "WARN", "INFO"] = "ERROR"
    """What Spark itself may print."""
    packages: tuple[Coordinate, ...] = Field(default=(), strict=False)
    """Further jars of a local session, such as `org.postgresql:postgresql:42.7.14` for a database;
    fetched once. Elsewhere `spark-submit --packages` brings them."""


class TrackingSettings(StrictModel):
    """MLflow, where every candidate is recorded."""

    location: Location = "${MLFLOW_TRACKING_URI:-}"
    """A server, or a database address; empty: a SQLite file inside a local lake."""
    experiment: str = "segspark"
    """Experiment that holds the runs; the segmentation's name is added to it."""
