"""Further jars of a local session: fetched once, kept beside the Delta jars.

`python -m segspark.session.packages GROUP:ARTIFACT:VERSION …` fetches them ahead, for a machine
that will have no network.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from segspark.errors import SetupError
from segspark.session.ivy import resolve
from segspark.session.jars import jars_folder


def packages_folder() -> Path:
    """One folder for each coordinate, beside the Delta jars, whose folder holds nothing else."""
    return jars_folder().parent / "packages"


def fetch_packages(coordinates: Sequence[str], folder: Path | None = None) -> tuple[Path, ...]:
    """Fetch what is not there yet; what is there needs no network.

    Each coordinate has a folder of its own, so that one more fetches nothing but itself. It
    appears by one rename once everything has arrived: a folder that is there is whole.

    Args:
        coordinates: `group:artifact:version` each.
        folder: Where they are kept; `packages_folder()` if not given.

    Returns:
        The jars of all of them; one that several bring is named once.

    Raises:
        SetupError: A coordinate is unknown, there is no network, or the folder cannot be written.
    """
    home = folder or packages_folder()
    jars: dict[str, Path] = {}
    for coordinate in coordinates:
        for jar in sorted(_fetch(coordinate, home).glob("*.jar")):
            jars.setdefault(jar.name, jar)
    return tuple(jars.values())


def _fetch(coordinate: str, home: Path) -> Path:
    """The folder of one coordinate, fetched if it is not there."""
    kept = home / coordinate.replace(":", "_")
    if kept.is_dir():
        return kept
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home, prefix=".fetching-") as work:
            arrived = resolve(coordinate, Path(work), what=f"the jars of {coordinate}")
            if not (arrived / _file_name(coordinate)).is_file():
                raise SetupError(
                    f"{coordinate} holds no jar of its own: give the coordinate of a library"
                )
            _keep(arrived, kept)
    except OSError as error:
        raise SetupError(f"the jars of {coordinate} could not be stored: {error}") from error
    return kept


def _keep(arrived: Path, kept: Path) -> None:
    try:
        arrived.rename(kept)
    except OSError:
        if not kept.is_dir():  # else another process has fetched the same meanwhile
            raise


def _file_name(coordinate: str) -> str:
    """The name that Spark's resolver gives the coordinate's own jar."""
    group, artifact, version = coordinate.split(":")
    return f"{group}_{artifact}-{version}.jar"


def main() -> int:
    """Fetch the coordinates of the command line; print one line."""
    try:
        jars = fetch_packages(sys.argv[1:])
    except SetupError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    sys.stdout.write(f"further jars: {len(jars)} in {packages_folder()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
