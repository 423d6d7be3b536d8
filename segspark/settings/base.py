"""The base of every settings model: strict, frozen, documented where it is defined."""

import importlib.util
import os
import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from segspark.errors import ConfigError

_REFERENCE = re.compile(r"\$\{(?P<name>[A-Z_][A-Z0-9_]*)(?::-(?P<default>[^}]*))?\}")

_CREDENTIALS = re.compile(r"://[^/@\s]+@")


class StrictModel(BaseModel):
    """Unknown keys are refused, values are not coerced across types, nothing can be changed."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True
    )


def _check_references(text: str) -> str:
    if "${" in _REFERENCE.sub("", text):
        raise ValueError("'${' must open a reference such as ${NAME} or ${NAME:-default}")
    return text


Location = Annotated[str, AfterValidator(_check_references)]
"""A path or address, which may hold `${NAME}` or `${NAME:-default}`.

The settings keep the reference as written, so that neither a secret nor a machine's folder is
printed, logged or hashed; `resolve_location` reads the environment at the moment of use.
"""


def without_credentials(text: str) -> str:
    """The text with user names and passwords taken out of its addresses."""
    return _CREDENTIALS.sub("://***@", text)


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
