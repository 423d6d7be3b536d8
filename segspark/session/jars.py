"""The Delta jars: fetched once by Spark's own resolver, checked against a lock ever after.

`python -m segspark.session.jars` fetches what is missing into `jars_folder()`.
"""

import hashlib
import importlib.metadata
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from segspark.errors import SetupError
from segspark.session.ivy import resolve

LOCKED_SPARK = "4.2"
"""The line of pyspark that the locked jars are compiled for; their names carry it."""


@dataclass(frozen=True, slots=True)
class LockedJar:
    """One line of the lock: a jar and the checksum of its bytes."""

    sha256: str
    group: str
    artifact: str
    version: str

    @property
    def file_name(self) -> str:
        """The name that Spark's resolver gives the file."""
        return f"{self.group}_{self.artifact}-{self.version}.jar"

    @property
    def coordinate(self) -> str:
        """The name by which Maven repositories know it."""
        return f"{self.group}:{self.artifact}:{self.version}"


def locked_jars() -> tuple[LockedJar, ...]:
    """Read the lock that ships with the package."""
    text = resources.files("segspark.session").joinpath("delta_jars.lock").read_text("utf-8")
    return tuple(LockedJar(*line.split()) for line in text.splitlines() if line.strip())


def jars_folder() -> Path:
    """The folder of Delta jars: `SEGSPARK_JARS`, or one inside this Python environment."""
    named = os.environ.get("SEGSPARK_JARS")
    return Path(named) if named else Path(sys.prefix) / "share" / "segspark" / "jars"


def check_jars(folder: Path | None = None) -> tuple[Path, ...]:
    """Compare the folder with the lock, byte for byte.

    Args:
        folder: Where the jars are; `jars_folder()` if not given.

    Returns:
        The jars, in the order of the lock.

    Raises:
        SetupError: Another pyspark is installed than the one they are for, or a jar is missing,
            is another than the locked one, or is one too many.
    """
    check_locked_spark()
    home = folder or jars_folder()
    problem = _difference(home)
    if problem:
        raise SetupError(
            f"the Delta jars in {home} are not those of the lock: {problem}; "
            f"fetch them with `{Path(sys.executable).name} -m segspark.session.jars`"
        )
    return tuple(home / jar.file_name for jar in locked_jars())


def fetch_jars(folder: Path | None = None) -> Path:
    """Fetch the locked jars with Spark's own resolver, unless they are there.

    They arrive in a folder beside the final one and are moved only when every checksum is right,
    so an interrupted or poisoned download leaves what was there before.

    Raises:
        SetupError: Another pyspark is installed than the one they are for, there is no network,
            or what came is not what the lock says.
    """
    check_locked_spark()
    home = folder or jars_folder()
    if not _difference(home):
        return home
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home.parent, prefix=".jars-") as work:
            arrived = resolve(_wanted().coordinate, Path(work), what="the Delta jars")
            problem = _difference(arrived)
            if problem:
                raise SetupError(f"the Delta jars that came are not those of the lock: {problem}")
            _swap(arrived, home, old=Path(work) / "old")
    except OSError as error:
        raise SetupError(f"the Delta jars could not be stored in {home}: {error}") from error
    return home


def check_locked_spark() -> None:
    """Refuse a pyspark that the locked jars are not compiled for.

    Raises:
        SetupError: pyspark is not installed, or is of another line.
    """
    try:
        version = importlib.metadata.version("pyspark")
    except importlib.metadata.PackageNotFoundError as error:
        raise SetupError("pyspark is not installed: `pip install 'segspark[spark]'`") from error
    line = ".".join(version.split(".")[:2])
    if line != LOCKED_SPARK:
        raise SetupError(
            f"pyspark is {version}, and the Delta jars that segspark fetches are for pyspark "
            f"{LOCKED_SPARK}: install that, or submit the job with `spark-submit --packages "
            f"io.delta:delta-spark_{line}_2.13:VERSION`, VERSION being that of delta-spark"
        )


def _wanted() -> LockedJar:
    """The one jar that is asked for; the others are what it needs."""
    return next(jar for jar in locked_jars() if jar.artifact.startswith("delta-spark_"))


def _difference(folder: Path) -> str:
    """Say how the folder differs from the lock; empty if it does not."""
    expected = {jar.file_name: jar.sha256 for jar in locked_jars()}
    found = {path.name: path for path in folder.glob("*.jar")}
    missing = sorted(expected.keys() - found.keys())
    extra = sorted(found.keys() - expected.keys())
    wrong = sorted(
        name for name in expected.keys() & found.keys() if _sha256(found[name]) != expected[name]
    )
    parts = (("missing", missing), ("not in the lock", extra), ("wrong checksum", wrong))
    return "; ".join(f"{what}: {', '.join(names)}" for what, names in parts if names)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _swap(arrived: Path, home: Path, *, old: Path) -> None:
    """Put the new folder in the old one's place; renames only, so nobody sees half a folder."""
    if home.exists():
        home.rename(old)
    arrived.rename(home)
    if old.exists():
        shutil.rmtree(old)


def main() -> int:
    """Fetch what is missing; print one line."""
    try:
        home = fetch_jars()
    except SetupError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    sys.stdout.write(f"Delta jars: {home}, checked against the lock\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
