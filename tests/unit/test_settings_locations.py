"""Locations are resolved at the moment of use, so that no secret is ever printed."""

from pathlib import Path

import pytest

from segspark.errors import ConfigError
from segspark.ingest.books.batches import source_hash
from segspark.settings.base import resolve_location, without_credentials
from segspark.settings.loading import effective_yaml
from segspark.settings.root import Settings
from tests.purchases import source


def test_references_become_the_environments_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USER_NAME", "me")
    monkeypatch.setenv("PASSWORD", "hidden")
    assert resolve_location("http://${USER_NAME}:${PASSWORD}@host") == "http://me:hidden@host"


def test_a_default_stands_in_for_an_unset_variable_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PLACE", raising=False)
    assert resolve_location("${PLACE:-lakes/here}/x") == "lakes/here/x"
    monkeypatch.setenv("PLACE", "/there")
    assert resolve_location("${PLACE:-lakes/here}/x") == "/there/x"


def test_an_unset_variable_without_a_default_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PLACE", raising=False)
    with pytest.raises(ConfigError, match=r"refers to \$\{PLACE\}, and no environment variable"):
        resolve_location("${PLACE}")


def test_the_effective_configuration_shows_references_not_values(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TOKEN", "hidden")
    settings = Settings.model_validate(
        {
            "tracking": {"location": "https://me:${TOKEN}@mlflow"},
            "lake": {"location": "${TOKEN:-lake}"},
        }
    )

    shown = effective_yaml(settings) + repr(settings)

    assert resolve_location(settings.tracking.location) == "https://me:hidden@mlflow"
    assert "https://me:${TOKEN}@mlflow" in shown
    assert "hidden" not in shown


def test_where_a_source_is_does_not_enter_its_hash() -> None:
    def hash_of(location: str) -> str:
        return source_hash("shop", source(location), currency="EUR")

    assert hash_of("${A}/x.csv") == hash_of("/else/y.csv")


def test_a_packages_file_is_found_without_importing_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "shipped_data"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = resolve_location("package:shipped_data/data/x.parquet")
    assert Path(found) == package / "data" / "x.parquet"


def test_a_package_that_is_not_installed_is_refused() -> None:
    with pytest.raises(ConfigError, match="'no_such_package' is not installed: install it"):
        resolve_location("package:no_such_package/x.csv")


def test_credentials_are_taken_out_of_addresses() -> None:
    assert without_credentials("s3a://KEY:SECRET@bucket/x") == "s3a://***@bucket/x"
    assert without_credentials("mail a@b.c of file:///a") == "mail a@b.c of file:///a"
