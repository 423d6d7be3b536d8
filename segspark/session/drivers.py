"""What segspark is tested with beyond Spark's own files: drivers of databases, and S3."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Driver:
    """What reads one kind of database through JDBC."""

    address_start: str
    class_name: str
    coordinate: str
    """Where Maven repositories have it: `group:artifact:version`, as `spark.packages` takes it."""


POSTGRESQL = Driver(
    "jdbc:postgresql:", "org.postgresql.Driver", "org.postgresql:postgresql:42.7.14"
)
SQLITE = Driver("jdbc:sqlite:", "org.sqlite.JDBC", "org.xerial:sqlite-jdbc:3.54.1.0")
DRIVERS = (POSTGRESQL, SQLITE)
S3 = ("org.apache.hadoop:hadoop-aws:3.5.0", "software.amazon.awssdk:s3-transfer-manager:2.35.4")
"""What `s3a://` addresses need: a part of Hadoop that Spark lacks, of the same version as the rest,
and what that uses of Amazon's SDK, of the version that it asks for."""
TESTED_PACKAGES = (*(driver.coordinate for driver in DRIVERS), *S3)
"""All of these as `spark.packages` takes them."""


def driver_of(address: str) -> Driver | None:
    """The driver of a `jdbc:` address; None: Java has to find one by itself."""
    return next((known for known in DRIVERS if address.startswith(known.address_start)), None)
