"""Write the reference pages of docs/: of the settings, the lake's tables and the features.

`make docs` runs it; a test compares the committed pages with what it would write.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from datetime import date
from enum import Enum
from pathlib import Path
from types import NoneType
from typing import Annotated, Literal, get_args, get_origin

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from scripts.feature_page import feature_page
from scripts.markdown import GENERATED, markdown_table, prose
from segspark.settings.base import StrictModel
from segspark.settings.root import Settings
from segspark.tables.catalogue import ALL_TABLES
from segspark.tables.contract import Column, TableContract
from segspark.tables.views import CURRENT_LIFETIME, CURRENT_VIEWS

ROOT = Path(__file__).resolve().parent.parent
_NAMES: dict[object, str] = {
    bool: "true or false",
    date: "day",
    int: "integer",
    float: "number",
    str: "text",
    NoneType: "",
}
_BOUNDS = (
    (annotated_types.Ge, "ge", "at least"),
    (annotated_types.Gt, "gt", "above"),
    (annotated_types.Le, "le", "at most"),
    (annotated_types.Lt, "lt", "below"),
    (annotated_types.MinLen, "min_length", "length at least"),
    (annotated_types.MaxLen, "max_length", "length at most"),
)
_CONFIGURATION = """# Configuration

A configuration is a YAML file. It may start with `extends: other.yml`, relative to itself; its own
keys win, mappings are merged key by key, and anything else is replaced. `--set section.key=value`
overrides one key from the command line, and `--show-config` prints what is in force. Unknown keys
and values of another type are refused.

`location` keys may hold `${NAME}` or `${NAME:-default}`, which is read from the environment at the
moment of use and never printed; one with a password or key written into it is refused. A name in
angle brackets stands for one of your choice; `[]` stands for each item of a list. *Required* keys
have no default.
"""
_TABLES = """# Tables

Every table is a Delta table in a folder of its own below `lake.location`. `NULL` says where a value
may be missing. Columns marked *personal* tell about a person; no file statistics are kept of them,
so that the table's log does not outlive a deletion. All stamps are UTC, amounts are in the lake's
currency, and ratios run from 0 to 1 unless their meaning says otherwise.

Only a publication makes a run current: read the `current_*` views unless you study earlier runs.
"""


def main() -> int:
    """Write every page that differs from what is there."""
    for name, text in reference_pages().items():
        path = ROOT / name
        path.parent.mkdir(exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"wrote {name}\n")
    return 0


def reference_pages() -> dict[str, str]:
    """The generated pages by their path below the project's root."""
    return {
        "docs/configuration.md": _configuration_page(),
        "docs/tables.md": _tables_page(),
        "docs/features.md": feature_page(),
    }


def sections(
    model: type[BaseModel] = Settings, path: str = ""
) -> Iterator[tuple[str, type[BaseModel]]]:
    """Every settings model with the dotted path it stands at, parents first."""
    yield path, model
    for name, field in model.model_fields.items():
        for inner, suffix in _models(field.annotation):
            yield from sections(inner, f"{path}.{name}{suffix}".lstrip("."))


def _configuration_page() -> str:
    parts = [GENERATED, _CONFIGURATION]
    # Kinds of source share sections: each is told once.
    for path, model in dict.fromkeys(sections()):
        name, value = _picked_by(model)
        title = f"`{path}`" if path else "Top level"
        picked = f", {name} `{value}`" if value else ""
        parts.append(f"## {title}{picked}\n\n{prose(model.__doc__)}\n")
        parts.append(_settings_table(model, path))
    return "\n".join(parts)


def _settings_table(model: type[BaseModel], path: str) -> str:
    rows = [
        (
            f"`{f'{path}.{name}'.lstrip('.')}`",
            _type_text(field.annotation),
            _default_text(field),
            _bounds_text(field),
            prose(field.description),
        )
        for name, field in model.model_fields.items()
    ]
    return markdown_table(("key", "type", "default", "bounds", "meaning"), rows)


