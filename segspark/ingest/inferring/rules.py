"""Currency, guests and kinds of line: what the rows of a file say beside its columns."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal

from segspark.ingest.inferring.columns import Mapped
from segspark.ingest.inferring.numbers import CURRENCY_OF_SIGN, SHARED_SIGNS
from segspark.ingest.inferring.profiles import Choice, Profile
from segspark.settings.lake import LakeSettings
from segspark.settings.rules import NumberStyle

_GUESTS = frozenset(
    {"0", "-1", "00000", "null", "none", "nan", "n/a", "na", "-", "guest", "gast", "anonymous",
     "anonym", "unknown", "unbekannt", "invite", "invité", "invitado", "walk-in", "walkin"}
)  # fmt: skip
_PREFIXED = re.compile(r"([A-Za-z]{1,3})[-_]?\d+$")
_CODES = {
    "postage": re.compile(
        r"(?i)^(POST|DOT|POSTAGE|SHIPPING|SHIP|VERSAND|VERSANDKOSTEN|PORTO|FREIGHT|DELIVERY|FRACHT"
        r"|LIVRAISON|ENVIO|DELIVERY[-_ ]?FEE)$"
    ),
    "voucher": re.compile(r"(?i)^(gift_.*|GIFT[-_ ]?CARD|VOUCHER|GUTSCHEIN|GESCHENKKARTE|COUPON)$"),
    "fee": re.compile(
        r"(?i)^(FEE|BANK CHARGES|AMAZONFEE|CRUK|COMMISSION|SURCHARGE|GEBUEHR|GEBÜHR|PFAND|DEPOSIT"
        r"|MANUAL|M|SERVICE)$"
    ),
}
_MOST_CODES = 8
_ENOUGH_RATIO = 0.9


def find_currency(mapped: Mapped, profiles: Mapping[str, Profile], numbers: NumberStyle) -> Choice:
    """ISO 4217 code of the amounts: of the known set, a column, signs, else the lake's default."""
    if mapped.known is not None and mapped.known.currency:
        return Choice(mapped.known.currency, f"as in {mapped.known.title}")
    column = _profile("currency", mapped, profiles)
    if column is not None:
        code, count = Counter(text.upper() for text in column.filled).most_common(1)[0]
        words = f"the most frequent of {column.name}, in {count:,} of {len(column.filled):,} rows"
        return Choice(code, words)
    codes = {CURRENCY_OF_SIGN[sign] for sign in numbers.currency_signs}
    if len(codes) == 1:
        sign = numbers.currency_signs[0]
        return Choice(codes.pop(), f"amounts have {sign}", is_certain=sign not in SHARED_SIGNS)
    words = f"amounts have {', '.join(numbers.currency_signs)}" if codes else "nothing tells it"
    return Choice(LakeSettings().currency, words, is_certain=False)


def find_guests(mapped: Mapped, profiles: Mapping[str, Profile]) -> list[Choice]:
    """Ids that stand for nobody."""
    column = _profile("customer_id", mapped, profiles)
    if column is None:
        return []
    counts = Counter(text for text in column.filled if text.lower() in _GUESTS)
    return [Choice(text, f"{count:,} of the rows") for text, count in counts.most_common()]


def find_line_kinds(
    mapped: Mapped, profiles: Mapping[str, Profile]
) -> tuple[list[Choice], list[str]]:
    """Rules for kinds of line that the rows show, and what the signs alone tell in words."""
    quantity = _profile("quantity", mapped, profiles)
    amount = _profile("line_amount", mapped, profiles) or _profile("unit_price", mapped, profiles)
    signs = quantity or amount
    notes = _sign_notes(quantity, amount)
    if mapped.known is not None and mapped.known.rules:
        return [Choice(dict(r), f"as in {mapped.known.title}") for r in mapped.known.rules], notes
    rules = []
    orders = _profile("order_id", mapped, profiles)
    if orders is not None and signs is not None and signs.numbers is not None:
        rules += _cancellations(orders, signs.numbers)
    products = _profile("product_id", mapped, profiles)
    if products is not None:
        rules += _codes(products)
    return rules, notes


def _profile(target: str, mapped: Mapped, profiles: Mapping[str, Profile]) -> Profile | None:
    choice = mapped.columns.get(target)
    return profiles.get(str(choice.value)) if choice else None


def _sign_notes(quantity: Profile | None, amount: Profile | None) -> list[str]:
    notes = []
    for profile in (quantity, amount):
        found = [n for n in (profile.numbers or ()) if n is not None] if profile else []
        negative = sum(number < 0 for number in found)
        if profile and negative:
            words = f"{negative:,} of {len(found):,} rows have a negative {profile.name}"
            notes.append(f"{words}: they are returns without a rule")
    found = [n for n in (amount.numbers or ()) if n is not None] if amount else []
    if amount and Decimal(0) in found:
        words = f"{sum(not n for n in found):,} of {len(found):,} rows have a zero {amount.name}"
        notes.append(f"{words}: they are samples without a rule")
    return notes


def _cancellations(orders: Profile, numbers: Sequence[Decimal | None]) -> list[Choice]:
    """Letters before the number of an order that mark a cancellation: nearly all are negative."""
    negative: dict[str, list[bool]] = defaultdict(list)
    for order, number in zip(orders.values, numbers, strict=True):
        if order is not None and number is not None:
            match = _PREFIXED.match(order)
            negative[match[1] if match else ""].append(number < 0)
    if len(negative) <= 1:  # all orders are written alike
        return []
    return [
        Choice(
            {"kind": "cancellation", "order_id_matches": f"^{prefix}"},
            f"{sum(signs):,} of {len(signs):,} such rows are negative",
        )
        for prefix, signs in sorted(negative.items())
        if prefix and sum(signs) / len(signs) >= _ENOUGH_RATIO
    ]


def _codes(products: Profile) -> list[Choice]:
    """Codes of what is no product."""
    counts = Counter(products.filled)
    rules = []
    for kind, pattern in _CODES.items():
        codes = [code for code in counts if pattern.match(code)][:_MOST_CODES]
        if codes:
            names = "|".join(re.escape(code) for code in sorted(codes))
            rows = sum(counts[code] for code in codes)
            rule = {"kind": kind, "product_id_matches": f"^({names})$"}
            rules.append(
                Choice(rule, f"by the usual codes, {rows:,} of the rows", is_certain=False)
            )
    return rules
