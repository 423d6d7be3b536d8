"""The command `infer-source`: what it writes, where, and what it says."""

from pathlib import Path

import pytest

from segspark import cli
from segspark.ingest.inferring.source import source_name
from segspark.settings.loading import load_settings
from tests.inferring import PLAIN, document, shop


def run(*words: str) -> int:
    return cli.main(["infer-source", *words])


def test_the_command_writes_the_configuration_and_says_what_to_type_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(str(shop(tmp_path)), "--no-preview") == 0
    assert load_settings(Path("conf/shop.yml")).segmentation == "shop"
    shown = capsys.readouterr().out
    assert "conf/shop.yml: written from 6 rows of" in shown
    assert "Next: segspark run-pipeline --config conf/shop.yml --as-of 2022-02-05" in shown


def test_the_location_is_absolute_so_that_it_runs_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = shop(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert document(Path("shop.csv"))["location"] == str(path)


def test_what_is_there_is_replaced_by_force_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, output = shop(tmp_path), tmp_path / "mine.yml"
    output.write_text("lake: {}\n")
    words = (str(path), "--no-preview", "--output", str(output))
    assert run(*words) == 1
    assert output.read_text() == "lake: {}\n"
    assert f"{output}: is there already: --force replaces it" in capsys.readouterr().err
    assert run(*words, "--force") == 0
    assert load_settings(output).segmentation == "shop"


def test_missing_columns_end_with_1_after_writing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, output = shop(tmp_path, PLAIN.replace("customer_id", "whom")), tmp_path / "x.yml"
    assert run(str(path), "--no-preview", "--output", str(output)) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line == (
        f"segspark: {path}: no column of customer for customer_id (it could be whom): "
        f"replace ??? in {output}"
    )
    assert "customer_id: ???" in output.read_text()


@pytest.mark.parametrize(
    ("file", "name"),
    [("Shop Export 2021.csv.gz", "shop_export_2021"), ("2021.csv", "source_2021"),
     ("bestellungen-alt.XLSX", "bestellungen_alt"), (".csv", "csv"), ("…", "source")],
)  # fmt: skip
def test_the_source_is_called_after_the_file(file: str, name: str) -> None:
    assert source_name(Path(file)) == name
