"""Cluster models from the plain values that they write."""

from collections.abc import Mapping
from typing import Any

from segspark.errors import StorageError
from segspark.model.clusters import Centres, ClusterModel
from segspark.model.embedding import EmbeddedModel
from segspark.model.micro_clusters import MicroClusterModel
from segspark.model.mixture import Mixture
from segspark.model.outliers import OutlierAwareModel
from segspark.model.tree import BisectingTree

_MODELS: tuple[type[Centres | BisectingTree | Mixture | MicroClusterModel], ...] = (
    Centres,
    BisectingTree,
    Mixture,
    MicroClusterModel,
)
_AROUND: tuple[type[EmbeddedModel | OutlierAwareModel], ...] = (EmbeddedModel, OutlierAwareModel)
"""Models that hold another one."""
_KINDS = [model.kind for model in (*_MODELS, *_AROUND)]


def cluster_model_from_dict(data: Mapping[str, Any]) -> ClusterModel:
    """Read a model that `ClusterModel.to_dict` wrote.

    Raises:
        StorageError: Its kind is unknown.
    """
    for around in _AROUND:
        if around.kind == data["kind"]:
            return around.from_dict(data, base=cluster_model_from_dict(data["base"]))
    for model in _MODELS:
        if model.kind == data["kind"]:
            return model.from_dict(data)
    raise StorageError(
        f"the model is of kind {data['kind']!r}, and this version reads {', '.join(_KINDS)}: "
        f"use the segspark version that wrote it, or train again"
    )
