from pathlib import Path

import pytest

from scripts.write_reference import reference_pages, sections
from segspark.tables.catalogue import ALL_TABLES
from segspark.tables.features import feature_groups
from tests.unit.test_tables_features import EVERYTHING

ROOT = Path(__file__).resolve().parents[2]
PAGES = reference_pages()


@pytest.mark.parametrize("name", sorted(PAGES))
def test_the_committed_page_is_what_the_code_says(name: str) -> None:
    page = ROOT / name
    committed = page.read_text(encoding="utf-8") if page.exists() else ""
    assert committed == PAGES[name], f"{name} is out of date: run `make docs` and commit it"


def test_every_setting_says_what_it_means() -> None:
    silent = [
        f"{path}.{name}"
        for path, model in sections()
        for name, field in model.model_fields.items()
        if not (field.description or "").strip()
    ]
    assert not silent, f"without a docstring below the attribute: {', '.join(silent)}"


def test_every_member_of_a_union_has_a_section() -> None:
    page = PAGES["docs/configuration.md"]
    for kind in ("csv", "parquet", "delta"):
        assert f"## `sources.<name>.format`, kind `{kind}`" in page


def test_every_column_of_every_table_is_listed() -> None:
    page = PAGES["docs/tables.md"]
    for table in ALL_TABLES:
        part = page.split(f"\n## {table.name}\n")[1].split("\n## ")[0]
        for column in table.columns:
            assert f"| `{column.name}` | `{column.dtype.simpleString()}` |" in part
            assert ("*Personal.*" in part.split(f"| `{column.name}` |")[1].split("\n")[0]) == (
                column.personal
            )


def test_every_column_about_a_customer_is_in_the_section_of_its_table() -> None:
    page = PAGES["docs/features.md"]
    for group in feature_groups(EVERYTHING):
        part = page.split(f"\n## {group.table}\n")[1].split("\n## ")[0]
        listed = [line.split("`")[1] for line in part.splitlines() if line.startswith("| `")]
        assert listed == [feature.name for feature in group.features]
        asked = f"Only where `features.{group.asked_by}` asks for it."
        assert (asked in part) == bool(group.asked_by)
