"""Turning what Spark, Delta and Py4J throw into one sentence."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from py4j.protocol import Py4JError, Py4JJavaError
from pyspark.errors import PySparkException, PythonException

from segspark.errors import SegsparkError, StorageError
from segspark.settings.base import without_credentials

ENGINE_ERRORS = (PySparkException, Py4JError)
"""Everything that the engine raises in Python."""
_FULL_DISK = ("No space left on device", "Disk quota exceeded", "File too large")
_DEEPEST_CAUSE = 20
_OVERFLOW = "numbers grow beyond what their columns hold: correct what they are worked out from"
_TOO_LARGE = ("ARITHMETIC_OVERFLOW", "NUMERIC_VALUE_OUT_OF_RANGE")
_OWN_ERRORS = f"{SegsparkError.__module__}."
_JAVAS_PYTHON_ERROR = "org.apache.spark.api.python.PythonException"
_MISSING_CLASS = re.compile(
    r"ClassNotFoundException: Class (org\.apache\.hadoop\.fs\.[\w.$]+) not found|"
    r"NoClassDefFoundError: (software/amazon/[\w/$]+)"
)
_NO_BUCKET = ("NoSuchBucket", "UnknownStoreException")
_NO_LOGIN = ("NoAuthWithAWSException", "CredentialInitializationException", "NoAwsCredentials")
_EXPIRED = ("ExpiredToken", "token has expired")
_DENIED = re.compile(
    r"(?:S3Exception: ?(?P<said>[^\n()]*?)\.? ?)?\(Service: S3, Status Code: 40[13]"
)
_CONFLICTS = ("CONCURRENT", "METADATACHANGED", "PROTOCOLCHANGED")
"""Parts of Delta's names of conflicts, whether of the error or of its class."""


@contextmanager
def engine_sentences(doing: str, *, error: type[SegsparkError] = StorageError) -> Iterator[None]:
    """Raise what the engine throws inside the block as `error`: `doing`, then the cause."""
    try:
        yield
    except ENGINE_ERRORS as caught:
        raise error(f"{doing}: {engine_sentence(caught)}") from caught


@contextmanager
def overflow_of(what: str) -> Iterator[None]:
    """Where numbers grow too large inside the block, add to the sentence what they come from."""
    try:
        yield
    except SegsparkError as error:
        if str(error).endswith(_OVERFLOW):
            raise type(error)(f"{error}, {what}") from error
        raise


def engine_sentence(caught: BaseException) -> str:
    """The root cause in one line, as `engine_reason`; where the disk is full, what to do."""
    reason = engine_reason(caught)
    full = next((words for words in _FULL_DISK if words in reason), None)
    if full is not None:
        return f"no space to write ({full}): make room or raise the quota"
    # Where two stages of a query fail, Spark's name of the error is that of both.
    if any(name in reason for name in _TOO_LARGE):
        return _OVERFLOW
    return storage_advice(caught) or reason


def storage_advice(caught: BaseException) -> str | None:
    """What an object store lacks or refuses, and what to do; None: it is something else."""
    # What is thrown first often says it, and the last cause sometimes.
    told = f"{caught} {engine_reason(caught)}"
    missing = _MISSING_CLASS.search(told)
    if missing:
        name = (missing[1] or missing[2]).replace("/", ".")
        return (
            f"Spark has no jar with {name}: add what docs/ingest.md names for such addresses to "
            "spark.packages, or submit with --packages"
        )
    if any(word in told for word in _NO_BUCKET):
        return "there is no such bucket: correct the address"
    if any(word in told for word in _NO_LOGIN):
        return (
            "there are no credentials for it: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
            "give Spark others"
        )
    if any(word in told for word in _EXPIRED):
        return "the credentials that Spark has are no longer valid: get new ones"
    denied = _DENIED.search(told)
    if denied:
        said = f" ({denied['said']})" if denied["said"] else ""
        return f"access is denied{said}: check the credentials that Spark has, and what they may do"
    return None


def engine_reason(caught: BaseException) -> str:
    """The root cause in one line: its error class where it has one, its message, no Java trace.

    Passwords are taken out of the addresses that it quotes.
    """
    condition = error_condition(caught)
    message = _message(caught)
    is_told = not condition or condition in message or isinstance(caught, PythonException)
    return message if is_told else f"[{condition}] {message}"


def is_conflict(caught: BaseException) -> bool:
    """Whether another writer changed the table meanwhile, so that trying again makes sense."""
    condition = error_condition(caught) or type(caught).__name__.upper()
    return any(conflict in condition.replace("_", "") for conflict in _CONFLICTS)


def error_condition(caught: BaseException) -> str | None:
    """Spark's or Delta's name of the error, such as DELTA_VIOLATE_CONSTRAINT_WITH_VALUES."""
    if isinstance(caught, PySparkException):
        return caught.getCondition()
    if isinstance(caught, Py4JJavaError):
        for cause in _java_causes(caught):
            if hasattr(cause, "getErrorClass"):
                try:
                    found = cause.getErrorClass()
                except Py4JError:
                    continue
                return None if found is None else str(found)
    return None


def _message(caught: BaseException) -> str:
    text, is_python = str(caught), isinstance(caught, PythonException)
    if isinstance(caught, Py4JJavaError):
        text = str(_java_causes(caught)[-1].toString())
        is_python = text.startswith(_JAVAS_PYTHON_ERROR)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if is_python and lines:
        # The trace of a Python worker ends in `KindOfError: what is wrong`.
        kind, _, wrong = lines[-1].partition(": ")
        lines = [wrong if kind.startswith(_OWN_ERRORS) else lines[-1]]
    kept = [line for line in lines if not line.startswith(("at ", "SQLSTATE", "JVM stacktrace"))]
    return without_credentials(kept[0] if kept else type(caught).__name__)[:500]


def _java_causes(caught: Py4JJavaError) -> list[Any]:
    causes = [caught.java_exception]
    while (deeper := causes[-1].getCause()) is not None and len(causes) < _DEEPEST_CAUSE:
        causes.append(deeper)
    return causes
