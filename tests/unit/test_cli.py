import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from segspark import cli
from segspark.settings.loading import load_settings

COMMANDS = (
    "ingest",
    "build-features",
    "value",
    "train",
    "assign",
    "run-pipeline",
    "publish",
    "rollback",
    "quality",
    "replay",
    "infer-source",
    "sql",
    "doctor",
    "demo",
)
DATED = ("build-features", "value", "train", "assign", "run-pipeline", "publish")
CONFIGURATIONS = Path(__file__).parents[2] / "conf"
_WATCHED = """
import sys
from segspark import cli
for words in [{words}]:
    try:
        cli.main(words)
    except SystemExit as left:
        assert left.code == 0, words
print("LOADED", sorted({{"pyspark", "pandas", "mlflow"}} & set(sys.modules)))
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration with nothing in it."""
    path = tmp_path / "shop.yml"
    path.write_text("lake: {location: lake}\n", encoding="utf-8")
    return path


def exit_code(*words: str) -> object:
    """What the process would exit with."""
    with pytest.raises(SystemExit) as left:
        cli.main(words)
    return left.value.code


def test_a_command_does_not_wait_for_what_it_does_not_run() -> None:
    """SciPy's distributions and scikit-learn take seconds to import."""
    code = (
        "import sys, segspark.pipeline.commands, segspark.pipeline.ingest, "
        "segspark.pipeline.quality, segspark.pipeline.replay\n"
        "print(sorted({'scipy.stats', 'sklearn', 'mlflow'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_the_help_of_every_command_comes_without_loading_spark() -> None:
    words = ", ".join(str([*command, "--help"]) for command in ([], *([c] for c in COMMANDS)))

    done = subprocess.run(
        [sys.executable, "-c", _WATCHED.format(words=words)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "LOADED []"


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_explains_it_and_the_exit_codes(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(command, "--help") == 0

    shown = " ".join(capsys.readouterr().out.split())
    assert f"segspark {command}" in shown
    assert "0 done, 1 refused for the reason printed, 2 wrong usage" in shown
    # One command makes a configuration instead of reading one.
    assert ("--set KEY=VALUE" in shown) == (command != "infer-source")


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("segment",),
        ("ingest", "--no-such-option"),
        ("sql",),
        *((command,) for command in DATED),
        ("train", "--as-of", "2024-02-30"),
        ("train", "--as-of", "today"),
        ("build-features", "--from", "2024-01-31"),
        ("build-features", "--as-of", "2024-01-31", "--until", "2024-03-31"),
        ("build-features", "--as-of", "2024-01-31", "--from", "2024-01-31"),
        ("build-features", "--from", "2024-01-31", "--until", "2024-03-31", "--every", "moon"),
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(*words) == 2

    assert "usage: segspark" in capsys.readouterr().err


def test_a_date_that_is_none_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    exit_code("train", "--as-of", "2024-02-30")

    assert "'2024-02-30' is no day such as 2026-11-01" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("lake: {locatoin: x}", "lake.locatoin: unknown key, did you mean 'location'?"),
        ("- a\n- b", "must hold keys and values, not a list"),
        ("lake: [", "is not valid YAML"),
    ],
)
def test_a_wrong_configuration_exits_with_1_and_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, sentence: str
) -> None:
    path = tmp_path / "shop.yml"
    path.write_text(text, encoding="utf-8")

    assert cli.main(["ingest", "--config", str(path)]) == 1

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"segspark: {path}: ")
    assert sentence in line


def test_a_configuration_that_is_not_there_exits_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["ingest", "--config", str(tmp_path / "none.yml")]) == 1

    (line,) = capsys.readouterr().err.splitlines()
    assert "none.yml: cannot be read (No such file or directory)" in line


def test_debug_shows_where_a_refusal_came_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["ingest", "--config", str(tmp_path / "none.yml"), "--debug"]) == 1

    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_what_nobody_foresaw_is_one_sentence_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], config: Path
) -> None:
    def fail(*_: object) -> int:
        raise RuntimeError("the sky fell\nat org.apache.spark.Sky.fall(Sky.scala:1)")

    monkeypatch.setattr(cli, "_run", fail)

    assert cli.main(["ingest", "--config", str(config)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("segspark: unforeseen")
    for part in ("RuntimeError", "the sky fell", "--debug shows where"):
        assert part in line


def test_an_interrupted_run_says_that_finished_stages_are_kept(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], config: Path
) -> None:
    def interrupt(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_run", interrupt)

    assert cli.main(["ingest", "--config", str(config)]) == 1
    assert "start it again, finished stages are kept" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["demo.yml", "online_retail.yml"])
def test_the_shown_configuration_loads_again_as_the_same_settings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    words = ["--set", "training.sweep.most_segments=6"]

    assert cli.main(["train", "--config", str(CONFIGURATIONS / name), *words, "--show-config"]) == 0

    shown = tmp_path / "shown.yml"
    shown.write_text(capsys.readouterr().out, encoding="utf-8")
    assert yaml.safe_load(shown.read_text())["training"]["sweep"]["most_segments"] == 6
    assert load_settings(shown) == load_settings(CONFIGURATIONS / name, words[1:])


def test_the_shown_configuration_keeps_secrets_as_references(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], config: Path
) -> None:
    monkeypatch.setenv("TRACKING", "https://ann:hunter2@mlflow")
    config.write_text("tracking: {location: '${TRACKING}'}\n", encoding="utf-8")

    assert cli.main(["ingest", "--config", str(config), "--show-config"]) == 0

    shown = capsys.readouterr().out
    assert "location: ${TRACKING}" in shown
    assert "hunter2" not in shown
