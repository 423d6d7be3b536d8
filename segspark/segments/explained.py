"""Rules, drivers and differences of a run as rows of their tables."""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from operator import and_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.model.vector import ValueRule
from segspark.segments.differences import Difference
from segspark.segments.drivers import Driver
from segspark.segments.rules import Bound, Rule, Surrogate
from segspark.tables.explanations import ALL_SEGMENTS

RuleCounts = Mapping[tuple[int, str], int]
"""(Place of the rule, segment id) → customers."""


def count_rules(customers: DataFrame, rules: Sequence[Rule]) -> dict[tuple[int, str], int]:
    """Count who meets each rule, by the segment that the model gave.

    Args:
        customers: One row per customer: `segment_id` and the columns of the rules, never NULL.
        rules: Exclude each other and leave nobody out.

    Returns:
        (Place of the rule, segment id) → customers; pairs without any are not there.
    """
    places = [F.when(_meets(rule), F.lit(place)) for place, rule in enumerate(rules)]
    counted = customers.groupBy(F.coalesce(*places).alias("rule"), "segment_id").count()
    return {(row["rule"], row["segment_id"]): row["count"] for row in counted.collect()}


def rule_rows(
    surrogate: Surrogate,
    counts: RuleCounts,
    *,
    reading: Sequence[ValueRule],
    called: Mapping[str, str],
    run_id: str,
) -> list[tuple[object, ...]]:
    """Rows of `SEGMENT_RULES`.

    Args:
        surrogate: The rules; segments are numbered as in `called`.
        counts: From `count_rules`.
        reading: How the columns are read; what a missing value counts as enters the condition.
        called: Segment id → name.
        run_id: Written into every row.
    """
    of_rules = (surrogate.accuracy, surrogate.balanced_accuracy, len(surrogate.held_out.segments))
    rows: list[tuple[object, ...]] = []
    for number, (segment_id, name) in enumerate(called.items()):
        size = sum(count for (_, segment), count in counts.items() if segment == segment_id)
        own = [place for place, rule in enumerate(surrogate.rules) if rule.segment == number]
        own.sort(key=lambda place: -counts.get((place, segment_id), 0))
        for order, place in enumerate(own, start=1):
            condition = rule_condition(surrogate.rules[place], reading)
            inside = counts.get((place, segment_id), 0)
            everybody = sum(count for (rule, _), count in counts.items() if rule == place)
            shares = (_share(inside, everybody), _share(inside, size))
            words = _words(condition, name, *shares)
            figures = (everybody, inside, *shares, *of_rules)
            rows.append((run_id, segment_id, name, order, condition, words, *figures))
        if not own:
            words = f"no rule leads to {name}: its customers are too few or too much like others"
            shares = (None, _share(0, size))
            rows.append((run_id, segment_id, name, 0, None, words, 0, 0, *shares, *of_rules))
    return rows


def rule_condition(rule: Rule, reading: Sequence[ValueRule]) -> str:
    """The rule in SQL, a missing value as what it counts as; `TRUE` where it asks nothing."""
    missing = {each.name: each.missing for each in reading}
    parts = [part for bound in rule.bounds for part in _conditions(bound, missing[bound.name])]
    return " AND ".join(parts) or "TRUE"


def driver_rows(
    drivers: Sequence[Driver], *, called: Mapping[str, str], run_id: str
) -> list[tuple[object, ...]]:
    """Rows of `SEGMENT_DRIVERS`; segments of the drivers are numbered as in `called`."""
    ids = list(called)
    rows: list[tuple[object, ...]] = []
    for segment in (None, *range(len(ids))):
        own = [each for each in drivers if each.segment == segment]
        own.sort(key=lambda each: -each.importance)
        segment_id = ALL_SEGMENTS if segment is None else ids[segment]
        name = called.get(segment_id, ALL_SEGMENTS)
        rows += [
            (run_id, segment_id, name, each.name, each.importance, rank)
            for rank, each in enumerate(own, start=1)
        ]
    return rows


def difference_rows(
    differences: Sequence[Difference], *, run_id: str
) -> Iterator[tuple[object, ...]]:
    """Rows of `SEGMENT_DIFFERENCES`."""
    for each in differences:
        yield (
            run_id,
            each.kind,
            each.name,
            each.customer_count,
            each.eta_squared,
            each.epsilon_squared,
            each.cramers_v,
            each.explained_by_vector,
            "kruskal_wallis" if each.kind == "feature" else "chi_squared",
            each.statistic,
            each.degrees_of_freedom,
            each.smallest_expected_count,
            each.p_value,
            each.holm,
            each.benjamini_hochberg,
        )


def _meets(rule: Rule) -> Column:
    asked = (
        (F.col(bound.name) > bound.above) & (F.col(bound.name) <= bound.at_most)
        for bound in rule.bounds
    )
    return reduce(and_, asked, F.lit(col=True))


def _conditions(bound: Bound, missing: float | None) -> Iterator[str]:
    read = bound.name if missing is None else f"COALESCE({bound.name}, {_number(missing)})"
    if math.isfinite(bound.above):
        yield f"{read} > {_number(bound.above)}"
    if math.isfinite(bound.at_most):
        yield f"{read} <= {_number(bound.at_most)}"


def _number(value: float) -> str:
    return repr(value).removesuffix(".0")


def _words(condition: str, name: str, precision: float | None, coverage: float | None) -> str:
    asked = "everybody" if condition == "TRUE" else condition.replace(" AND ", " and ")
    if precision is None or coverage is None:
        return f"{asked}: nobody"
    return f"{asked}: {coverage:.1%} of {name}, and {precision:.1%} of whom this holds are in it"


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
