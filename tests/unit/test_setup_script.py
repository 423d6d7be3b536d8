"""`make setup` brings a Java where it may, and says the one command where it may not."""

import os
import shutil
import zipfile
from pathlib import Path

import pytest

from scripts.make_dist import write_zip
from scripts.set_up import ROOT, ensure_java, run_quietly
from segspark.errors import SetupError

APT_GET = """#!/bin/sh
echo "$@" >> {log}
[ "$1" = install ] || exit 0
echo "#!/bin/sh" > {folder}/java
echo "echo 'openjdk version \\"17.0.1\\"' >&2" >> {folder}/java
/bin/chmod +x {folder}/java
"""


@pytest.fixture
def path_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder of programs: an empty machine."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def _program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def test_root_on_debian_gets_a_java(
    path_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    log = path_folder / "log"
    _program(path_folder / "apt-get", APT_GET.format(log=log, folder=path_folder))
    _program(path_folder / "apt-cache", "#!/bin/sh\n")
    ensure_java()
    assert "installing openjdk-17-jre-headless with apt-get" in capsys.readouterr().out
    assert "openjdk-17-jre-headless" in log.read_text().splitlines()[-1]


def test_anyone_else_gets_the_command(path_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    log = path_folder / "log"
    _program(path_folder / "apt-get", APT_GET.format(log=log, folder=path_folder))
    with pytest.raises(SetupError, match=r"run `.*install.*`, then this again"):
        ensure_java()
    assert not log.exists()


def test_a_failing_step_ends_in_one_sentence(tmp_path: Path) -> None:
    step = tmp_path / "step"
    _program(step, "#!/bin/sh\necho Traceback\necho 'error: no route to host'\nexit 3\n")
    with pytest.raises(SetupError, match=r"^it failed: error: no route to host$"):
        run_quietly([step], problem="it failed")


def test_the_lock_names_no_address_and_the_pair_of_the_jars() -> None:
    lock = (ROOT / "requirements-dev.lock").read_text("utf-8")
    pins = [line for line in lock.splitlines() if line[:1].isalnum()]
    assert "pyspark==4.2.0" in pins
    assert "delta-spark==4.4.0" in pins
    assert "://" not in lock
    assert all("==" in pin for pin in pins)


def test_the_zip_holds_the_package_and_nothing_compiled(tmp_path: Path) -> None:
    package = tmp_path / "thing"
    (package / "__pycache__").mkdir(parents=True)
    (package / "__pycache__" / "a.pyc").touch()
    (package / "a.py").write_text("ONE = 1\n")
    (package / "data.lock").write_text("x")
    write_zip(package, tmp_path / "1.zip")
    shutil.copystat(tmp_path, package / "a.py")
    write_zip(package, tmp_path / "2.zip")
    assert zipfile.ZipFile(tmp_path / "1.zip").namelist() == ["thing/a.py", "thing/data.lock"]
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()
