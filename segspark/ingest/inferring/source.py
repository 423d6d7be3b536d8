"""An unknown file → a complete configuration to edit, with a reason for each choice."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from segspark.errors import IngestError
from segspark.ingest.inferring.columns import UNKNOWN, Mapped, map_columns
from segspark.ingest.inferring.numbers import Numbers
from segspark.ingest.inferring.profiles import Choice, Profile, Sample, profile_columns
from segspark.ingest.inferring.rules import find_currency, find_guests, find_line_kinds
from segspark.ingest.inferring.sample import read_sample
from segspark.settings.rules import NumberStyle

Node = Choice | Mapping[str, "Node"] | Sequence[Choice]
_STAMPS = ("transaction_at", "event_at", "valid_from", "birth_date")
_AMOUNTS = ("quantity", "unit_price", "line_amount")
_NAME_ENDS = (".gz", ".zst", ".zip", ".csv", ".txt", ".tsv", ".json", ".jsonl", ".ndjson",
              ".parquet", ".orc", ".xlsx", ".xls", ".sqlite", ".db", ".dat")  # fmt: skip
_TITLES = {"customer_id": "customer", "transaction_at": "time", "line_amount": "money",
           "event_at": "time", "event_type": "event_type", "product_id": "product"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Inferred:
    """What was found out about a file.

    Attributes:
        name: Name of the source, of the file's name.
        path: The file, absolute.
        sample: What it was found out from.
        entity: What its rows are.
        source: Keys of the source in the order to write them; leaves carry their reasons.
        currency: Of the lake.
        missing: Required targets that were not found → columns that it could be.
        last_day: Latest day of the stamps looked at.
        notes: What a person should know before anything else.
    """

    name: str
    path: Path
    sample: Sample
    entity: str
    source: Mapping[str, Node]
    currency: Choice
    missing: Mapping[str, Sequence[str]]
    last_day: date | None
    notes: Sequence[str]


def infer_source(path: Path) -> Inferred:
    """Look at the first rows of a file.

    Args:
        path: CSV, JSON lines, fixed width, Parquet, ORC, Excel or SQLite; plain or packed.

    Raises:
        IngestError: It cannot be read, or holds no table.
    """
    if "${" in str(path.absolute()):
        raise IngestError(f"{path}: the configuration takes ${{ for a reference: rename the file")
    sample = read_sample(path)
    profiles, numbers = profile_columns(sample.columns)
    mapped = map_columns(profiles, has_names=sample.has_names)
    by_name = {profile.name: profile for profile in profiles}
    return _without_numbered_names(_inferred(path, sample, mapped, by_name, numbers))


def missing_sentence(inferred: Inferred) -> str:
    """What was not found, where it could be, and what to do."""
    parts = []
    for target, candidates in inferred.missing.items():
        some = f" (it could be {', '.join(candidates)})" if candidates else ""
        parts.append(f"no column of {_TITLES.get(target, target)} for {target}{some}")
    return "; ".join(parts)


def source_name(path: Path) -> str:
    """A name for the source made of the file's name."""
    stem = path.name.lower()
    while end := next((end for end in _NAME_ENDS if stem.endswith(end) and stem != end), None):
        stem = stem.removesuffix(end)
    folded = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    name = re.sub(r"[^a-z0-9]+", "_", folded).strip("_") or "source"
    return (name if name[0].isalpha() else f"source_{name}")[:40].rstrip("_")


def _inferred(
    path: Path,
    sample: Sample,
    mapped: Mapped,
    profiles: Mapping[str, Profile],
    numbers: Numbers,
) -> Inferred:
    currency = find_currency(mapped, profiles, numbers.style)
    entity = str(mapped.entity.value)
    rules, signs = find_line_kinds(mapped, profiles) if entity == "transactions" else ([], [])
    notes = [*sample.notes, *mapped.notes, *signs]
    stamps = _stamps(mapped, profiles)
    source: dict[str, Node] = {}
    if entity != "transactions" or mapped.known is not None:
        source["entity"] = mapped.entity
    source["location"] = Choice(str(path.absolute()))
    source["format"] = dict(sample.format)
    if entity == "transactions":
        source["currency"] = currency
    source |= _when(mapped, stamps)
    if "event_type" in mapped.missing:
        source["event_type"] = _unknown(mapped.missing["event_type"])
    source["columns"] = _columns(mapped)
    if mapped.discounts_deducted is not None:
        source["discounts_deducted"] = mapped.discounts_deducted
    style = _number_style(mapped, profiles, numbers)
    if style:
        source["numbers"] = style
    guests = find_guests(mapped, profiles)
    if guests:
        source["customer_ids"] = {"guest_ids": guests}
    if rules:
        source["line_kinds"] = rules
    last_day = max((p.stamps.last_day for p in stamps if p.stamps and p.stamps.last_day),
                   default=None)  # fmt: skip
    return Inferred(
        source_name(path), path.absolute(), sample, entity, source, currency, mapped.missing,
        last_day, notes,
    )  # fmt: skip


