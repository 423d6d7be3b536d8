"""Vectors with any parameters, and values that are hard on them, for properties."""

import math
from dataclasses import dataclass
from typing import get_args

from hypothesis import strategies as st

from segspark.model.vector import FeatureVector, Transformation, ValueRule, VectorColumn

NAMES = ("recency_days", "spend_30_days_amount", "lifetime_value_amount")
Customer = dict[str, float | None]


@dataclass(frozen=True)
class Case:
    """A vector and customers whose every value it takes."""

    vector: FeatureVector
    customers: list[Customer]
    is_everyday: bool = False

    def tolerances(self, customer: Customer) -> list[float]:
        """1e-12; of an extreme case, times the numbers that each coordinate is made of."""
        if self.is_everyday:
            return [1e-12] * len(self.vector.columns)
        return [
            1e-12 * max(abs(_cut(column, customer)), abs(column.centre)) / column.scale
            for column in self.vector.columns
        ]


def _cut(column: VectorColumn, customer: Customer) -> float:
    return min(max(column.rule.read(customer[column.rule.name]), column.lower), column.upper)


_NATURAL = st.one_of(
    st.sampled_from([0.0, -0.0, 5e-324, 1e-300, 1e-17, 1.0, 1e15, 1e100]),
    st.floats(0, 1e4),
    st.floats(0, 1e100, allow_subnormal=True),
)
_PARAMETER = st.floats(-1e3, 1e3)


@st.composite
def _columns(draw: st.DrawFn, name: str) -> VectorColumn:
    rule = ValueRule(
        name,
        transformation=draw(st.sampled_from(get_args(Transformation))),
        missing=draw(st.none() | st.floats(0, 1e6)),
        least=draw(st.none() | st.floats(0, 1e3)),
    )
    lower, upper = sorted([draw(_PARAMETER), draw(_PARAMETER)])
    is_cut = draw(st.booleans())
    return VectorColumn(
        rule,
        lower if is_cut else -math.inf,
        upper if is_cut else math.inf,
        draw(_PARAMETER),
        draw(st.floats(1e-6, 1e6)),
    )


@st.composite
def vectors(draw: st.DrawFn) -> FeatureVector:
    """Vectors of the three `NAMES`."""
    return FeatureVector(tuple(draw(_columns(name)) for name in NAMES))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A vector with customers, some at its cuts, some with missing or negative values."""
    vector = draw(vectors())
    customers = [
        {column.rule.name: draw(_values(column)) for column in vector.columns}
        for _ in range(draw(st.integers(1, 6)))
    ]
    return Case(vector, customers)


@st.composite
def _everyday_columns(draw: st.DrawFn, name: str) -> VectorColumn:
    rule = ValueRule(name, transformation=draw(st.sampled_from(get_args(Transformation))))
    lower, upper = draw(st.floats(0, 5)), draw(st.floats(5, 1e4))
    return VectorColumn(rule, lower, upper, draw(st.floats(-10, 10)), draw(st.floats(0.1, 1e3)))


@st.composite
def everyday_cases(draw: st.DrawFn) -> Case:
    """Values, centres and scales as shops have them: points agree to a plain 1e-12."""
    vector = FeatureVector(tuple(draw(_everyday_columns(name)) for name in NAMES))
    values = st.floats(0, 1e4)
    customers: list[Customer] = [
        {name: draw(values) for name in NAMES} for _ in range(draw(st.integers(1, 6)))
    ]
    return Case(vector, customers, is_everyday=True)


def _values(column: VectorColumn) -> st.SearchStrategy[float | None]:
    rule, kinds = column.rule, [_NATURAL]
    cuts = [cut for cut in (column.lower, column.upper) if math.isfinite(cut)]
    if rule.is_logarithm:
        cuts = [math.expm1(cut) for cut in cuts if 0 <= cut < 200]
    if cuts:
        at = [each for cut in cuts for each in (math.nextafter(cut, 0), cut)]
        kinds.append(st.sampled_from(at))
    if not rule.is_logarithm or rule.least is not None:
        kinds.append(st.floats(-1e100, 0))
    known = st.one_of(kinds)
    return known if rule.missing is None else st.one_of(known, st.sampled_from([None, math.nan]))
