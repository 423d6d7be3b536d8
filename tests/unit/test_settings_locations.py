"""Locations are resolved at the moment of use, so that no secret is ever printed."""

from pathlib import Path

import pytest
import yaml

from segspark.errors import ConfigError
from segspark.ingest.books.batches import source_hash
from segspark.settings.base import resolve_location, without_credentials
from segspark.settings.loading import effective_yaml, load_settings
from segspark.settings.root import Settings
from tests.purchases import source, source_document


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
    monkeypatch.setenv("TOKEN", "opensesame")
    settings = Settings.model_validate(
        {
            "tracking": {"location": "https://me:${TOKEN}@mlflow"},
            "lake": {"location": "${TOKEN:-lake}"},
        }
    )

    shown = effective_yaml(settings) + repr(settings)

    assert resolve_location(settings.tracking.location) == "https://me:opensesame@mlflow"
    assert "https://me:${TOKEN}@mlflow" in shown
    assert "opensesame" not in shown


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


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("s3a://KEY:SECRET@bucket/x", "s3a://***@bucket/x"),
        ("s3a://KEY:SE/CRET@bucket/x", "s3a://***@bucket/x"),
        ("s3a://KEY:12/CRET@bucket/x", "s3a://***@bucket/x"),
        ("s3a://KEY:p@ss@bucket", "s3a://***@bucket"),
        ("s3a://KEY@bucket is gone", "s3a://***@bucket is gone"),
        ("s3a://bucket/at@home/x", "s3a://bucket/at@home/x"),
        ("mail a@b.c of file:///a", "mail a@b.c of file:///a"),
        ("jdbc:mysql://h/db?user=me&password=pw&useSSL=true",
         "jdbc:mysql://h/db?user=***&password=***&useSSL=true"),
        ("jdbc:sqlserver://h;userName=me;password=p@w;a=b",
         "jdbc:sqlserver://h;userName=***;password=***;a=b"),
        ("jdbc:mysql://h/db?accessToken=a&secret_key=b;SIG=c",
         "jdbc:mysql://h/db?accessToken=***&secret_key=***;SIG=***"),
        ("jdbc:oracle:thin:me/p@w@//h:1521/shop", "jdbc:oracle:thin:***@//h:1521/shop"),
    ],
)  # fmt: skip
def test_credentials_are_taken_out_of_addresses(text: str, shown: str) -> None:
    assert without_credentials(text) == shown


@pytest.mark.parametrize(
    "location",
    [
        "s3a://KEY:SECRET@bucket/x",
        "s3a://KEY:SE/CRET@bucket/x",
        "s3a://KEY:my secret@bucket/x",
        "s3a://${KEY}:SECRET@bucket/x",
        "s3a://${KEY}:a${SECRET}@bucket/x",
        "s3a://${KEY:-k}:${SECRET:-pw}@bucket/x",
        "${PLACE:-s3a://KEY:SECRET@bucket}",
        "jdbc:mysql://h/db?user=me&password=SECRET",
        "jdbc:sqlserver://h;PWD=SECRET;encrypt=true",
        "jdbc:mysql://h/db?accessToken=SECRET",
        "wasbs://in@shop.blob.core.windows.net/?sig=SECRET",
        "jdbc:oracle:thin:me/SECRET@//h:1521/shop",
    ],
)
def test_a_password_that_is_written_into_a_location_is_refused_and_not_repeated(
    tmp_path: Path, location: str
) -> None:
    path = tmp_path / "a.yml"
    path.write_text(yaml.safe_dump({"sources": {"shop": source_document(location)}}))
    with pytest.raises(ConfigError) as refused:
        load_settings(path)
    assert str(refused.value) == (
        f"{path}: sources.shop.location: holds a password or key, which does not belong in a file: "
        "set it as an environment variable and write a reference such as ${SHOP_PASSWORD} in its "
        "place"
    )


@pytest.mark.parametrize(
    "location",
    [
        "s3a://${KEY}:${SECRET}@bucket/x",
        "https://me:${TOKEN}@mlflow",
        "https://me:${TOKEN:-}@mlflow",
        "abfss://container@account.dfs.core.windows.net/in",
        "hdfs://namenode:8020/at@home/x",
        "hdfs://${HOST}:${PORT}/at@home/x",
        "s3a://bucket/a:b@c.csv",
        "jdbc:mysql://h/db?user=me&password=${PW}&allowPublicKeyRetrieval=true",
        "jdbc:mysql://h/db?user=${ME}&passwordCharacterEncoding=UTF-8",
        "jdbc:postgresql://h/db?sslkey=/etc/client.pk8",
        "jdbc:oracle:thin:${ME}/${PW}@//h:1521/shop",
        "in/[ab]?.csv",
    ],
)
def test_a_location_with_references_or_without_a_password_is_taken_as_written(
    location: str,
) -> None:
    assert source(location).location == location
