"""Java is looked at before Spark is asked to start."""

from pathlib import Path

import pytest

from segspark.errors import SetupError
from segspark.session.java import check_java


def _fake_java(home: Path, *, says: str) -> Path:
    command = home / "bin" / "java"
    command.parent.mkdir(parents=True)
    command.write_text(f"#!/bin/sh\necho '{says}' >&2\n")
    command.chmod(0o755)
    return command


@pytest.mark.parametrize(
    ("says", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('java version "21" 2023-09-19', 21),
        ('NOTE: Picked up JDK_JAVA_OPTIONS\nopenjdk version "25.0.1" 2025-10-21', 25),
    ],
)
def test_the_java_of_java_home_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str, version: int
) -> None:
    command = _fake_java(tmp_path, says=says)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    java = check_java()
    assert (java.command, java.version) == (command, version)


@pytest.mark.parametrize("says", ['java version "1.8.0_402"', 'openjdk version "11.0.22"'])
def test_an_old_java_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str) -> None:
    _fake_java(tmp_path, says=says)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(SetupError, match=r"is Java (8|11), too old for Spark 4: install a Java 17"):
        check_java()


def test_no_java_at_all_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match=r"^Spark needs Java, and none was found: install"):
        check_java()


def test_a_java_home_without_java_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(SetupError, match=f"JAVA_HOME is {tmp_path}, and there is no bin/java"):
        check_java()
