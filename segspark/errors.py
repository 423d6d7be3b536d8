"""Every exception segspark raises on purpose: one sentence, what is wrong, where, what to do."""

from collections.abc import Sequence


class SegsparkError(Exception):
    """Base of all refusals; the command line maps it to exit code 1."""


class ConfigError(SegsparkError):
    """A configuration file or `--set` value is missing, unknown or out of range."""


class SetupError(SegsparkError):
    """Python, Java, Spark, Delta or the disk is not as segspark needs it."""


class StorageError(SegsparkError):
    """A table could not be read or written, or does not match its contract."""


class IngestError(SegsparkError):
    """A source cannot be read, or its books do not tie out."""


class StageError(SegsparkError):
    """A stage has no input to work on, or its result failed the audit."""


class ClusteringError(SegsparkError):
    """The data cannot be clustered as asked."""


class LifetimeError(SegsparkError):
    """Purchase histories are impossible, or too poor to estimate lifetime value from."""


class TrackingError(SegsparkError):
    """MLflow could not be reached or refused a request."""


def first_names(names: Sequence[str], *, most: int = 3) -> str:
    """The first of some names, and how many more there are, as part of a sentence."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"
