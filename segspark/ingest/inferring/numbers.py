"""Numbers in texts → the style in which a source writes them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Literal, cast

from segspark.settings.rules import NumberStyle

CURRENCY_OF_SIGN = {
    "€": "EUR", "£": "GBP", "$": "USD", "US$": "USD", "¥": "JPY", "₹": "INR", "zł": "PLN",
    "R$": "BRL", "kr": "SEK", "Kč": "CZK", "₺": "TRY", "₩": "KRW", "Fr.": "CHF", "Ft": "HUF",
    "EUR": "EUR", "USD": "USD", "GBP": "GBP", "CHF": "CHF", "JPY": "JPY", "PLN": "PLN",
    "SEK": "SEK", "NOK": "NOK", "DKK": "DKK", "CZK": "CZK", "HUF": "HUF", "CAD": "CAD",
    "AUD": "AUD", "NZD": "NZD", "BRL": "BRL", "INR": "INR", "TRY": "TRY", "MXN": "MXN",
}  # fmt: skip
"""Signs and codes around amounts → ISO 4217 code."""
SHARED_SIGNS = frozenset({"$", "¥", "kr"})
"""Signs that more than one currency has."""
_SIGNS = "|".join(re.escape(sign) for sign in sorted(CURRENCY_OF_SIGN, key=len, reverse=True))
_LOOSE = re.compile(
    rf"(?P<open>\()?\s*(?P<minus>[-+])?\s*(?P<before>{_SIGNS})?\s*(?P<minus_after>[-+])?"
    rf"(?P<digits>(?:\d[\d.,'\u2019 \u00a0\u202f]*)?\d|\d+[.,]|[.,]\d+)"
    rf"(?P<exponent>[eE][-+]?\d{{1,2}})?\s*(?P<after>{_SIGNS})?\s*(?P<trailing>-)?(?P<close>\))?$"
)
_SPACES = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2019": "'"})
_STYLES = ((".", ""), (",", ""), (".", ","), (",", "."), (".", " "), (",", " "), (".", "'"),
           (",", "'"))  # fmt: skip
_MOST_VALUES = 3000

Decimals = Literal[".", ","]
Thousands = Literal["", ".", ",", " ", "'"]


@dataclass(frozen=True, slots=True)
class Numbers:
    """How the numbers of a source are written.

    Attributes:
        style: As the settings have it.
        reason: Why, in words.
        is_certain: Whether a person need not look at it.
    """

    style: NumberStyle
    reason: str
    is_certain: bool


def looks_like_number(text: str) -> bool:
    """Whether a text is a number in any style."""
    return _LOOSE.match(text) is not None


def find_number_style(columns: Sequence[Sequence[str]]) -> Numbers:
    """The one style that reads most values of all columns of numbers.

    Args:
        columns: Filled values of each column that holds numbers.
    """
    values = [text for column in columns for text in list(dict.fromkeys(column))[:_MOST_VALUES]]
    matches = [match for match in map(_LOOSE.match, values) if match]
    digits = [match["digits"].translate(_SPACES) for match in matches]
    read = {
        style: sum(_pattern(*style).match(text) is not None for text in digits) for style in _STYLES
    }
    best = max(_STYLES, key=lambda style: read[style])  # the first of equals: the simplest
    signs = {sign for match in matches for sign in (match["before"], match["after"]) if sign}
    negatives = any(match["open"] or match["trailing"] for match in matches)
    doubtful = _is_doubtful(best, read, digits)
    style = NumberStyle(
        decimal_separator=cast(Decimals, best[0]),
        thousands_separator=cast(Thousands, best[1]),
        currency_signs=tuple(sorted(signs)),
        accounting_negatives=negatives,
    )
    example = next((text for text in values if set(text) & set(".,'()€$£")), "")
    if doubtful:
        return Numbers(style, f"such as {example}: thousands or decimals?", is_certain=False)
    return Numbers(style, f"such as {example}", is_certain=True)


def parse_number(text: str, style: NumberStyle) -> Decimal | None:
    """The value of a text in a style; None if it is no number in it."""
    match = _LOOSE.match(text)
    if match is None:
        return None
    digits = match["digits"].translate(_SPACES)
    if not _pattern(style.decimal_separator, style.thousands_separator).match(digits):
        return None
    if style.thousands_separator:
        digits = digits.replace(style.thousands_separator, "")
    digits = digits.replace(style.decimal_separator, ".")
    is_negative = "-" in {match["minus"], match["minus_after"], match["trailing"]} or match["open"]
    try:
        value = Decimal(digits + (match["exponent"] or ""))
    except InvalidOperation:
        return None
    return -value if is_negative else value


@lru_cache
def _pattern(decimals: str, thousands: str) -> re.Pattern[str]:
    """What the digits of a number look like in a style."""
    point, group = re.escape(decimals), re.escape(thousands)
    plain = rf"\d+(?:{point}\d*)?|{point}\d+"
    grouped = rf"\d{{1,3}}(?:{group}\d{{3}})+(?:{point}\d*)?|" if thousands else ""
    return re.compile(f"(?:{grouped}{plain})$")


def _is_doubtful(
    best: tuple[str, str], read: dict[tuple[str, str], int], digits: Sequence[str]
) -> bool:
    """Whether another decimal separator reads as much, and there are separators at all."""
    if not any("." in text or "," in text for text in digits):
        return False
    return any(read[style] == read[best] and style[0] != best[0] for style in _STYLES)
