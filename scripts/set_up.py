"""Set up a working copy: Java, virtual environment, locked packages, Delta jars, test drivers.

`make setup` runs it with the system's Python, so it needs nothing beyond the standard library and
the modules of segspark that need nothing either. Every step finds out what is there already;
every failure is one sentence.
"""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from segspark.errors import SetupError
from segspark.session.drivers import TESTED_PACKAGES
from segspark.session.java import check_java

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
JAVA_PACKAGES = ("openjdk-17-jre-headless", "openjdk-21-jre-headless")
"""In order of preference; newer Debian releases have dropped the first."""


def main() -> int:
    """Run every step; the first failure ends it."""
    try:
        ensure_java()
        _make_environment()
        _install_packages()
        subprocess.run([PYTHON, "-m", "segspark.session.jars"], cwd=ROOT, check=True)
        # The tests read databases and S3; what they need comes now, so that they need no network.
        fetching = ("-m", "segspark.session.packages", *TESTED_PACKAGES)
        subprocess.run([PYTHON, *fetching], cwd=ROOT, check=True)
    except SetupError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except subprocess.CalledProcessError:
        return 1  # the step has said why
    _say("set up: `make demo` and `make test` are ready")
    return 0


def ensure_java() -> None:
    """See that there is a Java; as root on Debian or Ubuntu, install one.

    Raises:
        SetupError: There is none, with the one command that brings it.
    """
    try:
        check_java()
    except SetupError as error:
        if os.environ.get("JAVA_HOME"):
            raise
        if not (shutil.which("apt-get") and os.geteuid() == 0):
            raise SetupError(
                f"{str(error).split(':')[0]}: run `{_java_command()}`, then this again"
            ) from error
        _install_java()
        check_java()


def _install_java() -> None:
    _say(f"no Java 17 or newer: installing {JAVA_PACKAGES[0]} with apt-get")
    problem = "Java could not be installed with apt-get"
    run_quietly(["apt-get", "update", "-qq"], problem=problem)
    for package in JAVA_PACKAGES:
        known = subprocess.run(
            ["apt-cache", "show", package], capture_output=True, check=False
        ).returncode
        if known == 0:
            install = ["apt-get", "install", "-qq", "-y", "--no-install-recommends", package]
            run_quietly(install, problem=problem)
            return
    raise SetupError(f"{problem}: it knows none of {', '.join(JAVA_PACKAGES)}")


def _java_command() -> str:
    if platform.system() == "Darwin":
        return "brew install --cask temurin@17"
    if shutil.which("dnf"):
        return "sudo dnf install -y java-17-openjdk-headless"
    return f"sudo apt-get install -y {JAVA_PACKAGES[0]}"


def _make_environment() -> None:
    if PYTHON.exists() and subprocess.run([PYTHON, "-c", ""], check=False).returncode == 0:
        return
    _say("making the virtual environment .venv")
    run_quietly(
        [sys.executable, "-m", "venv", "--clear", str(VENV)],
        problem="the virtual environment could not be made (Debian and Ubuntu: "
        "`apt-get install python3-venv`)",
    )


def _install_packages() -> None:
    """Bring the environment to exactly the lock, then segspark itself, editable."""
    lock = ROOT / "requirements-dev.lock"
    problem = "the packages could not be installed; check the network and try again"
    uv = VENV / "bin" / "uv"
    if not uv.exists():
        pin = next(line for line in lock.read_text("utf-8").splitlines() if line.startswith("uv=="))
        run_quietly([PYTHON, "-m", "pip", "install", "--quiet", pin.split()[0]], problem=problem)
    _say("installing the locked packages (1.5 GB on disk, a minute or two at the first time)")
    target = ["--quiet", "--python", str(PYTHON)]
    run_quietly([uv, "pip", "sync", *target, lock], problem=problem)
    editable = ["--no-deps", "--no-build-isolation", "--editable", str(ROOT)]
    run_quietly([uv, "pip", "install", *target, *editable], problem=problem)


def run_quietly(command: Sequence[str | Path], *, problem: str) -> None:
    """Run a command whose output nobody needs unless it fails.

    Raises:
        SetupError: It failed; the sentence ends with the line of its output that says why.
    """
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        answer = subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    except OSError as error:
        raise SetupError(f"{problem}: {error}") from error
    if answer.returncode != 0:
        raise SetupError(f"{problem}: {_telling_line(answer.stdout)}")


def _telling_line(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    telling = [line for line in lines if "error" in line.lower() or line.startswith("E:")]
    return (telling or lines or ["no reason given"])[-1]


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
