"""How MLflow is called: quietly, with a limit to its patience, and answering in sentences."""

import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from segspark.errors import TrackingError
from segspark.tracking.place import CONNECT_SECONDS, TrackingPlace

PATIENT: Mapping[str, str] = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "60",
}
"""For requests to a server that answered a moment ago."""

IMPATIENT: Mapping[str, str] = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": str(CONNECT_SECONDS),
}
"""For the first request, which finds out whether a server is there at all."""

_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_UV_AUTO_DETECT": "false",
}
_LOGGERS = ("mlflow", "alembic", "urllib3.connectionpool")
_CAUSE_CHARACTERS = 200


@contextmanager
def environment(patience: Mapping[str, str] = PATIENT) -> Iterator[None]:
    """Set what MLflow reads from the environment, as far as it is not set, and take it back.

    Alone it is enough for importing MLflow, which starts its telemetry and its logging.
    """
    added = {name: text for name, text in {**_QUIET, **patience}.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


@contextmanager
def quietly(patience: Mapping[str, str] = PATIENT) -> Iterator[None]:
    """Run MLflow without its logging, warnings, progress bars, telemetry and long retries.

    MLflow reads all of this from the process, so it is put back afterwards. MLflow is imported
    before, since importing it sets the levels of its loggers.
    """
    levels = {name: logging.getLogger(name).level for name in _LOGGERS}
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        with environment(patience), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


def tracking_error(error: BaseException, *, place: TrackingPlace) -> TrackingError:
    """Say in one sentence, without credentials, what went wrong at the place."""
    if isinstance(error, ModuleNotFoundError):
        return TrackingError(
            f"MLflow needs the Python package {error.name} to reach {place.shown}: install it"
        )
    if place.is_server and _is_about_the_network(error):
        return TrackingError(
            f"MLflow at {place.shown} cannot be reached: start the server, or correct "
            f"tracking.location (environment variable MLFLOW_TRACKING_URI)"
        )
    if isinstance(error, OSError) and not error.filename:
        return TrackingError(
            f"MLflow's database at {place.shown} cannot be reached: start it, or correct "
            f"tracking.location (environment variable MLFLOW_TRACKING_URI)"
        )
    return TrackingError(
        f"MLflow at {place.shown} refused ({_cause(error, place=place)}): check that "
        f"tracking.location names the right place and that it may be written to"
    )


def _is_about_the_network(error: BaseException) -> bool:
    return any(isinstance(link, OSError) for link in _chain(error))


def _chain(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__ or link.__context__


def _cause(error: BaseException, *, place: TrackingPlace) -> str:
    text = place.redacted(str(error)).strip() or type(error).__name__
    return text.splitlines()[0].rstrip(". ")[:_CAUSE_CHARACTERS]
