"""The doctor finds what is wrong before Spark starts."""

import importlib.metadata
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from segspark.session.doctor import Finding, diagnose
from segspark.settings.lake import LakeSettings
from segspark.settings.root import Settings

Usage = namedtuple("Usage", "total used free")


def _find(name: str, *, lake: str | Path) -> Finding:
    settings = Settings(lake=LakeSettings(location=str(lake)))
    return next(finding for finding in diagnose(settings) if finding.name == name)


def _install(monkeypatch: pytest.MonkeyPatch, **versions: str) -> None:
    def version(package: str) -> str:
        if package.replace("-", "_") not in versions:
            raise importlib.metadata.PackageNotFoundError(package)
        return versions[package.replace("-", "_")]

    monkeypatch.setattr(importlib.metadata, "version", version)


@pytest.mark.parametrize(
    ("spark", "delta", "ok"),
    [
        ("4.0.1", "4.0.0", True),
        ("4.2.0", "4.4.0", True),
        ("4.1.1", "4.4.0", True),
        ("4.2.0", "4.3.1", False),
        ("4.1.1", "4.0.1", False),
        ("3.5.9", "4.4.0", False),
    ],
)
def test_delta_fits_the_spark_it_was_made_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, spark: str, delta: str, *, ok: bool
) -> None:
    _install(monkeypatch, pyspark=spark, delta_spark=delta)
    finding = _find("spark and delta", lake=tmp_path)
    assert finding.ok is ok
    assert spark in finding.sentence
    assert delta in finding.sentence


def test_a_package_that_is_not_installed_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _install(monkeypatch)
    assert "pyspark is not installed" in _find("spark and delta", lake=tmp_path).sentence
    assert "pyspark is not installed" in _find("delta jars", lake=tmp_path).sentence
    assert "mlflow is not installed" in _find("mlflow", lake=tmp_path).sentence


@pytest.mark.parametrize(("version", "ok"), [("3.17.2", True), ("3.16.0", False), ("4.0", False)])
def test_mlflow_is_in_range(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str, *, ok: bool
) -> None:
    _install(monkeypatch, mlflow=version)
    assert _find("mlflow", lake=tmp_path).ok is ok


def test_a_lake_that_does_not_exist_yet_is_tried_where_it_would_be(tmp_path: Path) -> None:
    assert _find("lake", lake=tmp_path / "not" / "there").ok
    assert list(tmp_path.iterdir()) == []


def test_a_lake_inside_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    finding = _find("lake", lake=tmp_path / "file" / "lake")
    assert not finding.ok
    assert f"{tmp_path / 'file'} refuses" in finding.sentence


def test_an_object_store_is_not_tried() -> None:
    assert "not tried" in _find("lake", lake="s3a://bucket/lake").sentence


def test_a_full_disk_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(100, 99, 1024**3))
    finding = _find("free space", lake=tmp_path)
    assert not finding.ok
    assert "has 1.0 GiB left" in finding.sentence


def test_a_location_without_its_variable_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_LAKE", raising=False)
    finding = _find("lake", lake="${NO_SUCH_LAKE}")
    assert not finding.ok
    assert "NO_SUCH_LAKE" in finding.sentence
