import logging
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from segspark.errors import TrackingError
from segspark.settings.lake import TrackingSettings
from segspark.tracking.calls import quietly, tracking_error
from segspark.tracking.place import TrackingPlace
from segspark.tracking.tracker import Tracker

SECRET = "s3cr/t#1"  # noqa: S105 - of nothing
WITH_CREDENTIALS = f"postgresql://ann:{SECRET}@db.example.org:5432/mlflow?sslpassword=other"


def resolve(location: str, *, lake_folder: Path | None = None) -> TrackingPlace:
    with referred(location) as settings:
        return TrackingPlace.resolve(settings, lake_folder=lake_folder)


def refusal(location: str, *, lake_folder: Path | None = None) -> str:
    with referred(location) as settings, pytest.raises(TrackingError) as caught:
        Tracker.open(settings, lake_folder=lake_folder, segmentation="default")
    return str(caught.value)


@contextmanager
def referred(location: str) -> Iterator[TrackingSettings]:
    """Settings that refer to a location, since one with a password may not be written there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRACKING", location)
        yield TrackingSettings(location="${TRACKING}")


def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def test_an_empty_location_is_a_file_inside_the_lake() -> None:
    place = resolve("", lake_folder=Path("/data/my lake"))

    assert place.address == "sqlite:////data/my lake/mlflow.db"
    assert place.artifacts == "file:///data/my%20lake/mlartifacts"


def test_an_empty_location_is_refused_for_a_lake_that_is_not_on_a_local_disk() -> None:
    assert "set tracking.location to a server" in refusal("")


def test_the_location_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://mlflow.example.org")

    place = TrackingPlace.resolve(TrackingSettings(), lake_folder=None)

    assert place.address == "https://mlflow.example.org"


def test_a_server_decides_itself_where_files_go() -> None:
    assert resolve("http://mlflow:5000", lake_folder=Path("/lake")).artifacts is None


def test_files_of_a_given_sqlite_database_lie_beside_it() -> None:
    place = resolve("sqlite:////srv/tracking/runs.db", lake_folder=Path("/lake"))

    assert place.artifacts == "file:///srv/tracking/mlartifacts"


@pytest.mark.parametrize("location", ["mlruns", "/srv/mlruns", "file:///srv/mlruns", "ftp://x/y"])
def test_what_is_neither_server_nor_database_is_refused(location: str) -> None:
    with pytest.raises(TrackingError, match=r"neither a server .* nor a database"):
        resolve(location)


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        (WITH_CREDENTIALS, "postgresql://db.example.org:5432/mlflow"),
        ("https://ann:s3cr/t#1@mlflow.example.org/base", "https://mlflow.example.org/base"),
        ("http://mlflow:5000", "http://mlflow:5000"),
        ("sqlite:////srv/a@b c/mlflow.db", "sqlite:////srv/a@b c/mlflow.db"),
    ],
)
def test_an_address_is_shown_without_credentials(location: str, shown: str) -> None:
    place = resolve(location)

    assert place.shown == shown
    assert SECRET not in repr(place)


def test_a_cause_that_quotes_the_credentials_is_told_without_them() -> None:
    place = resolve(WITH_CREDENTIALS)
    causes = [
        f"cannot open {WITH_CREDENTIALS} today",
        f"user ann with password {SECRET} is unknown",
        "user ann with sslpassword=other is unknown",
        "API request to postgresql://ann:quoted@db.example.org failed",
    ]

    told = [str(tracking_error(RuntimeError(cause), place=place)) for cause in causes]

    assert not [text for text in told if SECRET in text or "other" in text or "quoted" in text]
    assert told[0].startswith("MLflow at postgresql://db.example.org:5432/mlflow refused (cannot")


def test_a_port_that_is_no_number_is_refused() -> None:
    with pytest.raises(TrackingError, match=r"port in tracking\.location is no number"):
        resolve("http://mlflow:five")


def test_an_address_of_no_known_kind_is_refused_without_its_credentials() -> None:
    message = refusal(f"ftp://ann:{SECRET}@files.example.org/x")

    assert "ftp://files.example.org/x" in message
    assert SECRET not in message


def test_a_server_that_is_down_is_told_in_one_sentence_within_seconds() -> None:
    port = closed_port()
    start = time.monotonic()

    message = refusal(f"http://ann:s3cret@127.0.0.1:{port}")

    assert message == (
        f"MLflow at http://127.0.0.1:{port} cannot be reached: start the server, or correct "
        "tracking.location (environment variable MLFLOW_TRACKING_URI)"
    )
    assert time.monotonic() - start < 45


def test_a_database_that_is_down_is_told_in_one_sentence_within_seconds() -> None:
    port = closed_port()
    start = time.monotonic()

    message = refusal(f"postgresql://ann:s3cret@127.0.0.1:{port}/mlflow")

    assert message.startswith(f"MLflow's database at postgresql://127.0.0.1:{port}/mlflow cannot")
    assert "s3cret" not in message
    assert time.monotonic() - start < 45


def test_a_file_that_is_no_database_is_told_in_one_sentence_within_seconds(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("no database " * 100)
    start = time.monotonic()

    message = refusal("", lake_folder=tmp_path)

    assert "refused (" in message
    assert "file is not a database" in message
    assert "\n" not in message
    assert time.monotonic() - start < 45


def test_what_is_set_for_mlflow_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "7")
    before = dict(os.environ)
    logging.getLogger("mlflow").setLevel(logging.INFO)

    with quietly():
        inside = dict(os.environ)
        level = logging.getLogger("mlflow").level

    assert inside["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "7"
    assert inside["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert level == logging.CRITICAL
    assert dict(os.environ) == before
    assert logging.getLogger("mlflow").level == logging.INFO
