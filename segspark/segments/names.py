"""Names that follow from a segment's numbers: its mean RFM scores, then what sets twins apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

_LOW, _HIGH = 2.5, 3.5
_NEW_CUSTOMER_DAYS = 90


@dataclass(frozen=True, slots=True)
class SegmentFigures:
    """What a name is made from.

    Attributes:
        segment_id: The segment.
        recency_score: Mean score of its customers, 1 to 5; 5 is recent.
        frequency_score: Mean score, 1 to 5.
        monetary_score: Mean score, 1 to 5.
        medians: Feature → median in natural units.
    """

    segment_id: str
    recency_score: float
    frequency_score: float
    monetary_score: float
    medians: Mapping[str, float] = field(default_factory=dict)

    @property
    def value_score(self) -> float:
        """Mean of frequency and monetary score."""
        return (self.frequency_score + self.monetary_score) / 2


@dataclass(frozen=True, slots=True)
class Character:
    """A kind of customer, as marketing calls it.

    Attributes:
        name: The usual name.
        suggested_action: What to do next.
    """

    name: str
    suggested_action: str


_CHARACTERS = {
    ("high", "high"): Character("Champions", "Reward them, ask for referrals, never discount."),
    ("high", "middle"): Character("Potential loyalists", "Offer membership and a next product."),
    ("high", "low"): Character("Recent customers", "Win the second and third purchase."),
    ("middle", "high"): Character(
        "Loyal customers", "Keep in touch, sell higher, ask for reviews."
    ),
    ("middle", "middle"): Character("Need attention", "Bring them back with a limited offer."),
    ("middle", "low"): Character("About to sleep", "Remind them of what they liked, cheaply."),
    ("low", "high"): Character("At risk", "Call or write personally before they are gone."),
    ("low", "middle"): Character("Hibernating", "Win back with one strong offer, then stop."),
    ("low", "low"): Character("Lost", "Spend nothing on them beyond a yearly reminder."),
}
_NEW_CUSTOMERS = Character("New customers", "Welcome them, and win the second purchase.")
_TWINS = {
    "recency_days": ("more recent", "longer ago", "last bought {:,.0f} days ago"),
    "frequency_count": ("fewer orders", "more orders", "{:,.0f} orders"),
    "monetary_amount": ("lower spend", "higher spend", "{:,.0f} spent"),
    "average_order_amount": ("small orders", "large orders", "{:,.0f} an order"),
}
"""Feature → word for the lower of two, for the higher, and for one of more than two."""


def character(figures: SegmentFigures) -> Character:
    """The kind of customer, by recency and value; every pair of scores has exactly one."""
    kind = (_level(figures.recency_score), _level(figures.value_score))
    tenure = figures.medians.get("tenure_days")
    if kind == ("high", "low") and tenure is not None and tenure <= _NEW_CUSTOMER_DAYS:
        return _NEW_CUSTOMERS
    return _CHARACTERS[kind]


def segment_names(segments: Sequence[SegmentFigures]) -> dict[str, str]:
    """One name a segment, all different.

    Segments of one character are told apart by the feature whose medians differ most in
    proportion; where no median differs, by their ids.

    Args:
        segments: The segments of one run.

    Returns:
        Segment id → name.
    """
    groups: dict[str, list[SegmentFigures]] = {}
    for figures in segments:
        groups.setdefault(character(figures).name, []).append(figures)
    names: dict[str, str] = {}
    for name, twins in groups.items():
        if len(twins) == 1:
            names[twins[0].segment_id] = name
        else:
            names.update(_told_apart(name, twins))
    return names


def carry_names(names: Mapping[str, str], before: Mapping[str, str]) -> dict[str, str]:
    """Keep a segment's name across trainings while its character is the same.

    Args:
        names: Segment id → name by the new numbers.
        before: Segment id → name of the same segment in the run published before.

    Returns:
        Segment id → name, all different; only what sets twins apart may stay as it was.
    """
    carried = dict(names)
    for segment_id, old in before.items():
        new = carried.get(segment_id)
        is_same = new is not None and new.partition(",")[0] == old.partition(",")[0]
        if is_same and old not in carried.values():
            carried[segment_id] = old
    return carried


def _level(score: float) -> str:
    if score < _LOW:
        return "low"
    return "middle" if score < _HIGH else "high"


def _told_apart(name: str, twins: Sequence[SegmentFigures]) -> dict[str, str]:
    for feature in sorted(_TWINS, key=lambda feature: -_spread(feature, twins)):
        lower, higher, exact = _TWINS[feature]
        ordered = sorted(twins, key=lambda t: t.medians.get(feature, 0.0))
        words = [exact.format(t.medians.get(feature, 0.0)) for t in ordered]
        if len(set(words)) < len(words):
            continue
        if len(ordered) == len((lower, higher)):
            words = [lower, higher]
        return {t.segment_id: f"{name}, {w}" for t, w in zip(ordered, words, strict=True)}
    return {t.segment_id: f"{name}, {t.segment_id}" for t in twins}


def _spread(feature: str, twins: Sequence[SegmentFigures]) -> float:
    values = [t.medians.get(feature, 0.0) for t in twins]
    return (max(values) + 1) / (max(min(values), 0.0) + 1)
