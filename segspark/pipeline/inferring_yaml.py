"""A configuration as YAML that keeps the reasons of its choices as comments."""

from collections.abc import Iterator, Mapping, Sequence

import yaml

from segspark.ingest.inferring.profiles import Choice
from segspark.ingest.inferring.source import Inferred, Node

_MOST_WIDTH = 100
_NO_WRAP = 1 << 30


def as_yaml(inferred: Inferred) -> str:
    """The whole configuration: lake and source, ready to run, doubtful lines marked."""
    lake: dict[str, Node] = {
        "location": Choice(f"lakes/{inferred.name}", "taken from where the command runs"),
        "currency": inferred.currency,
    }
    document: dict[str, Node] = {
        "segmentation": Choice(inferred.name),
        "lake": lake,
        "sources": {inferred.name: inferred.source},
    }
    kind = "all" if inferred.sample.is_whole else "the first"
    head = [
        f"Written by `segspark infer-source` from {kind} {inferred.sample.row_count:,} rows of "
        f"{inferred.path.name}.",
        "Lines with `please check` are guesses: correct them, or take the mark away.",
        *(note for note in inferred.notes),
    ]
    comments = [f"# {_one_line(line)}" for line in head]
    return "\n".join([*comments, *_lines(document, indent=0), ""])


def comment_of(choice: Choice) -> str:
    """The reason as a comment; empty where none is needed."""
    if choice.is_certain:
        return _one_line(choice.reason)
    return _one_line(f"please check: {choice.reason}")


def _lines(document: Mapping[str, Node], *, indent: int) -> Iterator[str]:
    pad = " " * indent
    for key, node in document.items():
        if isinstance(node, Choice):
            yield from _with_comment(f"{pad}{_scalar(key)}: {_value(node.value)}", node, pad)
        elif isinstance(node, Mapping):
            yield f"{pad}{_scalar(key)}:"
            yield from _lines(node, indent=indent + 2)
        elif isinstance(node, Sequence):
            yield f"{pad}{_scalar(key)}:"
            for choice in node:
                yield from _with_comment(f"{pad}  - {_value(choice.value)}", choice, f"{pad}  ")


def _with_comment(line: str, choice: Choice, pad: str) -> Iterator[str]:
    """The reason behind the line, or above where it would be too long."""
    comment = comment_of(choice)
    if not comment:
        yield line
    elif len(line) + len(comment) + 4 <= _MOST_WIDTH:
        yield f"{line}  # {comment}"
    else:
        yield f"{pad}# {comment}"
        yield line


def _value(value: object) -> str:
    if isinstance(value, dict | list):
        text = yaml.safe_dump(
            value, default_flow_style=True, allow_unicode=True, width=_NO_WRAP, sort_keys=False
        )
        return text.strip()
    return _scalar(value)


def _scalar(value: object) -> str:
    text = yaml.safe_dump(value, allow_unicode=True, width=_NO_WRAP, default_flow_style=True)
    return text.removesuffix("\n").removesuffix("\n...")


def _one_line(text: str) -> str:
    """A comment must not end before its line does, whatever names a file has."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
