"""Reading a configuration: YAML files that extend one another, then `--set key=value`."""

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeGuard, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from segspark.errors import ConfigError
from segspark.settings.base import LITERAL_SECRET
from segspark.settings.root import Settings

Document = dict[str, Any]

_KIND_OF_A_SOURCE = 2
"""Its position in the place of an error: `sources`, the name, the kind."""


def load_settings(path: Path, overrides: Sequence[str] = ()) -> Settings:
    """Read `path`, the files it extends and the overrides into checked settings.

    A file may start with `extends: other.yml` (relative to itself); its own keys win. Mappings are
    merged key by key, anything else is replaced. An override is `section.key=value`, its value
    read as YAML.

    Raises:
        ConfigError: Naming every wrong key at once, each with the nearest known one.
    """
    document = _read(path, seen=())
    for override in overrides:
        document = _merge(document, _override(override))
    try:
        return Settings.model_validate(document)
    except ValidationError as error:
        problems = "; ".join(_sentence(detail) for detail in error.errors())
        raise ConfigError(f"{path}: {problems}") from error


def effective_yaml(settings: Settings) -> str:
    """All settings with their defaults filled in, as YAML; references stay unresolved."""
    return yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def _read(path: Path, *, seen: tuple[Path, ...]) -> Document:
    if path.resolve() in seen:
        raise ConfigError(f"{path}: the files extend each other in a circle: break it")
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}): check the path") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        place = " ".join(str(error).split())
        raise ConfigError(f"{path}: is not valid YAML: {place}") from error
    if document is None:
        document = {}
    if not isinstance(document, dict):
        raise ConfigError(f"{path}: must hold keys and values, not a {type(document).__name__}")
    base = document.pop("extends", None)
    if base is None:
        return document
    if not isinstance(base, str):
        raise ConfigError(f"{path}: extends must name one file")
    return _merge(_read(path.parent / base, seen=(*seen, path.resolve())), document)


def _merge(base: Document, overlay: Document) -> Document:
    merged = dict(base)
    for key, value in overlay.items():
        below = merged.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            merged[key] = _merge(below, value)
        else:
            merged[key] = value
    return merged


def _override(text: str) -> Document:
    key, separator, value = text.partition("=")
    if not separator or not key:
        raise ConfigError(f"--set {text}: write it as section.key=value")
    try:
        nested: Any = yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise ConfigError(f"--set {key}: the value is not valid YAML: quote it") from error
    for part in reversed(key.split(".")):
        nested = {part: nested}
    return dict(nested)


def _sentence(detail: ErrorDetails) -> str:
    place = _keys(detail["loc"])
    name = ".".join(str(part) for part in place)
    if detail["type"] == "extra_forbidden":
        return f"{name}: unknown key{_nearest(str(place[-1]), _known_keys(place[:-1]))}"
    message = detail["msg"].removeprefix("Value error, ")
    given = detail.get("input")
    is_shown = isinstance(given, str | int | float) and detail["type"] != LITERAL_SECRET
    shown = f", not {given!r}" if is_shown else ""
    return f"{name}: {message[:1].lower()}{message[1:]}{shown}"


def _keys(place: Sequence[int | str]) -> list[int | str]:
    """The place as keys of the file: without the names of the kinds that unions are told by."""
    is_kind = [
        (number == _KIND_OF_A_SOURCE and place[0] == "sources")
        or (number > _KIND_OF_A_SOURCE and place[number - 1] == "format")
        for number in range(len(place))
    ]
    return [part for part, is_name in zip(place, is_kind, strict=True) if not is_name]


def _nearest(key: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    return f", did you mean {close[0]!r}?" if close else f"; known here: {', '.join(known)}"


def _known_keys(place: Sequence[int | str]) -> list[str]:
    """Keys of the model that stands at `place`; unions offer those of every member."""
    found: list[Any] = [Settings]
    for part in place:
        fields = [m.model_fields.get(str(part)) for m in found if _is_model(m)]
        steps = [field.annotation for field in fields if field is not None]
        found = [inner for step in steps for inner in _models(step)] or found
    return sorted({key for m in found if _is_model(m) for key in m.model_fields})


def _models(annotation: object) -> list[type[BaseModel]]:
    if _is_model(annotation):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models(part)]


def _is_model(annotation: object) -> TypeGuard[type[BaseModel]]:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
