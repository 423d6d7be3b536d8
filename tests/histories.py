"""Purchase histories, and what they come to by plain loops over the lines known on a day."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Literal

from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession

from tests.builders import table

Units = int | Decimal
Matching = Literal["oldest", "nearest"]

_FIRST_NUMBER_APART = 500_001
START = datetime(2011, 1, 1, tzinfo=UTC)
SCHEMA = (
    "customer_id string, order_id string, product_id string, quantity_units decimal(18,4), "
    "unit_price_amount decimal(18,4), source_unit_price_amount decimal(18,4), "
    "source_currency string, line_amount decimal(18,4), transaction_at timestamp, "
    "transaction_date date, local_hour int, line_id string, line_kind string, source string, "
    "copies_count long, discount_amount decimal(18,4), batch_id string, country string, "
    "store_id string"
)
_DISCOUNTS = (Decimal(0), Decimal("0.25"), Decimal(2))


@dataclass(frozen=True)
class Line:
    """One line; negative units are a return.

    `price` is in `currency`, and `money`, units times price unless it is given, as well; `rate` is
    what a unit of it is worth in the lake's.
    """

    customer: str | None
    order: str
    units: Units
    day: int
    product: str | None = "mug"
    price: int = 10
    hour: int = 0
    minute: int = 0
    number: int = 0
    kind: str | None = None
    copies: int = 1
    batch: str = "batch-1"
    currency: str = "EUR"
    rate: Decimal = Decimal(1)
    money: int | None = None
    discount: Decimal = Decimal(0)
    country: str | None = None
    store: str | None = None

    @property
    def date(self) -> date:
        return (START + timedelta(days=self.day)).date()

    def row(self, number: int) -> tuple[object, ...]:
        money = Decimal(self.units * self.price if self.money is None else self.money)
        return (
            self.customer,
            self.order,
            self.product,
            Decimal(self.units),
            self.price * self.rate,
            Decimal(self.price),
            self.currency,
            money * self.rate,
            START + timedelta(days=self.day, hours=self.hour, minutes=self.minute),
            self.date,
            self.hour,
            f"line {self.number or number:06d}",
            self.kind or ("sale" if self.units > 0 else "return"),
            "shop",
            self.copies,
            self.discount,
            self.batch,
            self.country,
            self.store,
        )


@dataclass(frozen=True)
class Piece:
    """Units of a return line that undo units of a purchase line."""

    return_number: int
    purchase_number: int
    order: str
    units: Units
    day: int


def day(number: int) -> date:
    return (START + timedelta(days=number)).date()


def transactions(spark: SparkSession, lines: Iterable[Line]) -> DataFrame:
    """The lines with the columns of `transactions` that features read."""
    return table(spark, SCHEMA, *(line.row(n) for n, line in enumerate(lines, start=1)))


def apart(histories: Mapping[str, Sequence[Line]]) -> list[Line]:
    """All their lines, each history with customers of its own, so that one query answers for all.

    Customer 7 of history `late` is then `late: 7`; guests stay guests.
    """
    lines = [
        line if line.customer is None else replace(line, customer=f"{name}: {line.customer}")
        for name, history in histories.items()
        for line in history
    ]
    return [
        line if line.number else replace(line, number=number)
        for number, line in enumerate(lines, start=_FIRST_NUMBER_APART)
    ]


def known_lines(lines: Iterable[Line], as_of: int) -> dict[str, list[Line]]:
    """Customer → the lines up to a day."""
    known: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        if line.day <= as_of:
            known[str(line.customer)].append(line)
    return known


def long_history(*, purchases: int, returns: int, seed: int, first_number: int) -> list[Line]:
    """One customer who buys one thing again and again and seldom gives many of it back."""
    random = Random(seed)  # noqa: S311 - the same every time
    returned = set(random.sample(range(purchases + returns), returns))
    return [
        Line(
            customer="reseller",
            order=f"{'R' if at in returned else 'O'}{at}",
            units=-random.randint(1, 40) if at in returned else random.randint(1, 3),
            day=at // 24,
            hour=at % 24,
            number=first_number + at,
        )
        for at in range(purchases + returns)
    ]


def random_histories(customers: int, *, seed: int) -> list[Line]:
    """Short histories of few products and prices, so that returns meet queues of every shape."""
    random = Random(seed)  # noqa: S311 - the same every time
    lines: list[Line] = []
    for customer in range(customers):
        for _ in range(random.randint(1, 16)):
            is_return = random.random() < 0.45
            units = random.randint(1, 4)
            lines.append(
                Line(
                    customer=f"c{customer}",
                    order=f"{'R' if is_return else 'O'}{random.randint(1, 5)}",
                    units=-units if is_return else units,
                    day=random.randint(0, 20),
                    product=random.choice(["mug", "mug", "cup"]),
                    price=random.choice([3, 3, 7]),
                    hour=random.choice([0, 12]),
                    number=len(lines) + 1,
                    discount=_DISCOUNTS[len(lines) % len(_DISCOUNTS)],
                )
            )
    return lines


@st.composite
def drawn_histories(draw: st.DrawFn, *, customers: int = 25) -> list[Line]:
    """Histories of many customers at once, since Spark answers as quickly for many as for one.

    Few moments, products and prices, so that lines tie and meet; some units are fractions.
    """
    units = st.integers(1, 4) | st.decimals("0.0001", "3", places=4)
    shape = st.tuples(
        st.sampled_from([-1, 1]),
        units,
        st.integers(1, 4),
        st.integers(0, 4),
        st.sampled_from([0, 12]),
        st.sampled_from([("mug", 3), ("mug", 3), ("mug", 7), ("cup", 3)]),
        st.sampled_from(_DISCOUNTS),
    )
    lines: list[Line] = []
    for customer in range(customers):
        drawn = draw(st.lists(shape, max_size=12))
        for sign, size, order, at, hour, (product, price), discount in drawn:
            lines.append(
                Line(
                    customer=f"c{customer}",
                    order=f"{'R' if sign < 0 else 'O'}{order}",
                    units=sign * size,
                    day=at,
                    product=product,
                    price=price,
                    hour=hour,
                    number=len(lines) + 1,
                    discount=discount,
                )
            )
    return lines


def pieces(lines: Sequence[Line], *, matching: Matching = "oldest") -> list[Piece]:
    """What returns undo, by one list of what is left a customer, product and price."""
    everything: dict[tuple[object, ...], list[tuple[Line, Units]]] = defaultdict(list)
    found: list[Piece] = []
    for line in sorted(lines, key=lambda x: (x.day, x.hour, x.minute, x.units < 0, x.number)):
        left = everything[line.customer, line.product, line.price]
        if line.units > 0:
            left.append((line, line.units))
            continue
        wanted = -line.units
        while wanted and left:
            bought, there = left.pop(0 if matching == "oldest" else -1)
            taken = min(wanted, there)
            found.append(Piece(line.number, bought.number, bought.order, taken, line.day))
            wanted -= taken
            if taken < there:
                left.insert(0 if matching == "oldest" else len(left), (bought, there - taken))
    return found


def summary(lines: Sequence[Line], as_of: int) -> dict[str, object]:
    """One customer's net features from the lines up to a day, as if there were no others."""
    known = [line for line in lines if line.day <= as_of]
    first: dict[str, int] = {}
    bought: dict[str, Units] = defaultdict(int)
    spend: dict[int, Units] = defaultdict(int)
    price = {line.number: line.price for line in known}
    for line in sorted((x for x in known if x.units > 0), key=lambda x: x.day):
        first.setdefault(line.order, line.day)
        bought[line.order] += line.units
        spend[first[line.order]] += line.units * line.price
    matched: dict[int, Units] = defaultdict(int)
    back: dict[str, Units] = defaultdict(int)
    for piece in pieces(known):
        matched[piece.return_number] += piece.units
        back[piece.order] += piece.units
        spend[first[piece.order]] -= piece.units * price[piece.return_number]
    for line in known:
        if line.units < 0:
            spend[line.day] -= (-line.units - matched[line.number]) * line.price
    left = [order for order in bought if back[order] < bought[order]]
    days = sorted({first[order] for order in left})
    shared: dict[str, object] = {
        "net": sum(line.units * line.price for line in known),
        "orders_7": sum(first[order] > as_of - 7 for order in left),
        "spend_7": sum(money for at, money in spend.items() if at > as_of - 7),
    }
    if not days:
        reason = "every purchase was undone" if bought else "no purchase, only returns"
        return {**shared, "reason": reason}
    repeats = sum(spend[at] for at in days[1:])
    return {
        **shared,
        "reason": None,
        "recency": as_of - days[-1],
        "frequency": len(left),
        "monetary": sum(spend.values()),
        "x": len(days) - 1,
        "t_x": days[-1] - days[0],
        "T": as_of - days[0],
        "repeat_mean": round(repeats / (len(days) - 1), 6) if len(days) > 1 else None,
    }
