"""Which column holds what, where names do not tell: by what repeats and what goes together."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from segspark.ingest.inferring.profiles import Choice, Profile, determines

_OTHER_DATES = (
    "ship", "deliver", "liefer", "versand", "update", "modif", "birth", "geburt", "expir", "due",
    "cancel", "refund", "estimat", "limit", "livr",
)  # fmt: skip
_USUAL_UNITS = 24
_MOST_COUNTRIES = 300

Chosen = Mapping[str, Choice]


def find_by_content(
    profiles: Sequence[Profile], chosen: Chosen, *, kept_free: Collection[str]
) -> dict[str, Choice]:
    """What the content tells of the targets that are not chosen yet; each to be checked.

    Args:
        profiles: All columns; those named `column_1` and so on have no names of their own.
        chosen: What is known by name.
        kept_free: Columns that are money by name.
    """
    found: dict[str, Choice] = {}
    taken = {*(choice.value for choice in chosen.values()), *kept_free}
    free = [p for p in profiles if p.name not in taken and not p.is_constant]

    def take(target: str, profile: Profile | None, reason: str) -> None:
        if profile is not None:
            found[target] = Choice(profile.name, reason, is_certain=False)
            free.remove(profile)

    if "transaction_at" not in chosen:
        stamp = _find_stamp(free)
        take("transaction_at", stamp, "the only column of stamps" if stamp else "")
    stamp = _named("transaction_at", profiles, {**chosen, **found})
    has_names = any(not p.name.startswith("column_") for p in profiles)
    order = _named("order_id", profiles, chosen)
    if order is None and not has_names:
        order = _find_order(free, stamp)
        take("order_id", order, "each of its values has one time")
    if "quantity" not in chosen and not has_names:
        take("quantity", _find_quantity(free, order), "small whole numbers")
    if "customer_id" not in chosen:
        customer, reason = _find_customer(free, order=order, stamp=stamp)
        take("customer_id", customer, reason)
    if not has_names:
        take("product_id", _find_product(free, order, found), "codes that repeat")
        take("description", _find_description(free), "words")
        take("country", _find_country(free, found, profiles), "few words, the same per customer")
    return found


def _named(target: str, profiles: Sequence[Profile], chosen: Chosen) -> Profile | None:
    if target not in chosen:
        return None
    return next((p for p in profiles if p.name == chosen[target].value), None)


def _find_stamp(free: Sequence[Profile]) -> Profile | None:
    stamps = [
        p for p in free if p.stamps and not any(word in p.name.lower() for word in _OTHER_DATES)
    ]
    return stamps[0] if len(stamps) == 1 else None


def _find_order(free: Sequence[Profile], stamp: Profile | None) -> Profile | None:
    """Ids of which each has one time."""
    if stamp is None:
        return None
    orders = [
        p
        for p in _ids(free)
        if determines(p.values, stamp.values) and p.distinct_count < len(p.filled)
    ]
    return max(orders, key=lambda p: p.distinct_count, default=None)


def _find_customer(
    free: Sequence[Profile], *, order: Profile | None, stamp: Profile | None
) -> tuple[Profile | None, str]:
    """Ids that repeat, of which an order has one only; the most distinct."""
    ids = [p for p in _ids(free) if p.distinct_count < len(p.filled) and not _is_small(p)]
    reason = "ids that repeat"
    if order is not None:
        ids = [p for p in ids if determines(order.values, p.values)]
        reason = "ids that repeat, one per order"
    elif stamp is not None:
        ids = [p for p in ids if not determines(p.values, stamp.values)]
    return max(ids, key=lambda p: p.distinct_count, default=None), reason


def _find_quantity(free: Sequence[Profile], order: Profile | None) -> Profile | None:
    small = [p for p in free if p.numbers is not None and not p.has_decimals and _is_small(p)]
    if order is not None:
        small = [p for p in small if not determines(order.values, p.values)]
    return small[0] if small else None


def _find_product(
    free: Sequence[Profile], order: Profile | None, found: Mapping[str, Choice]
) -> Profile | None:
    """Ids that repeat and that an order can have several of; no further id of the customer."""
    if order is None:
        return None
    ids = [p for p in _ids(free) if p.distinct_count < len(p.filled)]
    ids = [p for p in ids if not determines(order.values, p.values)]
    return max(ids, key=lambda p: p.distinct_count, default=None) if found else None


def _find_description(free: Sequence[Profile]) -> Profile | None:
    words = [p for p in free if p.is_wordy]
    return max(words, key=lambda p: p.distinct_count, default=None)


def _find_country(
    free: Sequence[Profile], found: Mapping[str, Choice], profiles: Sequence[Profile]
) -> Profile | None:
    customer = _named("customer_id", profiles, found)
    if customer is None:
        return None
    texts = [
        p
        for p in free
        if p.distinct_count < _MOST_COUNTRIES
        and all(text.replace(" ", "").isalpha() for text in p.filled)
        and determines(customer.values, p.values)
    ]
    return texts[0] if texts else None


def _ids(profiles: Sequence[Profile]) -> list[Profile]:
    return [p for p in profiles if p.is_id_like and any(map(_has_digit, p.filled))]


def _has_digit(text: str) -> bool:
    return any(sign.isdigit() for sign in text)


def _is_small(profile: Profile) -> bool:
    """Whether most of its values are numbers of units."""
    if profile.numbers is None:
        return False
    usual = Counter(number for number in profile.numbers if number is not None).most_common(1)
    units = sorted(abs(number) for number in profile.numbers if number is not None)
    return bool(usual) and units[len(units) // 2] <= _USUAL_UNITS and units[0] <= _USUAL_UNITS
