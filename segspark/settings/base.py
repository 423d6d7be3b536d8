"""The base of every settings model: strict, frozen, documented where it is defined."""

import importlib.util
import os
import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict
from pydantic_core import PydanticCustomError

from segspark.errors import ConfigError

_REFERENCE = re.compile(r"\$\{(?P<name>[A-Z_][A-Z0-9_]*)(?::-(?P<default>[^}]*))?\}")

# A password may hold `/` and `@` as they are, so all up to the last `@` is taken for it.
_LOGIN = re.compile(r"://(?:[^/@\s:]*:\S*|[^/\s?;&]+)@|(?<=jdbc:oracle:)(\w+:)\S*@")
_HIDDEN_NAMES = r"pass(?:word|wd|phrase)?|pwd|secret|token|credentials?|sig(?:nature)?|(?<!ssl)key"
_PARAMETER = re.compile(rf"(?i)(?<=[?;&])([^=?;&/\s]*(?:user[^=?;&/\s]*|{_HIDDEN_NAMES}))=[^;&\s]*")
_REFERRED = "\0"
"""Stands for the value of a reference while a location is looked at."""
_WRITTEN_SECRETS = (
    # A port is no password, although a path with an `@` may follow it.
    re.compile(rf"://[^/@]*:(?!(?:\d+|{_REFERRED})(?:/|$))(?P<secret>.*)@"),
    re.compile(r"^jdbc:oracle:\w+:[^/@]*/(?P<secret>.*)@"),
    re.compile(rf"(?i)[?;&][^=?;&/]*(?:{_HIDDEN_NAMES})=(?P<secret>[^;&]*)"),
)


class StrictModel(BaseModel):
    """Unknown keys are refused, values are not coerced across types, nothing can be changed."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True
    )


def _check_references(text: str) -> str:
    if "${" in _REFERENCE.sub("", text):
        raise ValueError("'${' must open a reference such as ${NAME} or ${NAME:-default}")
    return text


def _check_secrets(location: str) -> str:
    literal = _REFERENCE.sub(lambda found: found["default"] or _REFERRED, location)
    found = (secret for each in _WRITTEN_SECRETS for secret in each.finditer(literal))
    if any(each["secret"].strip(_REFERRED) for each in found):
        raise PydanticCustomError(
            LITERAL_SECRET,
            "holds a password or key, which does not belong in a file: set it as an environment "
            "variable and write a reference such as ${SHOP_PASSWORD} in its place",
        )
    return location


LITERAL_SECRET = "literal_secret"  # noqa: S105 - the name of an error
"""Type of the error of a location whose text must not be shown."""
Location = Annotated[str, AfterValidator(_check_references), AfterValidator(_check_secrets)]
"""A path or address, which may hold `${NAME}` or `${NAME:-default}`, and no written password.

The settings keep the reference as written, so that neither a secret nor a machine's folder is
printed, logged or hashed; `resolve_location` reads the environment at the moment of use.
"""


def without_credentials(text: str) -> str:
    """The text without what lets someone in: logins before an `@`, parameters of addresses."""
    hidden = _LOGIN.sub(lambda login: f"{login[1] or '://'}***@", text)
    return _PARAMETER.sub(r"\1=***", hidden)


def is_reference(text: str) -> bool:
    """Whether a text is one reference, without a default to stand in for it."""
    found = _REFERENCE.fullmatch(text)
    return found is not None and not found["default"]


def resolve_location(location: Location) -> str:
    """Replace `${NAME}` by the environment variable's value, `package:name/path` by its file.

    Raises:
        ConfigError: A variable without a default is not set, or the package is not installed.
    """

    def value(match: re.Match[str]) -> str:
        name, default = match["name"], match["default"]
        found = os.environ.get(name, default)
        if found is None:
            raise ConfigError(
                f"the configuration refers to ${{{name}}}, and no environment variable of that "
                f"name is set: set it, or write ${{{name}:-default}}"
            )
        return found

    resolved = _REFERENCE.sub(value, location)
    return _package_file(resolved) if resolved.startswith("package:") else resolved


def _package_file(location: str) -> str:
    name, _, path = location.removeprefix("package:").partition("/")
    found = importlib.util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise ConfigError(f"{location}: the Python package {name!r} is not installed: install it")
    return str(Path(next(iter(found.submodule_search_locations))) / path)
