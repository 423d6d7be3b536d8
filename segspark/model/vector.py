"""The feature vector: natural units in, standardised points out, without Spark."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from segspark.errors import ClusteringError
from segspark.model.scores import Floats, checked_points


@dataclass(frozen=True, slots=True)
class VectorColumn:
    """How one feature becomes one coordinate; all numbers on the scale of log(1 + value).

    Attributes:
        name: The feature column.
        lower: Values below are raised to it; -inf when nothing is cut off.
        upper: Values above are lowered to it; inf when nothing is cut off.
        mean: Mean after the cut.
        deviation: Population deviation after the cut, above zero.
    """

    name: str
    lower: float
    upper: float
    mean: float
    deviation: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; a missing bound is None."""
        return {
            "name": self.name,
            "lower": self.lower if np.isfinite(self.lower) else None,
            "upper": self.upper if np.isfinite(self.upper) else None,
            "mean": self.mean,
            "deviation": self.deviation,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote, bit for bit."""
        lower, upper = data["lower"], data["upper"]
        return cls(
            name=str(data["name"]),
            lower=-np.inf if lower is None else float(lower),
            upper=np.inf if upper is None else float(upper),
            mean=float(data["mean"]),
            deviation=float(data["deviation"]),
        )


@dataclass(frozen=True, slots=True)
class FeatureVector:
    """The columns of the vector, in order."""

    columns: tuple[VectorColumn, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def transform(self, values: Floats) -> Floats:
        """Turn feature values into points: log(1 + x), cut, standardised.

        Args:
            values: Shape (n, d), natural units, columns in the order of `names`.

        Returns:
            Shape (n, d), in deviations from the mean.

        Raises:
            ClusteringError: A value is missing, infinite or negative, or the shape is another.
        """
        checked = checked_points(values, width=len(self.columns))
        self._check_range(checked)
        logs = np.log1p(checked)
        lower, upper, mean, deviation = np.array(
            [(c.lower, c.upper, c.mean, c.deviation) for c in self.columns]
        ).T
        points: Floats = (np.minimum(np.maximum(logs, lower), upper) - mean) / deviation
        return points

    def _check_range(self, values: Floats) -> None:
        wrong = ~(np.isfinite(values) & (values >= 0))
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            raise ClusteringError(
                f"{self.names[column]} in row {row} is {values[row, column]}: "
                f"the vector takes logarithms, so every value must be a number from 0 up"
            )

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {"columns": [column.to_dict() for column in self.columns]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote, bit for bit."""
        return cls(tuple(VectorColumn.from_dict(column) for column in data["columns"]))
