"""What a line is: the source's business rules as one column."""

from functools import reduce

from pyspark.sql import Column
from pyspark.sql import functions as F

from segspark.settings.rules import LineKind, LineKindRule, Sign
from segspark.settings.sources import TransactionSource


def line_kind(source: TransactionSource) -> Column:
    """The kind of a line: the first rule that fits, else return, sample or sale by sign.

    It reads `order_id`, `product_id`, `description`, `quantity_units` and `line_amount`.
    """
    negative = (F.col("quantity_units") < 0) | (F.col("line_amount") < 0)
    by_sign = (
        F.when(negative, LineKind.RETURN.value)
        .when(F.col("line_amount") == 0, LineKind.SAMPLE.value)
        .otherwise(LineKind.SALE.value)
    )
    return reduce(
        lambda below, rule: F.when(_fits(rule), rule.kind.value).otherwise(below),
        reversed(source.line_kinds),
        by_sign,
    )


def _fits(rule: LineKindRule) -> Column:
    patterns = {
        "order_id": rule.order_id_matches,
        "product_id": rule.product_id_matches,
        "description": rule.description_matches,
    }
    signs = {"quantity_units": rule.quantity, "line_amount": rule.line_amount}
    conditions = [F.col(name).rlike(pattern) for name, pattern in patterns.items() if pattern]
    conditions += [_has_sign(F.col(name), sign) for name, sign in signs.items() if sign]
    return F.coalesce(reduce(lambda left, right: left & right, conditions), F.lit(col=False))


def _has_sign(number: Column, sign: Sign) -> Column:
    return {Sign.NEGATIVE: number < 0, Sign.ZERO: number == 0, Sign.POSITIVE: number > 0}[sign]
