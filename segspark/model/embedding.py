"""Embeddings of points as layers of plain numbers, and a cluster model that stands on one."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal, Self, get_args

import numpy as np

from segspark.model.clusters import ClusterModel
from segspark.model.scores import (
    Floats,
    Indices,
    PointScore,
    Scores,
    checked_points,
    lengths,
    score_in_chunks,
)

Activation = Literal["linear", "tanh"]
"""The sum as it is, or its hyperbolic tangent."""


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """Weighted sums of what comes in, each with an offset, then the activation.

    Attributes:
        weights: For each of the outputs the weight of each input, shape (outputs, inputs).
        offsets: Shape (outputs,).
        activation: What becomes of a sum.
    """

    weights: Floats
    offsets: Floats
    activation: Activation = "linear"
    _units: tuple[tuple[float, tuple[float, ...]], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        rows = map(tuple, self.weights.tolist())
        object.__setattr__(self, "_units", tuple(zip(self.offsets.tolist(), rows, strict=True)))

    def outputs(self, inputs: Floats) -> Floats:
        """(inputs, n) columns give (outputs, n) columns."""
        # Input after input: a matrix product would round by how many points there are.
        sums = np.repeat(self.offsets[:, None], inputs.shape[1], axis=1)
        for weights, values in zip(self.weights.T, inputs, strict=True):
            sums += weights[:, None] * values
        return np.tanh(sums, out=sums) if self.activation == "tanh" else sums

    def outputs_of_one(self, inputs: Sequence[float]) -> list[float]:
        """The same of one point, without numpy."""
        found = []
        for offset, weights in self._units:
            total = offset
            for weight, value in zip(weights, inputs, strict=True):
                total += weight * value
            found.append(math.tanh(total) if self.activation == "tanh" else total)
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "weights": self.weights.tolist(),
            "offsets": self.offsets.tolist(),
            "activation": self.activation,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote, bit for bit.

        Raises:
            ValueError: The activation is none that is known.
        """
        if data["activation"] not in get_args(Activation):
            raise ValueError(f"there is no activation {data['activation']!r}")
        return cls(
            weights=np.array(data["weights"], dtype=np.float64),
            offsets=np.array(data["offsets"], dtype=np.float64),
            activation=data["activation"],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """Layers, one after the other: a linear one of principal components, or those of an encoder.

    Attributes:
        layers: At least one; each takes what the one before it gives.
        explained_ratio: Share of the variance of the vector that the components keep, at most 1.
    """

    layers: tuple[Layer, ...]
    explained_ratio: float

    @property
    def component_count(self) -> int:
        return len(self.layers[-1].offsets)

    def embed(self, points: Floats) -> Floats:
        """Turn (n, d) points of the vector into (n, components) ones.

        A point's components are the same, whatever is embedded beside it.

        Raises:
            ClusteringError: The points have another width.
        """
        checked = checked_points(points, width=self.layers[0].weights.shape[1])
        columns: Floats = np.ascontiguousarray(checked.T)
        for layer in self.layers:
            columns = layer.outputs(columns)
        return np.ascontiguousarray(columns.T)

    def embed_point(self, point: Sequence[float]) -> Sequence[float]:
        """Turn one point of d coordinates into its components, without numpy."""
        components = point
        for layer in self.layers:
            components = layer.outputs_of_one(components)
        return components

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "layers": [layer.to_dict() for layer in self.layers],
            "explained_ratio": self.explained_ratio,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote, bit for bit."""
        return cls(
            layers=tuple(Layer.from_dict(layer) for layer in data["layers"]),
            explained_ratio=float(data["explained_ratio"]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedModel:
    """A clustering of embedded points that is asked about points of the vector.

    Cluster, runner-up, probability and confidence are those of the embedded point. The distance is
    the one to the mean of the own cluster's customers, in units of the vector as of every model.
    There is no density: one of components compares with none of the vector.

    Attributes:
        embedding: What a point becomes first.
        base: What clusters the embedded points.
        centres: Mean of each cluster's customers by the vector, its origin where there were none,
            shape (k, d).
    """

    kind: ClassVar[str] = "embedded"
    embedding: Embedding
    base: ClusterModel
    centres: Floats

    @property
    def k(self) -> int:
        return len(self.centres)

    def assign(self, points: Floats) -> Indices:
        """Return the cluster of each of the (n, d) points, shape (n,)."""
        return self.base.assign(self.embedding.embed(points))

    def score(self, points: Floats) -> Scores:
        """Score (n, d) points of the vector."""
        checked = checked_points(points, width=self.centres.shape[1])
        return score_in_chunks(checked, self._score_chunk)

    def score_point(self, point: Sequence[float]) -> PointScore:
        """Score one point of d coordinates; without numpy where the base needs none."""
        found = self.base.score_point(self.embedding.embed_point(point))
        return found._replace(
            centre_distance=math.dist(point, self.centres[found.cluster_index].tolist())
        )

    def _score_chunk(self, points: Floats) -> Scores:
        found = self.base.score(self.embedding.embed(points))
        return replace(
            found,
            centre_distance=lengths(points - self.centres[found.cluster_index]),
            log_density=np.full(len(points), np.nan),
        )

    def to_dict(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "embedding": self.embedding.to_dict(),
            "base": self.base.to_dict(),
            "centres": self.centres.tolist(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], *, base: ClusterModel) -> Self:
        """Read what `to_dict` wrote, bit for bit, around a base that was read before."""
        return cls(
            embedding=Embedding.from_dict(data["embedding"]),
            base=base,
            centres=np.array(data["centres"], dtype=np.float64),
        )
