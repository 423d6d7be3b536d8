"""Figures that speak for or against a clustering, from additive sums."""

from dataclasses import dataclass
from math import isnan

import numpy as np

from segspark.clustering.sums import ClusterShape, ClusterSums, FitSums, SpreadSums
from segspark.model.scores import Floats, Indices
from segspark.settings.training import Covariance


@dataclass(frozen=True, slots=True)
class Evidence:
    """Figures of one clustering; the first three are None with fewer than two filled clusters.

    Attributes:
        silhouette: Mean silhouette by squared Euclidean distance, -1 to 1; it reads higher than
            the one by Euclidean distance.
        davies_bouldin: Mean of each cluster's worst ratio of widths to distance; lower is better.
        calinski_harabasz: Variance between over variance within; higher is better.
        within_cluster_sum: Sum of squared distances to the actual means.
        cluster_sizes: Customers by cluster index, 0 where a cluster is empty.
        mean_confidence: Mean lead over the runner-up, 0 to 1; None where no model was asked.
        log_likelihood: Of all customers together, by a mixture's densities; None for others.
        parameter_count: Free parameters of a mixture; None for others.
    """

    silhouette: float | None
    davies_bouldin: float | None
    calinski_harabasz: float | None
    within_cluster_sum: float
    cluster_sizes: tuple[int, ...]
    mean_confidence: float | None = None
    log_likelihood: float | None = None
    parameter_count: int | None = None

    @property
    def bic(self) -> float | None:
        """Bayesian information criterion (Schwarz, 1978) of a mixture; lower is better."""
        return self._criterion(float(np.log(max(self.customer_count, 1))))

    @property
    def aic(self) -> float | None:
        """Information criterion of Akaike (1974) of a mixture; lower is better."""
        return self._criterion(2.0)

    def _criterion(self, penalty: float) -> float | None:
        if self.log_likelihood is None or self.parameter_count is None:
            return None
        return penalty * self.parameter_count - 2.0 * self.log_likelihood

    @property
    def customer_count(self) -> int:
        return sum(self.cluster_sizes)

    @property
    def cluster_count(self) -> int:
        """Clusters that hold a customer."""
        return sum(size > 0 for size in self.cluster_sizes)

    @property
    def smallest_share(self) -> float:
        """Share of customers in the smallest cluster, 0 when one is empty."""
        return min(self.cluster_sizes) / max(self.customer_count, 1)

    @property
    def largest_share(self) -> float:
        return max(self.cluster_sizes) / max(self.customer_count, 1)


def evidence(points: Floats, labels: Indices) -> Evidence:
    """Judge a clustering held in memory.

    Args:
        points: Shape (n, d), at least one.
        labels: Cluster indices from 0 up, shape (n,).
    """
    clusters = int(labels.max()) + 1
    width = points.shape[1]
    grand_mean = np.broadcast_to(points.mean(axis=0), (clusters, width))
    # The second sums are about the means themselves, where no digit is lost.
    means = ClusterShape.of(
        ClusterSums.of(points, labels, origins=grand_mean), origins=grand_mean
    ).means
    shape = ClusterShape.of(ClusterSums.of(points, labels, origins=means), origins=means)
    return evidence_of(shape, SpreadSums.of(points, labels, shape=shape))


def evidence_of(shape: ClusterShape, spread: SpreadSums, fit: FitSums | None = None) -> Evidence:
    """Draw the figures from complete sums."""
    is_filled = shape.counts > 0
    is_defined = int(is_filled.sum()) > 1
    counts, means, squares = (a[is_filled] for a in (shape.counts, shape.means, shape.squares))
    widths = spread.distances[is_filled] / counts
    return Evidence(
        silhouette=spread.silhouette / float(counts.sum()) if is_defined else None,
        davies_bouldin=_davies_bouldin(means, widths) if is_defined else None,
        calinski_harabasz=_calinski_harabasz(counts, means, squares) if is_defined else None,
        within_cluster_sum=float(shape.squares.sum()),
        cluster_sizes=tuple(int(count) for count in shape.counts),
        mean_confidence=None if fit is None else fit.confidence / float(counts.sum()),
        log_likelihood=None if fit is None or isnan(fit.log_likelihood) else fit.log_likelihood,
    )


def mixture_parameter_count(covariance: Covariance, *, components: int, width: int) -> int:
    """Free parameters of a mixture of Gaussians: weights, means and covariances."""
    one = width * (width + 1) // 2
    covariances = {
        Covariance.FULL: components * one,
        Covariance.TIED: one,
        Covariance.DIAGONAL: components * width,
        Covariance.SPHERICAL: components,
    }
    return components - 1 + components * width + covariances[covariance]


def _davies_bouldin(means: Floats, widths: Floats) -> float:
    """Davies and Bouldin (1979) as in scikit-learn: 0 when all widths or distances vanish."""
    distances = np.linalg.norm(means[:, None] - means[None, :], axis=2)
    if np.allclose(widths, 0) or np.allclose(distances, 0):
        return 0.0
    distances[distances == 0] = np.inf
    ratios = (widths[:, None] + widths[None, :]) / distances
    return float(ratios.max(axis=1).mean())


def _calinski_harabasz(counts: Floats, means: Floats, squares: Floats) -> float:
    """Calinski and Harabasz (1974) as in scikit-learn: 1 when no cluster has any width."""
    total, clusters = float(counts.sum()), len(counts)
    within = float(squares.sum())
    if within == 0:
        return 1.0
    offsets = means - np.average(means, axis=0, weights=counts)
    between = float((counts * np.einsum("kd,kd->k", offsets, offsets)).sum())
    return between * (total - clusters) / (within * (clusters - 1))
