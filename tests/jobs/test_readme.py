import re
import shlex
import shutil
from pathlib import Path

import pytest

from segspark.cli import _parser, main
from segspark.settings.loading import load_settings

ROOT = Path(__file__).parents[2]
SYNTHETIC = "docs/synthetic.md"
"""Its commands read a configuration that another of them makes."""
PAGES = (
    "README.md",
    *sorted({f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")} - {SYNTHETIC}),
)


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


def shell_lines(page: str) -> list[list[str]]:
    """Every command of a page as words, continued lines joined, comments dropped."""
    lines = "\n".join(blocks(page, "sh")).replace("\\\n", " ").splitlines()
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def stage_arguments(words: list[str]) -> list[str] | None:
    """What the command line's parser gets: from `segspark …`, from a job script, or nothing."""
    if words[0] == "segspark":
        return words[1:]
    if words[0] == "job":  # the function of docs/operations.md
        words = [f"jobs/{words[1]}", "--config", "conf/cluster.yml", *words[2:]]
    for place, word in enumerate(words):
        if word.startswith("jobs/"):
            assert (ROOT / word).is_file()
            return [Path(word).stem.replace("_", "-"), *words[place + 1 :]]
    return None


COMMANDS = [
    [word.replace("$DAY", "2026-11-01") for word in arguments]
    for page in PAGES
    for words in shell_lines(page)
    if (arguments := stage_arguments(words)) is not None
]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with conf/, in which a reader has written the README's conf/shop.yml."""
    shutil.copytree(ROOT / "conf", tmp_path / "conf")
    (tmp_path / "conf" / "shop.yml").write_text(blocks("README.md", "yaml")[0], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_printed_command_is_one_that_exists(arguments: list[str], project: Path) -> None:
    _parser(arguments).parse_args(arguments)
    if arguments[0] == "infer-source":
        return  # it makes a configuration instead of reading one
    assert main([*arguments, "--show-config"]) == 0, f"refused in {project}"


def test_the_printed_configuration_names_the_columns_of_the_printed_file(project: Path) -> None:
    header = blocks("README.md", "csv")[0].splitlines()[0].split(",")
    source = load_settings(project / "conf" / "shop.yml").sources["shop"]
    assert set(source.columns.model_dump(exclude_none=True, exclude={"discounts"}).values()) == set(
        header
    )


def test_every_overlay_is_a_configuration() -> None:
    for path in sorted((ROOT / "conf").glob("*.yml")):
        load_settings(path)


@pytest.mark.parametrize("page", PAGES)
def test_printed_make_targets_exist(page: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = {words[1] for words in shell_lines(page) if words[0] == "make"}
    assert targets <= set(re.findall(r"^([a-z]+):", makefile, flags=re.MULTILINE))


@pytest.mark.parametrize("page", [*PAGES, "CONTRIBUTING.md", SYNTHETIC])
def test_linked_files_exist(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    linked = re.findall(r"\]\(([^)#:]+)\)", text)
    assert not [name for name in linked if not ((ROOT / page).parent / name).exists()]
