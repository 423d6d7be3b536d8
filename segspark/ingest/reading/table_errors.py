"""What Spark, Delta and databases throw about a source's table, as one sentence."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from segspark.errors import IngestError
from segspark.session.drivers import Driver
from segspark.settings.base import resolve_location, without_credentials
from segspark.settings.formats import JdbcFormat
from segspark.settings.sources import SourceSettings
from segspark.tables.engine_errors import ENGINE_ERRORS, engine_sentence, storage_advice

_CONDITION = re.compile(r"^\[[A-Z_.]+\] ")
_DEEPEST_CAUSE = 20


@contextmanager
def table_sentences(source: SourceSettings, *, name: str) -> Iterator[None]:
    """Raise what the engine throws inside the block as one IngestError.

    The sentence names the source, its table and the cause, and neither the password nor what else
    in the address lets someone in.
    """
    try:
        yield
    except ENGINE_ERRORS as caught:
        hidden = _hidden(source)
        cause = _without(_cause(caught), hidden)
        what = _without(_what(source), hidden)
        told = storage_advice(caught) or f"{cause}: {_advice(source, cause, name)}"
        raise IngestError(f"source {name}: {what}: {told}") from caught


def _what(source: SourceSettings) -> str:
    address = resolve_location(source.location)
    if isinstance(source.format, JdbcFormat):
        return f"table {source.format.table} of {address.partition('?')[0]}"
    return f"table {address}"


def _advice(source: SourceSettings, cause: str, name: str) -> str:
    if not isinstance(source.format, JdbcFormat):
        return f"check sources.{name}.location"
    if cause == "No suitable driver":
        return (
            "add the jar of its driver as GROUP:ARTIFACT:VERSION to spark.packages, or submit with "
            "--packages and --driver-class-path"
        )
    return f"check location, user, password and table of sources.{name}, and that it answers"


def missing_driver(driver: Driver, *, name: str) -> IngestError:
    """The refusal where the driver of a known database is not on the class path."""
    return IngestError(
        f"source {name}: Spark has no driver for {driver.address_start} addresses: add "
        f"{driver.coordinate} to spark.packages, or submit with --packages {driver.coordinate}"
    )


def _cause(caught: BaseException) -> str:
    """What the database or the file system says, and what lies beneath, without Java's names."""
    java = getattr(caught, "_origin", None) or getattr(caught, "java_exception", None)
    if java is None:
        return _first_line(engine_sentence(caught))
    said: list[str] = []
    while java is not None and len(said) < _DEEPEST_CAUSE:
        said.append(_first_line(java.getMessage() or ""))
        is_engine = java.getClass().getName().startswith("org.apache.spark.")
        java = java.getCause()
        if is_engine and java is not None:
            said.pop()
    outer, *inner = [line for line in said if line] or ["no reason given"]
    beneath = inner[-1] if inner and inner[-1].lower() not in outer.lower() else ""
    return ": ".join(part for part in (outer, beneath) if part)


def _first_line(message: str) -> str:
    """One line of what Java says, as part of a sentence: no code of Spark's, no full stops."""
    line = next((line for line in message.splitlines() if line.strip()), "").strip()
    return _CONDITION.sub("", line).replace(". ", "; ").rstrip(".")


def _hidden(source: SourceSettings) -> list[str]:
    """What must not be shown, wherever it stands."""
    if not isinstance(source.format, JdbcFormat) or source.format.password is None:
        return []
    password = resolve_location(source.format.password)
    return [password] if password else []


def _without(text: str, hidden: list[str]) -> str:
    for secret in hidden:
        text = text.replace(secret, "***")
    return without_credentials(text)
