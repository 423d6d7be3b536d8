"""What `segspark doctor` looks at before any Spark starts."""

import importlib.metadata
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from segspark.errors import SegsparkError, SetupError
from segspark.session.jars import check_jars, jars_folder
from segspark.session.java import check_java
from segspark.settings.base import resolve_location
from segspark.settings.root import Settings

OLDEST_PYTHON = (3, 11)
LEAST_FREE_GIB = 2

SPARK_LINES_OF_DELTA = {
    "4.0": ("4.0",),
    "4.1": ("4.0", "4.1"),
    "4.2": ("4.0", "4.1"),
    "4.3": ("4.0", "4.1"),
    "4.4": ("4.0", "4.1", "4.2"),
}
"""Lines of pyspark that each line of delta-spark is made for, from its releases' requirements."""

_OLDEST_MLFLOW = (3, 17)
_GIB = 1024**3


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    ok: bool
    sentence: str


def diagnose(settings: Settings) -> list[Finding]:
    """Look at Python, Java, Spark, Delta, MLflow and the lake's disk; nothing is started."""
    checks: tuple[tuple[str, Callable[[], str]], ...] = (
        ("python", _python),
        ("java", _java),
        ("spark and delta", _versions),
        ("delta jars", _jars),
        ("mlflow", _mlflow),
        ("lake", lambda: _writable(settings)),
        ("free space", lambda: _space(settings)),
    )
    return [_finding(name, check) for name, check in checks]


def _finding(name: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(name, ok=True, sentence=check())
    except SegsparkError as error:
        return Finding(name, ok=False, sentence=str(error))


def _python() -> str:
    found = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info[:2] < OLDEST_PYTHON:
        raise SetupError(f"Python is {found}: segspark needs 3.11 or newer")
    return f"Python {found}"


def _java() -> str:
    java = check_java()
    return f"Java {java.version} at {java.command}"


def _versions() -> str:
    spark, delta = _installed("pyspark"), _installed("delta-spark")
    fitting = SPARK_LINES_OF_DELTA.get(_line(delta), ())
    if _line(spark) not in fitting:
        wanted = " or ".join(fitting)
        advice = f"install pyspark {wanted}" if wanted else "install delta-spark 4.0 to 4.4"
        raise SetupError(f"delta-spark {delta} is not made for pyspark {spark}: {advice}")
    return f"pyspark {spark} and delta-spark {delta} fit each other"


def _jars() -> str:
    jars = check_jars()
    return f"{len(jars)} Delta jars in {jars_folder()}, checksums right"


def _mlflow() -> str:
    version = _installed("mlflow")
    parts = version.split(".")
    if not (parts[0] == "3" and tuple(int(part) for part in parts[:2]) >= _OLDEST_MLFLOW):
        raise SetupError(f"mlflow is {version}: install one from 3.17 on and below 4")
    return f"mlflow {version}"


def _writable(settings: Settings) -> str:
    folder = _local_folder(settings)
    if folder is None:
        return f"the lake {settings.lake.location} is not on this machine's disk, not tried"
    existing = _nearest(folder)
    if not (existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)):
        raise SetupError(f"the lake {folder} cannot be written: {existing} refuses")
    return f"the lake {folder} can be written"


def _space(settings: Settings) -> str:
    folder = _local_folder(settings) or Path.cwd()
    existing = _nearest(folder)
    free = shutil.disk_usage(existing).free / _GIB
    if free < LEAST_FREE_GIB:
        raise SetupError(f"{existing} has {free:.1f} GiB left: free at least {LEAST_FREE_GIB} GiB")
    return f"{free:.0f} GiB free in {existing}"


def _local_folder(settings: Settings) -> Path | None:
    """The lake's folder, if its location is one of this machine and not an object store's."""
    location = resolve_location(settings.lake.location)
    parts = urlsplit(location)
    if parts.scheme == "file":
        return Path(unquote(parts.path))
    return None if "://" in location else Path(location).absolute()


def _nearest(folder: Path) -> Path:
    """The folder itself, or the nearest above it that exists."""
    return next(path for path in (folder, *folder.parents) if path.exists())


def _installed(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError as error:
        raise SetupError(f"{package} is not installed: `pip install 'segspark[spark]'`") from error


def _line(version: str) -> str:
    return ".".join(version.split(".")[:2])
