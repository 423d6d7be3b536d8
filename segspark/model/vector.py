"""The feature vector: natural units in, points out; its parameters, and one customer by hand.

Nothing but Python is needed here. The same parameters drive numpy (`segspark.model.vector_arrays`)
and Spark (`segspark.clustering.vectorise`), which calculate in this order of steps.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self, SupportsFloat, get_args

from segspark.errors import ClusteringError, StorageError

Transformation = Literal["log1p", "none"]
"""The logarithm of 1 + value, or the value as it is."""


def coordinate_names(width: int) -> list[str]:
    """Name the coordinates of points in a table; no feature's name begins with an underscore."""
    return [f"_coordinate_{n}" for n in range(width)]


@dataclass(frozen=True, slots=True)
class ValueRule:
    """How the values of one feature are read, before anything is fitted to them.

    Attributes:
        name: The feature column.
        transformation: What becomes of a value.
        missing: What a missing value counts as, in natural units; None: it is refused.
        least: Values below are raised to it, in natural units; None: none are.
    """

    name: str
    transformation: Transformation = "log1p"
    missing: float | None = None
    least: float | None = None

    @property
    def is_logarithm(self) -> bool:
        return self.transformation == "log1p"

    def read(self, value: SupportsFloat | None) -> float:
        """Turn one value into a transformed number.

        Raises:
            ClusteringError: It is missing without a rule, infinite, or has no logarithm.
        """
        number = _number(self.name, value)
        if math.isnan(number) and self.missing is not None:
            number = self.missing
        is_finite = math.isfinite(number)
        if is_finite and self.least is not None:
            number = max(number, self.least)
        if not is_finite or (self.is_logarithm and number < 0):
            raise self.refusal(number)
        return math.log1p(number) if self.is_logarithm else number

    def refusal(self, value: float, *, place: str = "") -> ClusteringError:
        """Say why a value, at a place such as `in row 3`, cannot be taken."""
        if math.isfinite(value):
            needed = "the vector takes its logarithm, so it must be a number from 0 up"
        else:
            needed = "the vector has no rule for that, so it must be a finite number"
        where = f"{self.name} {place}" if place else self.name
        return ClusteringError(f"{where} is {value}: {needed}")


@dataclass(frozen=True, slots=True)
class VectorColumn:
    """How one feature becomes one coordinate; all numbers on the scale of the transformed value.

    Attributes:
        rule: How a value is read.
        lower: Values below are raised to it; -inf when nothing is cut off.
        upper: Values above are lowered to it; inf when nothing is cut off.
        centre: Mean after the cut, or median.
        scale: Population deviation after the cut, or quartile distance / 1.349; above zero.
    """

    rule: ValueRule
    lower: float
    upper: float
    centre: float
    scale: float

    def coordinate(self, value: SupportsFloat | None) -> float:
        """Read, cut and scale one value.

        Raises:
            ClusteringError: The value cannot be taken.
        """
        cut = min(max(self.rule.read(value), self.lower), self.upper)
        return (cut - self.centre) / self.scale

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; a missing bound is None."""
        return asdict(self.rule) | {
            "lower": self.lower if math.isfinite(self.lower) else None,
            "upper": self.upper if math.isfinite(self.upper) else None,
            "centre": self.centre,
            "scale": self.scale,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote, bit for bit.

        Raises:
            ValueError: The transformation is none that is known.
        """
        transformation = data["transformation"]
        if transformation not in get_args(Transformation):
            raise ValueError(f"there is no transformation {transformation!r}")
        rule = ValueRule(
            name=str(data["name"]),
            transformation=transformation,
            missing=_optional(data["missing"]),
            least=_optional(data["least"]),
        )
        lower, upper = _optional(data["lower"]), _optional(data["upper"])
        return cls(
            rule=rule,
            lower=-math.inf if lower is None else lower,
            upper=math.inf if upper is None else upper,
            centre=float(data["centre"]),
            scale=float(data["scale"]),
        )


@dataclass(frozen=True, slots=True)
class FeatureVector:
    """The columns of the vector, in order.

    Attributes:
        columns: Each scaled on its own.
    """

    columns: tuple[VectorColumn, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.rule.name for column in self.columns)

    @property
    def rules(self) -> tuple[ValueRule, ...]:
        return tuple(column.rule for column in self.columns)

    def point(self, values: Mapping[str, SupportsFloat | None]) -> tuple[float, ...]:
        """Turn one customer into a point: read, cut, scaled.

        Args:
            values: Features in natural units by name; others are ignored, and one that is not
                there, None or NaN is missing.

        Raises:
            ClusteringError: A value cannot be taken.
        """
        return tuple(column.coordinate(values.get(column.rule.name)) for column in self.columns)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"columns": [column.to_dict() for column in self.columns]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote, bit for bit.

        Raises:
            StorageError: An earlier version wrote principal components into it.
        """
        if data.get("projection") is not None:
            raise StorageError(
                "the model's vector is of principal components, which are in training.sweep.pca "
                "now: train again, or use the segspark version that wrote it"
            )
        return cls(tuple(VectorColumn.from_dict(column) for column in data["columns"]))


def _optional(value: float | None) -> float | None:
    return None if value is None else float(value)


def _number(name: str, value: SupportsFloat | None) -> float:
    try:
        return math.nan if value is None else float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise ClusteringError(f"{name} is no number: give one in natural units") from error
