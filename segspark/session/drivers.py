"""Drivers of the databases that segspark is tested with: the class and the jar that holds it."""

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


def driver_of(address: str) -> Driver | None:
    """The driver of a `jdbc:` address; None: Java has to find one by itself."""
    return next((known for known in DRIVERS if address.startswith(known.address_start)), None)
