"""Windows and habits of one customer by plain loops over the lines known on a day."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from statistics import mean, median, stdev

from tests.histories import Line, Units, day, pieces


@dataclass
class DaySum:
    """What one day came to, as it was known on another."""

    orders: int = 0
    gross: Units = 0
    returned: Units = 0
    discount: Decimal = Decimal(0)

    @property
    def spend(self) -> float:
        return float(self.gross - self.returned)


def day_sums(lines: Sequence[Line], as_of: int) -> dict[int, DaySum]:
    """Orders that were not undone, and money, by purchase day."""
    known = sorted((line for line in lines if line.day <= as_of), key=lambda x: (x.day, x.hour))
    days: dict[int, DaySum] = defaultdict(DaySum)
    first: dict[str, int] = {}
    left: dict[str, Units] = defaultdict(int)
    unmatched = {line.number: -line.units for line in known if line.units < 0}
    price = {line.number: line.price for line in known}
    for line in known:
        if line.units > 0:
            first.setdefault(line.order, line.day)
            left[line.order] += line.units
            days[first[line.order]].gross += line.units * line.price
            days[first[line.order]].discount += line.discount
    for piece in pieces(known):
        left[piece.order] -= piece.units
        unmatched[piece.return_number] -= piece.units
        days[first[piece.order]].returned += piece.units * price[piece.return_number]
    for line in known:
        if line.units < 0:
            days[line.day].returned += unmatched[line.number] * line.price
    for order, units in left.items():
        days[first[order]].orders += units > 0
    return days


def habits(days: dict[int, DaySum], *, as_of: int) -> dict[str, float | None]:
    """Gaps, silence, months and shares of money; everything None without a purchase day."""
    bought = sorted(at for at, each in days.items() if each.orders)
    gaps = [later - earlier for earlier, later in pairwise(bought)]
    silence = as_of - max(bought, default=0)
    gross = float(sum(each.gross for each in days.values()))
    returned = float(sum(each.returned for each in days.values()))
    discount = float(sum(each.discount for each in days.values()))
    found = {
        "purchase_gap_mean_days": mean(gaps) if gaps else None,
        "purchase_gap_median_days": median(gaps) if gaps else None,
        "purchase_gap_variation_ratio": stdev(gaps) / mean(gaps) if len(gaps) > 1 else None,
        "recency_gap_ratio": silence / mean(gaps) if gaps else None,
        "longer_gap_ratio": mean(gap > silence for gap in gaps) if gaps else None,
        "active_months_count": len({(day(at).year, day(at).month) for at in bought}),
        "discount_ratio": discount / (gross + discount) if gross + discount else None,
        "return_ratio": returned / gross if gross else None,
    }
    return found if bought else dict.fromkeys(found)


def window(days: dict[int, DaySum], *, as_of: int, length: int) -> dict[str, float | None]:
    """One window's columns."""
    inside = [each for at, each in days.items() if as_of - length < at <= as_of]
    before = [each for at, each in days.items() if as_of - 2 * length < at <= as_of - length]
    orders, spend = sum(each.orders for each in inside), sum(each.spend for each in inside)
    earlier = sum(each.spend for each in before)
    return {
        f"order_{length}_days_count": orders,
        f"spend_{length}_days_amount": spend,
        f"purchase_{length}_days_count": sum(each.orders > 0 for each in inside),
        f"average_order_{length}_days_amount": spend / orders if orders else None,
        f"spend_{length}_days_trend_ratio": spend / earlier if earlier > 0 else None,
    }