def _tables_page() -> str:
    parts = [GENERATED, _TABLES, "## Overview\n"]
    overview = [
        (f"[`{table.name}`](#{table.name})", prose(table.meaning), _personal_names(table) or "no")
        for table in ALL_TABLES
    ]
    parts.append(markdown_table(("table", "one row", "personal data"), overview))
    parts.append(
        "## Views\n\nRows of the current publication, one set a segmentation; each view starts "
        "with the `segmentation`. `current_publications` is the pointer itself: the newest row of "
        "`publications` for each segmentation. `current_transactions` holds the lines behind the "
        "published features, while `transactions` also holds batches that no longer count: "
        "replaced files, and files taken in under settings that have changed since. "
        f"{', '.join(f'`{name}`' for name in CURRENT_LIFETIME)} hold what the newest stage "
        "`lifetime` of the published features wrote.\n"
    )
    views = [
        (f"`{view.name}`", prose(view.meaning), f"`{view.table.name}`", f"`{view.key}`")
        for view in CURRENT_VIEWS
    ]
    parts.append(markdown_table(("view", "one row", "columns of", "follows"), views))
    for table in ALL_TABLES:
        grain = ", ".join(f"`{name}`" for name in table.grain)
        parts.append(f"## {table.name}\n\n{prose(table.meaning)}\n\nOne row for each {grain}.\n")
        parts.append(
            markdown_table(
                ("column", "type", "NULL", "meaning"), [_column_row(c) for c in table.columns]
            )
        )
    return "\n".join(parts)


def _column_row(column: Column) -> tuple[str, ...]:
    meaning = prose(column.comment) + (" *Personal.*" if column.personal else "")
    nullable = "may be missing" if column.nullable else "never"
    return f"`{column.name}`", f"`{column.dtype.simpleString()}`", nullable, meaning


def _personal_names(table: TableContract) -> str:
    return ", ".join(f"`{column.name}`" for column in table.columns if column.personal)


def _models(annotation: object, suffix: str = "") -> Iterator[tuple[type[BaseModel], str]]:
    """Settings models inside a type, with how a key reaches them."""
    if isinstance(annotation, type) and issubclass(annotation, StrictModel):
        yield annotation, suffix
        return
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is dict:
        yield from _models(arguments[1], f"{suffix}.<name>")
    elif origin is tuple:
        yield from _models(arguments[0], f"{suffix}[]")
    else:
        for argument in arguments:
            yield from _models(argument, suffix)


def _picked_by(model: type[BaseModel]) -> tuple[str, str]:
    """The key and value that pick this member of a union; empty for other models."""
    for name in ("kind", "entity"):
        field = model.model_fields.get(name)
        if field is not None and get_origin(field.annotation) is Literal:
            return name, str(get_args(field.annotation)[0])
    return "", ""


def _type_text(annotation: object) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is None:
        return _plain_type_text(annotation)
    if origin is Literal:
        return _choice(arguments)
    if origin is Annotated:
        return _type_text(arguments[0])
    inner = [_type_text(argument) for argument in arguments if argument is not ...]
    if origin is tuple:
        return f"list of {len(inner)} {inner[0]}s" if len(inner) > 1 else f"list of {inner[0]}"
    if origin is dict:
        return f"{inner[1]} by name"
    return " or ".join(dict.fromkeys(text for text in inner if text))


def _plain_type_text(annotation: object) -> str:
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return _choice([member.value for member in annotation])
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        _, value = _picked_by(annotation)
        return f"section (`{value}`)" if value else "section"
    return _NAMES[annotation]


def _choice(values: Sequence[object]) -> str:
    return ", ".join(f"`{value}`" for value in values)


def _default_text(field: FieldInfo) -> str:
    if field.is_required():
        return "*required*"
    default = field.get_default(call_default_factory=True, validated_data={})
    if default is None:
        return "none"
    if isinstance(default, BaseModel):
        return "see the section"
    if isinstance(default, tuple) and default:
        return _choice(default)
    if default in ("", (), {}):
        return "empty"
    return f"`{json.dumps(default) if isinstance(default, int | float) else default}`"


def _bounds_text(field: FieldInfo) -> str:
    found = [
        f"{words} {getattr(bound, attribute)}"
        for bound in field.metadata
        for kind, attribute, words in _BOUNDS
        if isinstance(bound, kind)
    ]
    found += [f"matches `{b.pattern}`" for b in field.metadata if getattr(b, "pattern", None)]
    return ", ".join(found)


if __name__ == "__main__":
    sys.exit(main())
