"""One quiet run of Spark's own dependency resolver."""

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from importlib import resources
from pathlib import Path

from segspark.errors import SetupError
from segspark.session.java import check_java

EXCLUDED = (
    "com.fasterxml.jackson.core:*",
    "com.fasterxml.jackson.datatype:*",
    "com.fasterxml.jackson.module:*",
    "com.github.luben:*",
    "com.google.code.findbugs:*",
    "commons-codec:*",
    "commons-logging:*",
    "commons-pool:*",
    "io.airlift:*",
    "io.netty:*",
    "javax.annotation:*",
    "org.apache.hadoop:hadoop-c*",
    "org.apache.httpcomponents:httpc*",
    "org.apache.logging.log4j:*",
    "org.apache.parquet:*",
    "org.locationtech.jts:*",
    "org.roaringbitmap:*",
    "org.slf4j:*",
    "org.xerial.snappy:*",
    "software.amazon.awssdk:bundle",
)
"""What jars ask for and Spark brings itself; without these, Delta comes as 33 jars, not seven.

The last is all of Amazon's services in 600 MB, of which S3 is 9: see `S3` in `drivers`.
"""

_PATIENCE_SECONDS = 300
_NO_NETWORK = re.compile(
    r"UnknownHost|Server access error|timed out|Connection refused|Network is unreachable|"
    r"certificate"
)
_TELLING = re.compile(r"not found:|unresolved dependency|No space left|Caused by|Exception")


def spark_home() -> Path | None:
    """The folder of the installed pyspark, if it holds a whole Spark."""
    found = importlib.util.find_spec("pyspark")
    if found is None or found.origin is None:
        return None
    home = Path(found.origin).parent
    return home if (home / "bin" / "spark-submit").exists() else None


def resolve(coordinate: str, folder: Path, *, what: str) -> Path:
    """Fetch a Maven coordinate and what it needs beyond Spark.

    Spark's launcher resolves before it runs the program, so an empty program is enough: no
    Spark session starts.

    Args:
        coordinate: `group:artifact:version`.
        folder: Where the resolver may work.
        what: What is fetched, in the plural, for messages: `the Delta jars`.

    Returns:
        The folder, inside `folder`, that holds the jars.

    Raises:
        SetupError: It could not be fetched.
    """
    java = check_java()
    home = spark_home()
    if home is None:
        raise SetupError("the installed pyspark has no spark-submit: `pip install pyspark`")
    settings = resources.files("segspark.session").joinpath("ivysettings.xml")
    with resources.as_file(settings) as path, tempfile.TemporaryDirectory() as nowhere:
        program = Path(nowhere) / "nothing.py"
        program.touch()
        command: list[str | Path] = [home / "bin" / "spark-submit", "--master", "local[1]"]
        command += ["--packages", coordinate, "--exclude-packages", _excluded(coordinate)]
        command += [
            "--conf",
            f"spark.jars.ivy={folder}",
            "--conf",
            f"spark.jars.ivySettings={path}",
        ]
        answer = _run([*command, program], home=home, java_path=java.command.parent, what=what)
    if answer.returncode != 0:
        reason = _reason(answer.stdout)
        doubt = "" if _NO_NETWORK.search(reason) else f"{coordinate} and "
        raise SetupError(
            f"{what} could not be fetched: {reason}; check {doubt}the network "
            "(proxies are taken from SPARK_SUBMIT_OPTS) and try again"
        )
    return folder / "jars"


def _excluded(coordinate: str) -> str:
    """What is left out; never the group that is asked for, or nothing of it would come."""
    asked = coordinate.split(":", maxsplit=1)[0]
    return ",".join(pattern for pattern in EXCLUDED if not pattern.startswith(f"{asked}:"))


def _run(
    command: list[str | Path], *, home: Path, java_path: Path, what: str
) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "SPARK_HOME": str(home),
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PATH": f"{os.environ.get('PATH', os.defpath)}{os.pathsep}{java_path}",
    }
    try:
        return subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise SetupError(
            f"{what} did not arrive within {_PATIENCE_SECONDS} seconds: "
            "check the network and try again"
        ) from error


def _reason(output: str) -> str:
    """The first line of the resolver's output that says what went wrong.

    Without a network the resolver says `not found` too, before it says why.
    """
    lines = [line.strip(" \t:") for line in output.splitlines() if line.strip(" \t:")]
    unreached = [line for line in lines if _NO_NETWORK.search(line)]
    telling = [line for line in lines if _TELLING.search(line)]
    return (unreached or telling or lines or ["no reason given"])[0]
