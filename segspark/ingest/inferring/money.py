"""Price of a unit or money of the line: settled by arithmetic where there is any to do."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from statistics import median

from segspark.ingest.inferring.known_columns import is_clear_money, plain_name, usual_names
from segspark.ingest.inferring.profiles import Choice, Profile, determines

_ENOUGH_RATIO = 0.95
_FEW_ROWS = 3
_MANY_ROWS = 20
_MOST_UNIT_FACTOR, _LEAST_LINE_FACTOR = 1.25, 1.6

Numbers = Sequence[Decimal | None]
Chosen = Mapping[str, Choice]


def settle_money(
    profiles: Sequence[Profile], chosen: Chosen, named: Mapping[str, Sequence[str]]
) -> dict[str, Choice]:
    """`unit_price` or `line_amount`; empty where there is no money.

    Args:
        profiles: All columns.
        chosen: What was found already; `quantity`, `order_id` and `product_id` are of use.
        named: Columns whose names say `unit_price` or `line_amount`, the most telling first.
    """
    free = _free_numbers(profiles, chosen)
    prices = [p for name in named["unit_price"] for p in free if p.name == name]
    amounts = [p for name in named["line_amount"] for p in free if p.name == name]
    amounts = [p for p in amounts if p not in prices]
    quantity = _of("quantity", profiles, chosen)
    if not prices and not amounts:
        found = [p for p in free if p.has_decimals]
        return _settle_unnamed(found, quantity, _of("product_id", profiles, chosen))
    if quantity is None:
        return _without_quantity(prices, amounts)
    if prices and amounts:
        return _settle_both(prices, amounts, quantity, _of("order_id", profiles, chosen))
    money = (prices or amounts)[0]
    target = "unit_price" if prices else "line_amount"
    if is_clear_money(money.name):
        return {target: Choice(money.name, "a usual name")}
    return _settle_one(money, quantity, _of("product_id", profiles, chosen), leaning=target)


def settle_discounts(
    profiles: Sequence[Profile], chosen: Chosen
) -> tuple[Choice | None, Choice | None]:
    """The discounts, and whether the money is net of them; None where there are none."""
    names = usual_names("transactions", "discounts")
    found = [
        p.name
        for p in _free_numbers(profiles, chosen)
        if plain_name(p.name) in names and _is_positive_money(p)
    ]
    if not found:
        return None, None
    is_net = "line_amount" in chosen and "equals quantity" not in chosen["line_amount"].reason
    reason = "whether the amounts are after discount is not told by the file"
    return Choice(found, "a usual name", is_certain=False), Choice(is_net, reason, is_certain=False)


def _of(target: str, profiles: Sequence[Profile], chosen: Chosen) -> Profile | None:
    if target not in chosen:
        return None
    return next((p for p in profiles if p.name == chosen[target].value), None)


def _free_numbers(profiles: Sequence[Profile], chosen: Chosen) -> list[Profile]:
    taken = [choice.value for choice in chosen.values()]
    return [p for p in profiles if p.numbers is not None and p.name not in taken]


def _without_quantity(prices: Sequence[Profile], amounts: Sequence[Profile]) -> dict[str, Choice]:
    if amounts:
        return {"line_amount": Choice(amounts[0].name, "a usual name")}
    words = "there is no quantity, so that each row is one unit"
    return {"line_amount": Choice(prices[0].name, words, is_certain=False)}


def _settle_both(
    prices: Sequence[Profile],
    amounts: Sequence[Profile],
    quantity: Profile,
    order: Profile | None,
) -> dict[str, Choice]:
    """The amount, if it is quantity times price; the price, if the amount is the whole order's."""
    for price in prices:
        for amount in amounts:
            fits, count = _count_products(quantity, price, amount)
            if count and fits / count >= _ENOUGH_RATIO:
                words = f"it equals quantity times {price.name} in {fits:,} of {count:,} rows"
                return {"line_amount": Choice(amount.name, words)}
    price, amount = prices[0], amounts[0]
    if order is not None and determines(order.values, amount.values):
        words = f"{amount.name} is the same on all lines of an order, so it is the order's"
        return {"unit_price": Choice(price.name, words)}
    fits, count = _count_products(quantity, price, amount)
    words = f"{amount.name} is quantity times {price.name} in {fits:,} of {count:,} rows only"
    return {"line_amount": Choice(amount.name, words, is_certain=False)}


