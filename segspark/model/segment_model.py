"""The model that is registered and served: vector, clusters and outlier rule in one JSON text."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self, SupportsFloat

from segspark.errors import StorageError
from segspark.model.clusters import ClusterModel
from segspark.model.reading import cluster_model_from_dict
from segspark.model.scores import NO_RUNNER_UP, Flags, Floats, Scores
from segspark.model.vector import FeatureVector
from segspark.model.vector_arrays import points_of_values

FORMAT_VERSION = 3
_READ_VERSIONS = (2, FORMAT_VERSION)


class CustomerScore(NamedTuple):
    """What a model says of one customer.

    Attributes:
        cluster_index: Own cluster, 0 to k - 1.
        runner_up_index: The next best cluster; None when there is only one.
        centre_distance: Euclidean distance to the own cluster's centre, in units of the vector.
        probability_ratio: Posterior of the own component; None for models without probabilities.
        confidence_ratio: Lead over the runner-up, 0 (none) to 1; of an outlier apart, how far it is
            beyond the bounds.
        is_outlier: Far from the own centre or the middle of all customers, isolated, or explained
            by no cluster.
    """

    cluster_index: int
    runner_up_index: int | None
    centre_distance: float
    probability_ratio: float | None
    confidence_ratio: float
    is_outlier: bool


@dataclass(frozen=True, slots=True, eq=False)
class SegmentModel:
    """Everything that turns a customer's features into a cluster.

    Attributes:
        model_id: Content address of the model.
        training_id: The training run that it comes from.
        algorithm: Family of the clustering, such as `kmeans`.
        vector: Natural units to points.
        clusters: Points to clusters.
        outlier_distance: A customer farther than this from the own centre is an outlier, in units
            of the vector.
    """

    model_id: str
    training_id: str
    algorithm: str
    vector: FeatureVector
    clusters: ClusterModel
    outlier_distance: float

    def score_points(self, points: Floats) -> Scores:
        """Score (n, d) points of the vector."""
        return self.clusters.score(points)

    def score_values(self, values: Floats) -> Scores:
        """Score customers by feature values in natural units, (n, d) as `vector.names` orders them.

        Raises:
            ClusteringError: A value is none that the vector takes.
        """
        return self.score_points(points_of_values(self.vector, values))

    def score_customer(self, values: Mapping[str, SupportsFloat | None]) -> CustomerScore:
        """Score one customer, in a few microseconds where clusters have centres alone (KMeans).

        Args:
            values: Features in natural units by name; others are ignored, and one that is not
                there, None or NaN is missing.

        Raises:
            ClusteringError: A value is none that the vector takes.
        """
        found = self.clusters.score_point(self.vector.point(values))
        return CustomerScore(
            found.cluster_index,
            None if found.runner_up_index == NO_RUNNER_UP else found.runner_up_index,
            found.centre_distance,
            None if math.isnan(found.probability) else found.probability,
            found.confidence,
            found.centre_distance > self.outlier_distance
            or found.is_out_of_range
            or found.is_isolated
            or found.is_remote,
        )

    def is_outlier(self, scores: Scores) -> Flags:
        """Whether each customer is one for any reason that the model knows, (n,)."""
        is_far: Flags = scores.centre_distance > self.outlier_distance
        return is_far | scores.is_out_of_range | scores.is_isolated | scores.is_remote

    def to_json(self) -> str:
        """Write the model with sorted keys; every float comes back bit for bit."""
        return json.dumps(self._to_dict(), sort_keys=True, allow_nan=False)

    def _to_dict(self) -> dict[str, Any]:
        return {
            "format_version": FORMAT_VERSION,
            "model_id": self.model_id,
            "training_id": self.training_id,
            "algorithm": self.algorithm,
            "vector": self.vector.to_dict(),
            "clusters": self.clusters.to_dict(),
            "outlier_distance": self.outlier_distance,
        }

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote.

        Raises:
            StorageError: The text is no such model, or of a format this version does not know.
        """
        try:
            data = json.loads(text)
            _check_version(data)
            return cls(
                model_id=str(data["model_id"]),
                training_id=str(data["training_id"]),
                algorithm=str(data["algorithm"]),
                vector=FeatureVector.from_dict(data["vector"]),
                clusters=cluster_model_from_dict(data["clusters"]),
                outlier_distance=float(data["outlier_distance"]),
            )
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise StorageError(
                "the text is no model that segspark wrote: take it from the registered model "
                "again, or train again"
            ) from error


def _check_version(data: dict[str, Any]) -> None:
    version = data["format_version"]
    if version not in _READ_VERSIONS:
        known = " and ".join(map(str, _READ_VERSIONS))
        raise StorageError(
            f"the model is written in format {version}, and this version of segspark reads "
            f"{known}: use the version that wrote it, or train again"
        )