def _stamps(mapped: Mapped, profiles: Mapping[str, Profile]) -> list[Profile]:
    names = [str(mapped.columns[target].value) for target in _STAMPS if target in mapped.columns]
    return [profiles[name] for name in names]


def _when(mapped: Mapped, stamps: Sequence[Profile]) -> dict[str, Node]:
    """Pattern and zones of the stamps; nothing where there are none."""
    if not stamps or stamps[0].stamps is None:
        return {}
    first = stamps[0].stamps
    found: dict[str, Node] = {}
    if first.pattern is not None:
        found["timestamp_format"] = Choice(first.pattern, first.reason, first.is_certain)
    if mapped.known is not None and mapped.known.zone:
        zone = Choice(mapped.known.zone, f"as in {mapped.known.title}")
        return {**found, "stamp_zone": zone, "business_zone": zone}
    if first.has_offset:
        found["stamp_zone"] = Choice("UTC", "the stamps state their offset themselves")
    else:
        words = "the zone in which the stamps are written" if first.has_time else "days have none"
        found["stamp_zone"] = Choice("UTC", words, is_certain=not first.has_time)
    words = "the zone whose calendar days count"
    # Days without a time must not be moved to another zone.
    is_certain = not first.has_time and not first.has_offset
    found["business_zone"] = Choice("UTC", "the same" if is_certain else words, is_certain)
    return found


def _columns(mapped: Mapped) -> dict[str, Node]:
    found: dict[str, Node] = {}
    for target in (*mapped.columns, *mapped.missing):
        if target == "event_type" and target in mapped.missing:
            continue
        if target in mapped.missing:
            found[target] = _unknown(mapped.missing[target])
        else:
            found[target] = mapped.columns[target]
    required = [
        target for target in ("customer_id", "transaction_at", "event_at") if target in found
    ]
    return {**{target: found[target] for target in required}, **found}


def _unknown(candidates: Sequence[str]) -> Choice:
    words = f"not found; it could be {', '.join(candidates)}" if candidates else "not found"
    return Choice(UNKNOWN, words, is_certain=False)


def _number_style(
    mapped: Mapped, profiles: Mapping[str, Profile], numbers: Numbers
) -> dict[str, Node]:
    """Keys that differ from the defaults, if any mapped column holds numbers as text."""
    targets = [target for target in _AMOUNTS if target in mapped.columns]
    names = {str(mapped.columns[target].value) for target in targets}
    if not any(profiles[name].numbers for name in names):
        return {}
    plain, style = NumberStyle(), numbers.style
    reason = numbers.reason
    found: dict[str, Node] = {
        key: Choice(list(value) if isinstance(value, tuple) else value, reason, numbers.is_certain)
        for key, value in style.model_dump().items()
        if value != getattr(plain, key)
    }
    if not found and not numbers.is_certain:
        found["decimal_separator"] = Choice(".", reason, is_certain=False)
    return found


def _without_numbered_names(inferred: Inferred) -> Inferred:
    """Of a file without a header: the columns are called by what they mean, where that is known."""
    if inferred.sample.has_names:
        return inferred
    form = dict(inferred.sample.format)
    if form["kind"].value == "json":
        return inferred
    columns = inferred.source["columns"]
    if not isinstance(columns, Mapping):
        return inferred
    names = {
        str(choice.value): target
        for target, choice in columns.items()
        if isinstance(choice, Choice) and isinstance(choice.value, str) and choice.value != UNKNOWN
    }
    own = [names.get(column.name, column.name) for column in inferred.sample.columns]
    if "fields" in form:
        places = form["fields"].value
        kept = list(places.values()) if isinstance(places, Mapping) else []
        form["fields"] = replace(form["fields"], value=dict(zip(own, kept, strict=True)))
    else:
        form["column_names"] = Choice(own, "named here by what they hold")
    renamed = {
        target: replace(choice, value=target)
        if isinstance(choice, Choice) and str(choice.value) in names
        else choice
        for target, choice in columns.items()
    }
    by_old = dict(zip([column.name for column in inferred.sample.columns], own, strict=True))
    notes = [re.sub(r"column_\d+", lambda m: by_old.get(m[0], m[0]), n) for n in inferred.notes]
    source = {**inferred.source, "format": form, "columns": renamed}
    return replace(inferred, source=source, notes=notes)
