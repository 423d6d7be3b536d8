"""The Delta jars are those of the lock, or nothing starts."""

import hashlib
import importlib.metadata
from pathlib import Path

import pytest

from segspark.errors import SetupError
from segspark.session import ivy, jars
from segspark.session.jars import LockedJar, check_jars, fetch_jars, jars_folder, locked_jars

GOOD = b"the right bytes"


@pytest.fixture
def lock(monkeypatch: pytest.MonkeyPatch) -> LockedJar:
    """A lock of one small jar."""
    jar = LockedJar(hashlib.sha256(GOOD).hexdigest(), "io.delta", "delta-spark_4.2_2.13", "4.4.0")
    monkeypatch.setattr(jars, "locked_jars", lambda: (jar,))
    return jar


def _arrives(monkeypatch: pytest.MonkeyPatch, *, name: str, content: bytes) -> list[str]:
    """Let the resolver bring one file; returns what it was asked for."""
    asked: list[str] = []

    def resolve(coordinate: str, folder: Path, *, what: str) -> Path:
        assert what == "the Delta jars"
        asked.append(coordinate)
        (folder / "jars").mkdir()
        (folder / "jars" / name).write_bytes(content)
        return folder / "jars"

    monkeypatch.setattr(jars, "resolve", resolve)
    return asked


def test_the_lock_holds_the_seven_jars_of_one_delta_and_its_spark() -> None:
    assert len(locked_jars()) == 7
    assert {jar.version for jar in locked_jars() if jar.group == "io.delta"} == {"4.4.0"}
    assert any(f"_{jars.LOCKED_SPARK}_" in jar.artifact for jar in locked_jars())


def test_the_folder_can_be_named_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEGSPARK_JARS", "/somewhere/jars")
    assert jars_folder() == Path("/somewhere/jars")


def test_right_jars_are_returned(tmp_path: Path, lock: LockedJar) -> None:
    (tmp_path / lock.file_name).write_bytes(GOOD)
    assert check_jars(tmp_path) == (tmp_path / lock.file_name,)


def test_a_jar_with_other_bytes_is_refused(tmp_path: Path, lock: LockedJar) -> None:
    (tmp_path / lock.file_name).write_bytes(b"other bytes")
    with pytest.raises(SetupError, match=f"wrong checksum: {lock.file_name}; fetch them with"):
        check_jars(tmp_path)


def test_a_missing_and_a_surplus_jar_are_named_together(tmp_path: Path, lock: LockedJar) -> None:
    (tmp_path / "surplus.jar").touch()
    expected = f"missing: {lock.file_name}; not in the lock: surplus.jar"
    with pytest.raises(SetupError, match=expected):
        check_jars(tmp_path)


def test_what_is_there_already_is_not_fetched_again(
    tmp_path: Path, lock: LockedJar, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / lock.file_name).write_bytes(GOOD)
    asked = _arrives(monkeypatch, name=lock.file_name, content=GOOD)
    fetch_jars(tmp_path)
    assert asked == []


def test_fetched_jars_replace_a_damaged_folder(
    tmp_path: Path, lock: LockedJar, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "jars"
    home.mkdir()
    (home / lock.file_name).write_bytes(b"half a down")
    asked = _arrives(monkeypatch, name=lock.file_name, content=GOOD)
    fetch_jars(home)
    assert asked == [lock.coordinate]
    assert check_jars(home) == (home / lock.file_name,)
    assert [path.name for path in tmp_path.iterdir()] == ["jars"]


def test_a_fetched_jar_with_other_bytes_never_arrives(
    tmp_path: Path, lock: LockedJar, monkeypatch: pytest.MonkeyPatch
) -> None:
    _arrives(monkeypatch, name=lock.file_name, content=b"poison")
    with pytest.raises(
        SetupError, match=f"not those of the lock: wrong checksum: {lock.file_name}"
    ):
        fetch_jars(tmp_path / "jars")
    assert list(tmp_path.iterdir()) == []


def test_another_line_of_pyspark_is_told_how_to_submit(
    tmp_path: Path, lock: LockedJar, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / lock.file_name).write_bytes(GOOD)
    monkeypatch.setattr(importlib.metadata, "version", lambda _: "4.1.4")
    with pytest.raises(SetupError, match=r"--packages io\.delta:delta-spark_4\.1_2\.13:VERSION"):
        check_jars(tmp_path)


def test_a_failed_resolution_ends_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit = tmp_path / "bin" / "spark-submit"
    submit.parent.mkdir()
    submit.write_text("#!/bin/sh\necho ':: loading settings'\necho 'No space left: x'\nexit 1\n")
    submit.chmod(0o755)
    monkeypatch.setattr(ivy, "spark_home", lambda: tmp_path)
    expected = "^the Delta jars could not be fetched: No space left: x; check io.delta:"
    with pytest.raises(SetupError, match=expected):
        ivy.resolve("io.delta:delta-spark_4.2_2.13:4.4.0", tmp_path, what="the Delta jars")
