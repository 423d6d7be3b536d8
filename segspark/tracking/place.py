"""Where MLflow's records go, how that is named without secrets, and whether it can be there."""

import os
import re
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from segspark.errors import TrackingError
from segspark.settings.base import resolve_location
from segspark.settings.lake import TrackingSettings

CONNECT_SECONDS = 10
_SERVERS = ("http", "https")
_DATABASES = {"sqlite": None, "postgresql": 5432, "mysql": 3306, "mssql": 1433}
_SECRET_VARIABLES = ("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN")


@dataclass(frozen=True, slots=True)
class TrackingPlace:
    """A tracking server or database.

    Attributes:
        address: As MLflow takes it, credentials included; never print it.
        artifacts: Where a new experiment keeps its files, as a URI; None: a server decides.
    """

    address: str = field(repr=False)
    artifacts: str | None

    @classmethod
    def resolve(cls, settings: TrackingSettings, *, lake_folder: Path | None) -> Self:
        """Find the place that the settings mean; nothing is read, written or connected to.

        Args:
            settings: An empty location means a SQLite file inside the lake's folder.
            lake_folder: The lake's folder; None when the lake is not on a local disk.

        Raises:
            TrackingError: No location is given for a remote lake, or it is neither a server nor a
                database.
        """
        location = resolve_location(settings.location).strip()
        if location:
            return cls._of_location(location, lake_folder=lake_folder)
        if lake_folder is None:
            raise TrackingError(
                "the lake is not on a local disk, so MLflow's records have no place: set "
                "tracking.location to a server, such as http://mlflow:5000"
            )
        folder = lake_folder.absolute()
        return cls(f"sqlite:///{folder / 'mlflow.db'}", (folder / "mlartifacts").as_uri())

    @classmethod
    def _of_location(cls, location: str, *, lake_folder: Path | None) -> Self:
        scheme = _scheme(location)
        _check_port(location)
        if scheme in _SERVERS:
            return cls(location, None)
        if scheme not in _DATABASES:
            raise TrackingError(
                f"tracking.location {_without_credentials(location)} is neither a server "
                f"(http://, https://) nor a database ({', '.join(_DATABASES)}): name one of these, "
                f"or leave it empty for a SQLite file inside a local lake"
            )
        if _is_file(location):
            lake_folder = _sqlite_file(location).parent
        return cls(
            location, (lake_folder.absolute() / "mlartifacts").as_uri() if lake_folder else None
        )

    @property
    def is_server(self) -> bool:
        return _scheme(self.address) in _SERVERS

    @property
    def shown(self) -> str:
        """The address without user, password and query, for messages."""
        return _without_credentials(self.address)

    def check_host(self) -> None:
        """Connect once to a database's port, since MLflow itself would try for minutes.

        A server is not tried here, as it may stand behind a proxy; SQLite has no host.

        Raises:
            OSError: Nobody answers.
        """
        if self.is_server or _is_file(self.address):
            return
        parts = _split(self.address)
        port = parts.port or _DATABASES[_scheme(self.address)]
        if parts.hostname and port:
            socket.create_connection((parts.hostname, port), timeout=CONNECT_SECONDS).close()

    def make_folder(self) -> None:
        """Create the folder of a SQLite file.

        Raises:
            OSError: It cannot be created.
        """
        if _is_file(self.address):
            _sqlite_file(self.address).parent.mkdir(parents=True, exist_ok=True)

    def redacted(self, text: str) -> str:
        """Return `text` without any credentials that it may quote."""
        clean = re.sub(r"://[^/\s]*@", "://", text.replace(self.address, self.shown))
        for secret in _secrets(self.address):
            clean = clean.replace(secret, "***")
        return clean


def _check_port(address: str) -> None:
    try:
        _ = _split(address).port
    except ValueError as error:
        raise TrackingError(
            "the port in tracking.location is no number from 0 to 65535: write it as "
            "http://host:port"
        ) from error


def _scheme(address: str) -> str:
    return address.partition(":")[0].partition("+")[0].lower()


def _sqlite_file(address: str) -> Path:
    return Path(address.partition(":///")[2].partition("?")[0]).absolute()


def _is_file(address: str) -> bool:
    return _scheme(address) == "sqlite"


def _credentials(address: str) -> str:
    """User and password; a password may hold `/`, `?`, `#` and `@` as they are."""
    return "" if _is_file(address) else address.partition("://")[2].rpartition("@")[0]


def _split(address: str) -> SplitResult:
    return urlsplit(address.replace(f"{_credentials(address)}@", "", 1))


def _without_credentials(address: str) -> str:
    if _is_file(address):
        return address.partition("?")[0]
    parts = _split(address)
    return parts._replace(query="", fragment="").geturl() if parts.netloc else address


def _secrets(address: str) -> list[str]:
    """Passwords and tokens that a message must not quote, as written and as decoded."""
    credentials = _credentials(address)
    query = parse_qsl(address.rpartition("?")[2])
    found = [
        credentials.partition(":")[2] or credentials,
        *(value for name, value in query if re.search("pass|pwd|token|secret|key", name.lower())),
        *(os.environ.get(name, "") for name in _SECRET_VARIABLES),
    ]
    return [text for secret in found if secret for text in {secret, unquote(secret)}]
