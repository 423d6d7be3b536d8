"""Features of when a customer buys, the same for each kind of season."""

from dataclasses import dataclass
from functools import partial

from pyspark.sql import types as T

from segspark.tables.feature import HISTORY, Feature

_SHARES = T.MapType(T.StringType(), T.DoubleType())
_LATER = "the days after the first purchase day, up to the as-of date"
_feature = partial(Feature, window=HISTORY, is_everybodys=True)


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of season.

    Attributes:
        name: Such as month.
        keys: Its levels, in words.
        orders: Which orders are shared out among them.
        time: What of the customer's time these are compared with.
        tested: Of which orders strength and p-value are.
        tested_time: What these are compared with.
        window: The days of these.
        incomparable: When orders and time leave nothing to compare.
        untestable: When those that are tested do.
    """

    name: str
    keys: str
    orders: str = "orders"
    time: str = "days"
    tested: str = "later orders"
    tested_time: str = "later days"
    window: str = _LATER
    incomparable: str = "there is no order, or all days are of one level"
    untestable: str = "there is no later order, or all later days are of one level"


_TIMED = "orders with a part of the day"
_UNTIMED = "no order has a part of the day"
_KINDS = (
    _Kind("month", "january to december"),
    _Kind("weekday", "monday to sunday"),
    _Kind(
        "daypart",
        "night, morning, afternoon, evening: six hours each, from midnight, local time of the "
        "first line; orders stamped at midnight are in none",
        orders=_TIMED,
        time="hours",
        tested=_TIMED,
        tested_time="hours",
        window=HISTORY,
        incomparable=_UNTIMED,
        untestable=_UNTIMED,
    ),
    _Kind(
        "holiday",
        "the periods of `features.seasons.holidays`; of the other days nothing is said",
    ),
)


def _season_features(kind: _Kind) -> tuple[Feature, ...]:
    name, time = kind.name, kind.time
    return (
        _feature(
            f"{name}_shares",
            _SHARES,
            f"Share of the orders by {name} ({kind.keys}); an absent key: 0",
            "ratio",
            f"sum of orders of the level / sum of all {kind.orders}",
        ),
        _feature(
            f"{name}_concentration_ratio",
            T.DoubleType(),
            f"0: as even as the customer's {time}; 1: all in the {name} with the fewest {time}",
            "ratio",
            "sum of p ln(p / q) / ln(1 / smallest q); p: the level's share of the "
            f"{kind.orders}, q: its share of the {time}",
            missing=kind.incomparable,
        ),
        _feature(
            f"favourite_{name}",
            T.StringType(),
            f"The {name} with the most orders; ties: with the fewest {time}, then the first",
            "text",
            "level with the largest sum of orders",
            missing=f"no {name} has an order",
        ),
        _feature(
            f"{name}_strength_ratio",
            T.DoubleType(),
            "Concentration less what chance makes of it; 0 where the p-value is above 0.05",
            "ratio",
            "(G - (K - 1)) / highest G, at least 0; G = 2 * sum of o ln(o / e); o: the level's "
            f"{kind.tested}, e: those expected of its share of the {kind.tested_time}, K: number "
            "of levels with any",
            window=kind.window,
            missing=kind.untestable,
        ),
        _feature(
            f"{name}_p_value",
            T.DoubleType(),
            "How probable such a peak or gap is for who buys evenly; never too low",
            "probability",
            f"2 * K * smallest exact binomial tail of a level's {kind.tested}, up or down; at most "
            "1",
            window=kind.window,
            missing=kind.untestable,
        ),
    )


SEASON_FEATURES = (
    _feature(
        "order_count",
        T.LongType(),
        "Orders, as `features.monetary` counts them",
        "orders",
        "sum of orders",
    ),
    _feature(
        "later_order_count",
        T.LongType(),
        "Orders after the first purchase day: strength and p-value of months, weekdays and "
        "holidays are theirs, since time begins with that day",
        "orders",
        "sum of orders",
        window=_LATER,
    ),
    _feature(
        "observed_days",
        T.LongType(),
        "Days from the first purchase to the as-of date, both counted; 0 without a purchase",
        "days",
        "as-of date - first purchase day + 1",
    ),
    *(feature for kind in _KINDS for feature in _season_features(kind)),
)
