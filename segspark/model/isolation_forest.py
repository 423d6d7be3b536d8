"""An isolation forest (Liu, Ting, Zhou 2008) as plain numbers: few cuts isolate an outlier."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from segspark.model.scores import CACHED_ROWS, Floats, Places


@dataclass(frozen=True, slots=True, eq=False)
class IsolationForest:
    """Trees of random cuts, each complete to the same depth, so that no children are looked up.

    The cut at place i leads to place 2 i + 1, or to 2 i + 2 where the coordinate is above the
    threshold; a branch that ends early goes on with cuts that nothing is above.

    Attributes:
        coordinates: What each cut looks at, shape (trees, 2 ** depth - 1).
        thresholds: What it compares with, of the same shape.
        path_lengths: Cuts that lead to each of the leaves, and those that its customers would need
            to be told apart, shape (trees, 2 ** depth).
        usual_path_length: Mean path of a customer in a search tree of as many customers as a tree
            was grown of.
    """

    coordinates: Places
    thresholds: Floats
    path_lengths: Floats
    usual_path_length: float

    @property
    def depth(self) -> int:
        return int(self.path_lengths.shape[1]).bit_length() - 1

    def scores(self, points: Floats) -> Floats:
        """Score (n, d) points: about 0.5 where nothing is special, towards 1 alone, shape (n,)."""
        # scikit-learn, which grows the trees, compares 32-bit numbers.
        rounded = np.asarray(points, dtype=np.float32)
        starts = range(0, len(rounded), CACHED_ROWS)
        parts = [self._path_sums(rounded[start : start + CACHED_ROWS]) for start in starts]
        usual = len(self.thresholds) * self.usual_path_length
        scores: Floats = 2.0 ** -(np.concatenate([*parts, np.empty(0)]) / usual)
        return scores

    def _path_sums(self, points: np.ndarray[Any, np.dtype[np.float32]]) -> Floats:
        count, width = points.shape
        flat, rows = points.ravel(), np.arange(count) * width
        total = np.zeros(count)
        cuts = self.thresholds.shape[1]
        for coordinates, thresholds, path_lengths in zip(
            self.coordinates, self.thresholds, self.path_lengths, strict=True
        ):
            place = np.zeros(count, dtype=np.intp)
            for _ in range(self.depth):
                is_above = flat[rows + coordinates[place]] > thresholds[place]
                place += place
                place += 1
                place += is_above
            total += path_lengths[place - cuts]
        return total

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "coordinates": self.coordinates.tolist(),
            "thresholds": self.thresholds.tolist(),
            "path_lengths": self.path_lengths.tolist(),
            "usual_path_length": self.usual_path_length,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote, bit for bit."""
        return cls(
            coordinates=np.array(data["coordinates"], dtype=np.intp),
            thresholds=np.array(data["thresholds"], dtype=np.float64),
            path_lengths=np.array(data["path_lengths"], dtype=np.float64),
            usual_path_length=float(data["usual_path_length"]),
        )
