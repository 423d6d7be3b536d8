"""A mixture of Gaussians, with the posteriors of Spark's GaussianMixtureModel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np

from segspark.model.scores import (
    CACHED_ROWS,
    Floats,
    Indices,
    PointScore,
    Scores,
    checked_points,
    first_most,
    first_score,
    lead_over,
    lengths,
    score_in_chunks,
)

EPSILON = 2.0**-52
"""Spark's `Utils.EPSILON`: it adds this to every weighted density."""
_LEAST_DENSITY = 1e-280
"""Below it doubles lose digits, and then vanish."""
_MOST_LOG_DENSITY = 690.0
"""Above it all densities of a point are lowered alike, so that their sum is a number."""


@dataclass(frozen=True, slots=True, eq=False)
class Mixture:
    """Posterior of component i: EPSILON + weight_i * density_i, divided by the sum over i.

    So a point that every component finds impossible gets a uniform posterior and the first label;
    it is reported as out of range. Densities follow Spark's MultivariateGaussian: the covariance
    is inverted in the space of its eigenvalues above EPSILON * largest * d.

    Attributes:
        weights: Shape (k,), adding up to 1.
        centres: Means of the components, shape (k, d).
        covariances: Shape (k, d, d).
    """

    kind: ClassVar[str] = "mixture"
    weights: Floats
    centres: Floats
    covariances: Floats
    _roots: Floats = field(init=False, repr=False)
    _log_constants: Floats = field(init=False, repr=False)

    def __post_init__(self) -> None:
        width = self.centres.shape[1]
        values, vectors = np.linalg.eigh(self.covariances)
        counts = values > EPSILON * values.max(axis=1, keepdims=True) * width
        safe = np.where(counts, values, 1.0)
        scales = np.where(counts, np.sqrt(1.0 / safe), 0.0)
        roots = scales[:, :, None] * vectors.transpose(0, 2, 1)
        constants = -0.5 * (width * np.log(2.0 * np.pi) + np.log(safe).sum(axis=1))
        object.__setattr__(self, "_roots", roots)
        object.__setattr__(self, "_log_constants", constants)

    @property
    def k(self) -> int:
        return len(self.weights)

    def weighted_log_densities(self, points: Floats) -> Floats:
        """Logarithm of weight times density of each component: (n, d) points give (n, k)."""
        with np.errstate(divide="ignore"):
            constants = self._log_constants + np.log(self.weights)
        # By component and then point in memory, so that a component's row is written in one go.
        densities = np.empty((self.k, len(points)))
        for start in range(0, len(points), CACHED_ROWS):
            part = slice(start, start + CACHED_ROWS)
            columns = np.ascontiguousarray(points[part].T)
            for row, centre, root in zip(densities, self.centres, self._roots, strict=True):
                scaled = root @ (columns - centre[:, None])
                np.einsum("en,en->n", scaled, scaled, out=row[part])
        densities *= -0.5
        densities += constants[:, None]
        return densities.T

    def weighted_densities(self, points: Floats) -> Floats:
        """Weight times density of each component: (n, d) points give (n, k).

        Where one is more than a double holds, those of the point keep their ratios alone.
        """
        densities = self.weighted_log_densities(points)
        if densities.max(initial=0.0) > _MOST_LOG_DENSITY:
            too_much = densities.max(axis=1, keepdims=True) - _MOST_LOG_DENSITY
            densities -= np.maximum(too_much, 0.0)
        return np.exp(densities, out=densities)

    def posteriors(self, points: Floats) -> Floats:
        """Spark's `probability` column: (n, d) points give (n, k), rows adding up to 1."""
        return _posteriors(self.weighted_densities(points))

    def assign(self, points: Floats) -> Indices:
        """Return the component of highest posterior, the first of equal ones, shape (n,)."""
        return first_most(self.posteriors(points))[0]

    def score(self, points: Floats) -> Scores:
        """Score (n, d) points; confidence is the lead in posterior over the runner-up."""
        checked = checked_points(points, width=self.centres.shape[1])
        return score_in_chunks(checked, self._score_chunk)

    def score_point(self, point: Sequence[float]) -> PointScore:
        """Score one point of d coordinates."""
        return first_score(self.score(np.array([point])))

    def _score_chunk(self, points: Floats) -> Scores:
        densities = self.weighted_densities(points)
        posteriors = _posteriors(densities)
        own, probability = first_most(posteriors)
        runner_up, confidence = lead_over(posteriors, own)
        return Scores.of(
            own,
            runner_up,
            lengths(points - self.centres[own]),
            confidence,
            probability=probability,
            is_out_of_range=np.asarray((densities < EPSILON).all(axis=1)),
            log_density=self._log_totals(points, densities),
        )

    def _log_totals(self, points: Floats, densities: Floats) -> Floats:
        """Logarithms of the sums of (n, k) weighted densities, also where doubles cannot hold them.

        Spark's own adds 2 ** -52 to every component's density, which far outliers show.
        """
        totals = densities.sum(axis=1)
        is_beyond = (totals < _LEAST_DENSITY) | (totals >= np.exp(_MOST_LOG_DENSITY))
        if not is_beyond.any():
            return np.asarray(np.log(totals))
        found = np.log(np.where(is_beyond, 1.0, totals))
        logarithms = self.weighted_log_densities(points[is_beyond])
        found[is_beyond] = np.logaddexp.reduce(logarithms, axis=1)
        return found

    def to_dict(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "weights": self.weights.tolist(),
            "centres": self.centres.tolist(),
            "covariances": self.covariances.tolist(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote, bit for bit."""
        return cls(
            weights=np.array(data["weights"], dtype=np.float64),
            centres=np.array(data["centres"], dtype=np.float64),
            covariances=np.array(data["covariances"], dtype=np.float64),
        )


def _posteriors(densities: Floats) -> Floats:
    raised = EPSILON + densities
    posteriors: Floats = raised / raised.sum(axis=1, keepdims=True)
    return posteriors
