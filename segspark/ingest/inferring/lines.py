"""The first lines of an unknown text file as columns: delimited, fixed width or JSON lines."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from segspark.errors import IngestError
from segspark.ingest.inferring.profiles import Choice, Sample, SampleColumn
from segspark.ingest.inferring.text import (
    Delimited,
    cut_places,
    decode,
    find_delimiter,
    find_places,
    has_header,
)

MOST_ROWS = 10_000
_HEADER_ROWS = 1000


def text_sample(start: bytes, *, is_whole: bool, path: Path, notes: Sequence[str]) -> Sample:
    """Columns of a text.

    Args:
        start: The first bytes, unpacked.
        is_whole: Whether they are all; else the last line is not whole and left out.
        path: Of the file, for messages.
        notes: What is known already.

    Raises:
        IngestError: It is no text, or no table that is read here.
    """
    encoded = decode(start, where=str(path))
    text = encoded.text if is_whole else encoded.text[: encoded.text.rfind("\n") + 1]
    first = text.lstrip()[:1]
    if not first:
        raise IngestError(f"{path}: is empty, or its first line is longer than 4 MiB: check it")
    if first in {"<", "%"}:
        raise IngestError(f"{path}: is a web page, XML or a PDF and no table: export it as CSV")
    split = None if first in {"{", "["} else find_delimiter(text)
    if first in {"{", "["}:
        sample = _json_sample(text, path=path)
    elif split is not None:
        sample = _delimited_sample(split)
    else:
        sample = _fixed_sample(text, path=path)
    kind = {"kind": sample.format["kind"]}
    encoding = Choice(encoded.name, encoded.reason, encoded.is_certain)
    return replace(
        sample,
        format={**kind, **sample.format, "encoding": encoding},
        is_whole=is_whole and sample.row_count < MOST_ROWS,
        notes=(*notes, *sample.notes),
        start=text.encode("utf-16" if encoded.name == "UTF-16" else encoded.name, "replace"),
    )


def as_columns(names: Sequence[str], rows: Sequence[Sequence[str]]) -> list[SampleColumn]:
    """Rows of texts as columns; an empty text is None."""
    texts = [[cell.strip() or None for cell in row] for row in rows]
    return [SampleColumn(name, [row[i] for row in texts]) for i, name in enumerate(names)]


def _delimited_sample(split: Delimited) -> Sample:
    header = has_header(split.rows[:_HEADER_ROWS])
    width = len(split.rows[0])
    # As reading names columns that have no name.
    own = [name.strip() or f"_c{place}" for place, name in enumerate(split.rows[0])]
    names = own if header else _numbered(width)
    rows = split.rows[header : MOST_ROWS + header]
    good = [row for row in rows if len(row) == width]
    ragged = len(rows) - len(good)
    form = {"kind": Choice("csv"), "delimiter": _delimiter(split, width)}
    if not split.quote:
        form["quote"] = Choice("", "fields are not quoted, although some start with a quote")
    if split.escape != '"':
        form["escape"] = Choice(split.escape, "it stands before quotes within fields")
    if not header:
        form["header"] = Choice(value=False, reason="the first row is like the others")
    if any("\n" in cell or "\r" in cell for row in split.rows for cell in row):
        form["multiline"] = Choice(value=True, reason="fields hold line breaks")
    words = f"{ragged:,} of {len(rows):,} rows looked at have another number of fields"
    return Sample(
        form,
        as_columns(names, good),
        len(good),
        is_whole=False,
        has_names=header,
        notes=(words,) if ragged else (),
    )


def _delimiter(split: Delimited, width: int) -> Choice:
    reason = f"{split.ratio:.0%} of the rows have {width} fields by it"
    return Choice(split.delimiter.replace("\t", "\\t"), reason)


def _fixed_sample(text: str, *, path: Path) -> Sample:
    places = find_places(text)
    if places is None:
        raise IngestError(
            f"{path}: no delimiter (, ; tab | ^) and no fixed places split most of its lines "
            "alike: export it as CSV"
        )
    rows = cut_places(text, places)
    header = has_header(rows[:_HEADER_ROWS])
    names = rows[0] if header and len(set(rows[0])) == len(places) else _numbered(len(places))
    fields = dict(zip(names, ([*place] for place in places), strict=True))
    found = rows[header : MOST_ROWS + header]
    note = "the first line is a header, which this format does not know: one row will be refused"
    return Sample(
        {
            "kind": Choice("fixed_width"),
            "fields": Choice(fields, "blanks stand at the same places"),
        },
        as_columns(names, found),
        len(found),
        is_whole=False,
        has_names=header and names == rows[0],
        notes=(note,) if header else (),
    )


def _json_sample(text: str, *, path: Path) -> Sample:
    lines = [line for line in text.splitlines() if line.strip()]
    documents = []
    for line in islice(lines, MOST_ROWS):
        try:
            document = json.loads(line)
        except ValueError:
            continue
        if isinstance(document, dict):
            documents.append(_flat(document))
    if len(documents) * 2 < len(lines[:MOST_ROWS]):
        raise IngestError(
            f"{path}: is JSON, but not with one object a line: "
            f"convert it, such as by jq -c '.[]' {path.name}"
        )
    names = list(dict.fromkeys(name for document in documents for name in document))
    columns = [SampleColumn(name, [d.get(name) for d in documents]) for name in names]
    return Sample({"kind": Choice("json")}, columns, len(documents), is_whole=False)


def _flat(document: Mapping[str, object], above: str = "") -> dict[str, str | None]:
    """Values as texts, those of nested objects under names such as `customer.id`."""
    found: dict[str, str | None] = {}
    for name, value in document.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{above}{name}.")
        elif isinstance(value, str):
            found[above + name] = value.strip() or None
        else:
            found[above + name] = None if value is None else json.dumps(value)
    return found


def _numbered(count: int) -> list[str]:
    return [f"column_{number}" for number in range(1, count + 1)]
