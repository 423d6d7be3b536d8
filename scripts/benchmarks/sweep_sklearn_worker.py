"""scikit-learn doing what `sweep_spark_worker` does, from the same file: a line in, a line out.

A line of standard input is JSON: `{"points": …, "fewest": …, "most": …}`. Its silhouette compares
all pairs of customers, so that Davies-Bouldin and Calinski-Harabasz are all that it judges by.
"""

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sklearn.cluster import BisectingKMeans, KMeans
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score
from sklearn.mixture import GaussianMixture

from scripts.benchmarks.sweep_points import read_points
from scripts.benchmarks.workers import serve
from segspark.clustering.engine import candidates_of
from segspark.settings.training import Algorithm, SweepSettings

_SEED = 1


def main() -> int:
    """Serve until standard input ends."""
    serve(_sweep)
    return 0


def _sweep(command: Mapping[str, Any]) -> dict[str, Any]:
    """Fit and judge each candidate once.

    Returns:
        `seconds` of `prepare`, `fit` and `evaluate`, and `candidates`: by id the
        `within_cluster_sum`, or for mixtures the `log_likelihood` per customer.
    """
    settings = SweepSettings(fewest_segments=command["fewest"], most_segments=command["most"])
    begun = time.monotonic()
    points = read_points(Path(command["points"]))
    seconds = {"prepare": time.monotonic() - begun, "fit": 0.0, "evaluate": 0.0}
    found: dict[str, dict[str, float]] = {}
    for candidate in candidates_of(settings):
        started = time.monotonic()
        estimator = _estimator(candidate.algorithm, candidate.segment_count).fit(points)
        fitted = time.monotonic()
        labels = estimator.predict(points)
        davies_bouldin_score(points, labels)
        calinski_harabasz_score(points, labels)
        seconds["fit"] += fitted - started
        seconds["evaluate"] += time.monotonic() - fitted
        found[candidate.candidate_id] = (
            {"log_likelihood": float(estimator.score(points))}
            if candidate.algorithm is Algorithm.GAUSSIAN_MIXTURE
            else {"within_cluster_sum": float(estimator.inertia_)}
        )
    return {"seconds": seconds, "candidates": found}


def _estimator(algorithm: Algorithm, count: int) -> KMeans | BisectingKMeans | GaussianMixture:
    match algorithm:
        case Algorithm.KMEANS:
            return KMeans(count, n_init=1, random_state=_SEED)
        case Algorithm.BISECTING_KMEANS:
            return BisectingKMeans(count, n_init=1, random_state=_SEED)
        case _:
            return GaussianMixture(count, n_init=1, random_state=_SEED)


if __name__ == "__main__":
    sys.exit(main())
