"""The Java that runs Spark: found and read before Spark is asked to start."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from segspark.errors import SetupError

OLDEST_JAVA = 17
"""Spark 4 is compiled for Java 17."""

_ADVICE = (
    f"install a Java {OLDEST_JAVA} or 21 runtime (Debian and Ubuntu: "
    "`apt-get install openjdk-17-jre-headless`) or point JAVA_HOME at one"
)
_VERSION = re.compile(r'version "(?:1\.)?(?P<major>\d+)')


@dataclass(frozen=True, slots=True)
class Java:
    """A Java that Spark can run on."""

    command: Path
    version: int


def check_java() -> Java:
    """Find the Java that Spark's own start script would take, and its version.

    Raises:
        SetupError: There is none, it does not run, or it is too old for Spark 4.
    """
    command = _find()
    version = _read_version(command)
    if version < OLDEST_JAVA:
        raise SetupError(f"{command} is Java {version}, too old for Spark 4: {_ADVICE}")
    return Java(command, version)


def _find() -> Path:
    home = os.environ.get("JAVA_HOME")
    if home:
        command = Path(home) / "bin" / "java"
        if not os.access(command, os.X_OK):
            raise SetupError(f"JAVA_HOME is {home}, and there is no bin/java in it: {_ADVICE}")
        return command
    found = shutil.which("java")
    if found is None:
        raise SetupError(f"Spark needs Java, and none was found: {_ADVICE}")
    return Path(found)


def _read_version(command: Path) -> int:
    try:
        answer = subprocess.run(
            [command, "-version"], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SetupError(f"{command} does not run ({error}): {_ADVICE}") from error
    match = _VERSION.search(answer.stderr + answer.stdout)
    if match is None:
        raise SetupError(f"{command} does not tell its version: {_ADVICE}")
    return int(match["major"])
