"""Further jars are fetched once, whole or not at all."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from segspark.errors import SetupError
from segspark.session import ivy, packages
from segspark.session.drivers import DRIVERS, POSTGRESQL, driver_of
from segspark.session.packages import fetch_packages, packages_folder
from segspark.settings.lake import SparkSettings


def _arrive(monkeypatch: pytest.MonkeyPatch, *names: str, then: str = "") -> list[str]:
    """Let the resolver bring these files, then fail if told so; returns what it was asked for."""
    asked: list[str] = []

    def resolve(coordinate: str, folder: Path, *, what: str) -> Path:
        asked.append(coordinate)
        (folder / "jars").mkdir()
        for name in names:
            (folder / "jars" / name).touch()
        if then:
            raise SetupError(f"{what} {then}")
        return folder / "jars"

    monkeypatch.setattr(packages, "resolve", resolve)
    return asked


def test_they_are_kept_beside_the_delta_jars_and_not_among_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SEGSPARK_JARS", "/somewhere/jars")
    assert packages_folder() == Path("/somewhere/packages")


def test_a_coordinate_is_fetched_once_and_read_offline_ever_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = _arrive(monkeypatch, "org.a_b-1.jar", "org.c_d-2.jar")
    first = fetch_packages(["org.a:b:1"], tmp_path)
    again = fetch_packages(["org.a:b:1"], tmp_path)
    assert asked == ["org.a:b:1"]
    assert [jar.name for jar in first] == ["org.a_b-1.jar", "org.c_d-2.jar"]
    assert again == first
    assert all(jar.is_file() for jar in first)


def test_one_more_coordinate_fetches_only_itself_and_what_both_bring_counts_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _arrive(monkeypatch, "org.a_b-1.jar", "shared-1.jar")
    fetch_packages(["org.a:b:1"], tmp_path)
    asked = _arrive(monkeypatch, "org.x_y-1.jar", "shared-1.jar")
    jars = fetch_packages(["org.a:b:1", "org.x:y:1"], tmp_path)
    assert asked == ["org.x:y:1"]
    assert [jar.name for jar in jars] == ["org.a_b-1.jar", "shared-1.jar", "org.x_y-1.jar"]


def test_what_arrived_before_a_failure_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _arrive(monkeypatch, "org.a_b-1.jar", then="could not be fetched: no route")
    with pytest.raises(SetupError, match=r"^the jars of org.a:b:1 could not be fetched: no route"):
        fetch_packages(["org.a:b:1"], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_coordinate_without_a_jar_of_its_own_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _arrive(monkeypatch, "something_else-1.jar")
    with pytest.raises(SetupError, match=r"^org\.a:b:1 holds no jar of its own"):
        fetch_packages(["org.a:b:1"], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_another_process_that_was_faster_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "org.a_b_1"

    def resolve(coordinate: str, folder: Path, *, what: str) -> Path:
        for home in (folder / "jars", kept):
            home.mkdir()
            (home / "org.a_b-1.jar").write_text(f"{what} of {coordinate}")
        return folder / "jars"

    monkeypatch.setattr(packages, "resolve", resolve)
    assert fetch_packages(["org.a:b:1"], tmp_path) == (kept / "org.a_b-1.jar",)
    assert list(tmp_path.iterdir()) == [kept]


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match=r"^the jars of org\.a:b:1 could not be stored: "):
        fetch_packages(["org.a:b:1"], tmp_path / "file" / "packages")


@pytest.fixture
def submit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Spark whose `spark-submit` prints the file `says` and notes how it was called."""
    program = tmp_path / "bin" / "spark-submit"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/called\ncat {tmp_path}/says\nexit 1\n')
    program.chmod(0o755)
    monkeypatch.setattr(ivy, "spark_home", lambda: tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        (
            "\tmodule not found: org.a#b;1\n::: ERRORS\n\tServer access error at url u (timeout)\n",
            "could not be fetched: Server access error at url u (timeout); check the network ",
        ),
        (
            "\t\tmodule not found: org.a#b;1\n",
            "could not be fetched: module not found: org.a#b;1; check org.a:b:1 and the network ",
        ),
    ],
)
def test_no_network_and_an_unknown_coordinate_are_told_apart(
    submit: Path, says: str, expected: str
) -> None:
    (submit / "says").write_text(says)
    with pytest.raises(SetupError) as refused:
        ivy.resolve("org.a:b:1", submit, what="the jars")
    assert str(refused.value).startswith(f"the jars {expected}")


def test_what_spark_brings_is_left_out_unless_it_is_asked_for(submit: Path) -> None:
    (submit / "says").touch()
    with pytest.raises(SetupError):
        ivy.resolve("org.apache.hadoop:hadoop-aws:3.4.2", submit, what="the jars")
    called = (submit / "called").read_text()
    assert "org.slf4j:*" in called
    assert "org.apache.hadoop:hadoop-c*" not in called
    assert "software.amazon.awssdk:bundle" in called


@pytest.mark.parametrize("coordinate", ["org.postgresql:postgresql", "a:b:1 --conf", "a:b:1,c:d:2"])
def test_a_package_is_a_whole_coordinate(coordinate: str) -> None:
    with pytest.raises(ValidationError, match="packages"):
        SparkSettings(packages=(coordinate,))


def test_the_known_drivers_can_be_asked_for_as_packages() -> None:
    assert SparkSettings(packages=tuple(driver.coordinate for driver in DRIVERS)).packages
    assert driver_of("jdbc:postgresql://host/shop") is POSTGRESQL
    assert driver_of("jdbc:mysql://host/shop") is None