def _settle_unnamed(
    found: Sequence[Profile], quantity: Profile | None, product: Profile | None
) -> dict[str, Choice]:
    """Money among columns of decimals whose names say nothing."""
    if not found:
        return {}
    if quantity is None:
        words = "the only column of decimals" if len(found) == 1 else "the first of decimals"
        return {"line_amount": Choice(found[0].name, words, is_certain=False)}
    for price in found:
        for amount in found:
            fits, count = _count_products(quantity, price, amount)
            if price is not amount and count >= _FEW_ROWS and fits / count >= _ENOUGH_RATIO:
                words = f"it equals quantity times {price.name} in {fits:,} of {count:,} rows"
                return {"line_amount": Choice(amount.name, words)}
    return _settle_one(found[0], quantity, product, leaning="line_amount")


def _settle_one(
    money: Profile, quantity: Profile, product: Profile | None, *, leaning: str
) -> dict[str, Choice]:
    """One column of money whose name does not tell: does it grow with the quantity?"""
    by_product = _votes_by_product(money, quantity, product) if product else (0, 0)
    unit, line = by_product
    if unit + line >= _FEW_ROWS and max(unit, line) / (unit + line) >= _ENOUGH_RATIO:
        if unit > line:
            return {"unit_price": Choice(money.name, "it does not grow with a product's quantity")}
        return {"line_amount": Choice(money.name, "it grows with a product's quantity")}
    factor = _growth(money, quantity)
    if factor is not None and factor <= _MOST_UNIT_FACTOR:
        words = f"twice the quantity has {factor:.1f} times the amount"
        return {"unit_price": Choice(money.name, words, is_certain=False)}
    if factor is not None and factor >= _LEAST_LINE_FACTOR:
        words = f"twice the quantity has {factor:.1f} times the amount"
        return {"line_amount": Choice(money.name, words, is_certain=False)}
    other = "the money of the line" if leaning == "unit_price" else "the price of a unit"
    return {leaning: Choice(money.name, f"by its name only; it could be {other}", is_certain=False)}


def _count_products(quantity: Profile, price: Profile, amount: Profile) -> tuple[int, int]:
    """Rows where the amount is quantity times price, and rows that can tell."""
    fits = count = 0
    for units, each, whole in zip(*map(_numbers, (quantity, price, amount)), strict=True):
        if units is None or each is None or whole is None or units in {0, 1} or not each:
            continue
        count += 1
        fits += abs(units * each - whole) <= Decimal("0.006") * (1 + abs(units))
    return fits, count


def _votes_by_product(money: Profile, quantity: Profile, product: Profile) -> tuple[int, int]:
    """Rows that speak for a price of a unit, and for money of the line."""
    first: dict[str, tuple[Decimal, Decimal]] = {}
    unit = line = 0
    for code, units, amount in zip(
        product.values, _numbers(quantity), _numbers(money), strict=True
    ):
        if code is None or not units or not amount or units < 0:
            continue
        known_units, known_amount = first.setdefault(code, (units, amount))
        if units == known_units:
            continue
        tolerance = abs(known_amount) / 100
        is_unit = abs(amount - known_amount) <= tolerance
        is_line = abs(amount * known_units / units - known_amount) <= tolerance
        unit, line = unit + (is_unit and not is_line), line + (is_line and not is_unit)
    return unit, line


def _growth(money: Profile, quantity: Profile) -> float | None:
    """How many times the usual amount of one unit the usual amount of two is."""
    amounts: dict[int, list[Decimal]] = {1: [], 2: []}
    for units, amount in zip(_numbers(quantity), _numbers(money), strict=True):
        if units in {1, 2} and amount:
            amounts[int(units)].append(amount)
    if min(len(found) for found in amounts.values()) < _MANY_ROWS:
        return None
    return float(median(amounts[2]) / median(amounts[1]))


def _numbers(profile: Profile) -> Numbers:
    return profile.numbers or ()


def _is_positive_money(profile: Profile) -> bool:
    """Whether these can be discounts as money: not negative, and no shares below one."""
    found = [number for number in _numbers(profile) if number]
    is_share = bool(found) and max(found) <= 1 and any(number % 1 for number in found)
    return not is_share and all(number > 0 for number in found)
