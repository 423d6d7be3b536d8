"""A configuration is read whole, or refused with everything that is wrong with it."""

from pathlib import Path

import pytest
import yaml

from segspark.errors import ConfigError
from segspark.settings.loading import effective_yaml, load_settings
from tests.purchases import source_document

CONFIGURATIONS = sorted((Path(__file__).parents[2] / "conf").glob("*.yml"))


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    return written(tmp_path / "empty.yml", "")


def test_an_empty_file_is_all_defaults(empty: Path) -> None:
    settings = load_settings(empty)
    assert settings.segmentation == "default"
    assert settings.features.monetary == "net"


def test_an_unknown_key_is_refused_with_the_nearest_known_one(tmp_path: Path) -> None:
    path = written(tmp_path / "a.yml", "features: {monetry: gross}")
    with pytest.raises(ConfigError, match=r"features.monetry: unknown key.*'monetary'"):
        load_settings(path)


def test_a_key_that_has_moved_is_answered_with_its_new_place(tmp_path: Path) -> None:
    path = written(tmp_path / "a.yml", "training: {vector: {pca: {component_count: 2}}}")
    with pytest.raises(ConfigError, match=r"training.vector: pca has moved.*training.sweep.pca$"):
        load_settings(path)


def test_an_unknown_key_inside_a_source_is_compared_with_the_keys_there(tmp_path: Path) -> None:
    document = source_document(
        format={"kind": "csv", "delimeter": ";"}, stamp_zona="UTC", line_kinds=[{"kind_": "fee"}]
    )
    path = written(tmp_path / "a.yml", yaml.safe_dump({"sources": {"shop": document}}))

    with pytest.raises(ConfigError) as refused:
        load_settings(path)

    assert "sources.shop.format.delimeter: unknown key, did you mean 'delimiter'?" in str(
        refused.value
    )
    assert "sources.shop.stamp_zona: unknown key, did you mean 'stamp_zone'?" in str(refused.value)
    assert "sources.shop.line_kinds.0.kind_: unknown key, did you mean 'kind'?" in str(
        refused.value
    )


@pytest.mark.parametrize(
    "name", ["../../x", "{eu}", "[eu]", "a/b", "_x", ".x", "", "x" * 65, "a\n"]
)
def test_a_source_whose_name_cannot_be_part_of_an_address_is_refused(
    tmp_path: Path, name: str
) -> None:
    path = written(tmp_path / "a.yml", yaml.safe_dump({"sources": {name: source_document()}}))
    with pytest.raises(ConfigError) as refused:
        load_settings(path)
    assert str(refused.value) == (
        f"{path}: sources.{name}: the name of a source has at most 64 letters, digits, dots, "
        f"hyphens and underscores, and starts with a letter or digit, not {name!r}"
    )


@pytest.mark.parametrize("name", ["shop", "2026", "shop_eu-1.a", "Läden", "商店", "x" * 64])
def test_a_source_may_be_named_in_any_script(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / "a.yml", yaml.safe_dump({"sources": {name: source_document()}}))
    assert list(load_settings(path).sources) == [name]


def test_an_unknown_key_near_to_nothing_lists_what_is_known(tmp_path: Path) -> None:
    path = written(tmp_path / "a.yml", "assignment: {zzz: 1}")
    with pytest.raises(ConfigError, match="known here: borderline_confidence"):
        load_settings(path)


def test_every_problem_is_named_at_once_and_the_file_too(tmp_path: Path) -> None:
    text = "segmentation: Has Spaces\nlake: {currency: euro}\naudit: {most_excluded_ratio: 2}\n"
    path = written(tmp_path / "a.yml", text)

    with pytest.raises(ConfigError) as refused:
        load_settings(path)

    for part in (str(path), "segmentation: ", "lake.currency: ", "audit.most_excluded_ratio: "):
        assert part in str(refused.value)
    assert "not 'Has Spaces'" in str(refused.value)


def test_a_file_merges_into_the_one_it_extends_key_by_key(tmp_path: Path) -> None:
    below = "lake: {location: here, currency: GBP}\nfeatures: {observation_days: 90}\n"
    written(tmp_path / "base.yml", below)
    path = written(tmp_path / "a.yml", "extends: base.yml\nlake: {location: there}\n")

    settings = load_settings(path)

    assert (settings.lake.location, settings.lake.currency) == ("there", "GBP")
    assert settings.features.observation_days == 90


def test_a_list_is_replaced_by_the_one_above_it(tmp_path: Path) -> None:
    written(tmp_path / "base.yml", "ledger: {purchase_kinds: [sale, fee]}")
    path = written(tmp_path / "a.yml", "extends: base.yml\nledger: {purchase_kinds: [voucher]}")
    assert load_settings(path).ledger.purchase_kinds == ("voucher",)


def test_the_extended_file_is_looked_for_beside_the_extending_one(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    written(tmp_path / "base.yml", "extends: deep/base.yml")
    written(tmp_path / "deep" / "base.yml", "segmentation: found")
    path = written(tmp_path / "deep" / "a.yml", "extends: ../base.yml")
    assert load_settings(path).segmentation == "found"


def test_files_that_extend_each_other_are_refused(tmp_path: Path) -> None:
    written(tmp_path / "a.yml", "extends: b.yml")
    written(tmp_path / "b.yml", "extends: a.yml")
    with pytest.raises(ConfigError, match="extend each other in a circle"):
        load_settings(tmp_path / "a.yml")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: [", "is not valid YAML"),
        ("- 1", "must hold keys and values, not a list"),
        ("extends: [a, b]", "extends must name one file"),
        ("extends: nowhere.yml", "nowhere.yml: cannot be read"),
    ],
)
def test_a_file_that_is_no_configuration_is_refused(
    tmp_path: Path, text: str, sentence: str
) -> None:
    with pytest.raises(ConfigError, match=sentence):
        load_settings(written(tmp_path / "a.yml", text))


def test_overrides_win_in_the_order_given_and_are_read_as_yaml(empty: Path) -> None:
    settings = load_settings(
        empty,
        [
            "segmentation=first",
            "segmentation=second",
            "features.observation_days=30",
            "ledger.purchase_kinds=[sale, fee]",
            "sources.shop.location=a=b.csv",
            *(
                f"sources.shop.{key}={yaml.safe_dump(value, default_flow_style=True)}"
                for key, value in source_document().items()
                if key != "location"
            ),
        ],
    )

    assert settings.segmentation == "second"
    assert settings.features.observation_days == 30
    assert settings.ledger.purchase_kinds == ("sale", "fee")
    assert settings.sources["shop"].location == "a=b.csv"


@pytest.mark.parametrize("override", ["no separator", "=1"])
def test_an_override_without_a_key_or_a_value_is_refused(empty: Path, override: str) -> None:
    with pytest.raises(ConfigError, match=r"write it as section\.key=value"):
        load_settings(empty, [override])


def test_an_override_of_an_unknown_key_is_refused_like_any_other(empty: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean 'observation_days'"):
        load_settings(empty, ["features.observation_day=30"])


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: path.name)
def test_every_configuration_of_the_repository_loads_as_printed(path: Path, tmp_path: Path) -> None:
    settings = load_settings(path)
    again = load_settings(written(tmp_path / "again.yml", effective_yaml(settings)))
    assert again == settings


def test_the_repository_has_the_configurations_it_promises() -> None:
    assert {"base.yml", "demo.yml", "online_retail.yml"} <= {path.name for path in CONFIGURATIONS}
