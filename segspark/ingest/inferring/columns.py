"""Which column holds what: known sets, usual names, then content; with a reason for each."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from segspark.ingest.inferring.attributes import category_levels, free_attributes
from segspark.ingest.inferring.content import find_by_content
from segspark.ingest.inferring.known_columns import (
    is_consent,
    is_unique_name,
    plain_name,
    usual_names,
)
from segspark.ingest.inferring.known_sets import KnownSet, find_known_set
from segspark.ingest.inferring.money import settle_discounts, settle_money
from segspark.ingest.inferring.profiles import Choice, Profile
from segspark.ingest.inferring.stamps import is_epoch

UNKNOWN = "???"
_TARGETS = {
    "transactions": (
        "customer_id", "transaction_at", "order_id", "product_id", "description", "quantity",
        "currency", "country", "store_id",
    ),
    "customers": ("customer_id", "valid_from", "birth_date", "country", "region"),
    "products": ("product_id", "description", "brand"),
    "events": ("customer_id", "event_at", "event_type", "campaign_id", "product_id", "channel"),
}  # fmt: skip
_REQUIRED = {
    "transactions": ("customer_id", "transaction_at"),
    "customers": ("customer_id",),
    "products": ("product_id",),
    "events": ("customer_id", "event_at"),
}
_CURRENCY_CODE = re.compile(r"[A-Za-z]{3}$")
_SHORTEST_PART = 6

Chosen = dict[str, Choice]


@dataclass(frozen=True, slots=True)
class Mapped:
    """What the columns of a file mean.

    Attributes:
        entity: What its rows are.
        columns: Target column → the source's; several of them as a list.
        missing: Required targets that were not found → columns that it could be.
        known: The set that it is recognised as, if any.
        discounts_deducted: Whether the money is net of discounts, where there are any.
        notes: What else a person should know.
    """

    entity: Choice
    columns: Mapping[str, Choice]
    missing: Mapping[str, Sequence[str]]
    known: KnownSet | None = None
    discounts_deducted: Choice | None = None
    notes: Sequence[str] = field(default=())


def map_columns(profiles: Sequence[Profile], *, has_names: bool) -> Mapped:
    """Find what each column means.

    Args:
        profiles: The columns.
        has_names: Whether their names are the file's own; else only the content counts.
    """
    known = find_known_set([profile.name for profile in profiles]) if has_names else None
    if known is not None and not _holds_only_purchases(known, profiles):
        return _as_known(known, profiles)
    entity = _entity(profiles) if has_names else Choice("transactions")
    if entity.value == "transactions":
        return _as_transactions(profiles, entity=entity)
    return _as_other(profiles, entity=entity)


def _holds_only_purchases(known: KnownSet, profiles: Sequence[Profile]) -> bool:
    """Events that are all purchases are transactions."""
    types = [p for p in profiles if plain_name(p.name) == known.columns.get("event_type")]
    return any({text.lower() for text in profile.filled} == {"purchase"} for profile in types)


def _as_known(known: KnownSet, profiles: Sequence[Profile]) -> Mapped:
    by_name = {plain_name(profile.name): profile for profile in profiles}
    reason = f"as in {known.title}"
    chosen: Chosen = {}
    for target, names in known.columns.items():
        there = [by_name[name].name for name in names.split() if name in by_name]
        if target in {"discounts", "category_levels"}:
            found: object = there
        else:
            found = there[0] if there else None
        if not found:
            continue
        odd = [by_name[plain_name(name)] for name in there]
        odd = [p for p in odd if p.filled and not _fits(target, p)]
        if odd:
            words = f"{reason}, but {odd[0].filled[0]!r} is not what it should hold"
            chosen[target] = Choice(found, words, is_certain=False)
        else:
            chosen[target] = Choice(found, reason)
    deducted = Choice(known.discounts_deducted, reason) if "discounts" in chosen else None
    return Mapped(
        Choice(known.entity, f"the columns are those of {known.title}"),
        chosen,
        _missing(known.entity, chosen, profiles),
        known,
        deducted,
        (known.note,) if known.note else (),
    )


def _as_transactions(profiles: Sequence[Profile], *, entity: Choice) -> Mapped:
    chosen = _by_name("transactions", profiles)
    money_names = {
        target: [
            p.name
            for usual in usual_names("transactions", target)
            for p in profiles
            if plain_name(p.name) == usual
        ]
        for target in ("unit_price", "line_amount")
    }
    named = {name for names in money_names.values() for name in names}
    chosen |= find_by_content(profiles, chosen, kept_free=named)
    chosen |= settle_money(profiles, chosen, money_names)
    discounts, deducted = settle_discounts(profiles, chosen)
    if discounts is not None:
        chosen["discounts"] = discounts
    return Mapped(
        entity,
        chosen,
        _missing("transactions", chosen, profiles),
        discounts_deducted=deducted,
        notes=_epoch_notes(profiles),
    )


def _as_other(profiles: Sequence[Profile], *, entity: Choice) -> Mapped:
    name = str(entity.value)
    chosen = _by_name(name, profiles)
    key = _REQUIRED[name][0]
    plain_ids = [p.name for p in profiles if plain_name(p.name) == "id"]
    if key not in chosen and plain_ids:
        chosen[key] = Choice(plain_ids[0], "the file's own key", is_certain=False)
    if name == "products":
        levels = category_levels(profiles)
        if levels:
            chosen["category_levels"] = Choice(levels, "fewest values first")
    if name == "customers":
        consents = {plain_name(p.name): p.name for p in profiles if is_consent(p.name)}
        if consents:
            chosen["consents"] = Choice(consents, "purpose → column", is_certain=False)
    rest = free_attributes(profiles, chosen)
    if rest:
        chosen["attributes"] = Choice(rest, "further columns with few values", is_certain=False)
    missing = _missing(name, chosen, profiles)
    return Mapped(entity, chosen, missing, notes=_epoch_notes(profiles))


def _entity(profiles: Sequence[Profile]) -> Choice:
    """What the rows are, by which columns there are and which not."""
    chosen = _by_name("transactions", profiles)
    names = {plain_name(profile.name) for profile in profiles}
    has_money = any(
        names & set(usual_names("transactions", target)) for target in ("unit_price", "line_amount")
    )
    if "customer_id" in chosen and not has_money:
        has_type = names & set(usual_names("events", "event_type"))
        if "transaction_at" in chosen and has_type:
            return Choice("events", "a customer, a time and a type, and no money")
        if "order_id" not in chosen and not has_type:
            words = "a customer, and neither money nor orders"
            return Choice("customers", words, is_certain=False)
    has_levels = names & set(usual_names("products", "category_levels"))
    has_key = "product_id" in chosen or "id" in names
    if has_key and has_levels and not {"customer_id", "transaction_at", "order_id"} & set(chosen):
        return Choice("products", "products with categories, and no customer")
    return Choice("transactions")


def _by_name(entity: str, profiles: Sequence[Profile]) -> Chosen:
    """The targets whose usual names occur: exactly first, then as a part of a longer name."""
    chosen: Chosen = {}
    by_name = {plain_name(profile.name): profile for profile in reversed(profiles)}
    for target in _TARGETS[entity]:
        for name in usual_names(entity, target):
            profile = by_name.get(name)
            if profile and _fits(target, profile) and profile.name not in _taken(chosen):
                is_certain = target != "customer_id" or is_unique_name(name)
                reason = "a usual name" if is_certain else "names are not unique"
                chosen[target] = Choice(profile.name, reason, is_certain)
                break
    exact = set(_taken(chosen))
    for target in _REQUIRED[entity]:
        if target in chosen:
            continue
        parts = [name for name in usual_names(entity, target) if len(name) >= _SHORTEST_PART]
        for profile in profiles:
            plain = plain_name(profile.name)
            part = next((name for name in parts if name in plain), None)
            if part and _fits(target, profile) and profile.name not in exact:
                chosen[target] = Choice(profile.name, f"its name holds {part}", is_certain=False)
                break
    return chosen


def _taken(chosen: Chosen) -> list[object]:
    return [choice.value for choice in chosen.values()]


def _fits(target: str, profile: Profile) -> bool:
    """Whether the content is what the name says."""
    if not profile.filled:
        return False
    checks: dict[str, Callable[[], bool]] = {
        "transaction_at": lambda: profile.stamps is not None,
        "event_at": lambda: profile.stamps is not None,
        "valid_from": lambda: profile.stamps is not None,
        "birth_date": lambda: profile.stamps is not None,
        "quantity": lambda: profile.numbers is not None,
        "currency": lambda: all(_CURRENCY_CODE.match(text) for text in profile.filled),
        "product_id": lambda: not profile.is_wordy,
        "customer_id": lambda: profile.stamps is None or profile.numbers is not None,
        "description": lambda: profile.numbers is None and profile.stamps is None,
        "country": lambda: profile.numbers is None,
    }
    return checks.get(target, lambda: True)()


def _missing(entity: str, chosen: Chosen, profiles: Sequence[Profile]) -> dict[str, list[str]]:
    """Required targets that were not found, with the columns that are free and would fit."""
    free = [profile for profile in profiles if profile.name not in _taken(chosen)]
    missing = {
        target: [
            p.name for p in free if _fits(target, p) and (target.endswith("_at") or p.is_id_like)
        ]
        for target in _REQUIRED[entity]
        if target not in chosen
    }
    if entity == "transactions" and not {"unit_price", "line_amount"} & set(chosen):
        missing["line_amount"] = [profile.name for profile in free if profile.numbers is not None]
    if entity == "events" and "event_type" not in chosen:
        missing["event_type"] = []
    return missing


def _epoch_notes(profiles: Sequence[Profile]) -> list[str]:
    return [
        f"{profile.name} seems to count seconds since 1970, which is not read: "
        "write it as a date or time first"
        for profile in profiles
        if is_epoch(profile.filled)
    ]
