"""Spark ML's fitted models as cluster models that need no Spark."""

from typing import Any

import numpy as np
from py4j.java_gateway import JavaObject
from pyspark.ml.clustering import BisectingKMeansModel, GaussianMixtureModel, KMeansModel

from segspark.model.clusters import Centres
from segspark.model.mixture import Mixture
from segspark.model.tree import BisectingTree, TreeNode


def centres_of(model: KMeansModel) -> Centres:
    """Copy the centres, in Spark's order."""
    return Centres(np.array(model.clusterCenters(), dtype=np.float64))


def mixture_of(model: GaussianMixtureModel) -> Mixture:
    """Copy weights, means and covariances, in Spark's order."""
    gaussians = model.gaussians
    return Mixture(
        weights=np.array(model.weights, dtype=np.float64),
        centres=np.array([gaussian.mean.toArray() for gaussian in gaussians]),
        covariances=np.array([gaussian.cov.toArray() for gaussian in gaussians]),
    )


def tree_of(model: BisectingKMeansModel, *, offset: float = 0.0) -> BisectingTree:
    """Copy the tree that Spark predicts with, leaves numbered as Spark numbers them.

    Args:
        model: The fitted model.
        offset: What was added to every coordinate before the fit; taken off the centres.
    """
    nodes: list[TreeNode] = []
    _append(nodes, _root(model), offset)
    return BisectingTree(tuple(nodes))


def _root(model: BisectingKMeansModel) -> JavaObject:
    java: Any = model._java_obj  # noqa: SLF001 - the tree is Java's only
    # Scala decorates the name of this private member, differently from version to version.
    names = [method.getName() for method in java.getClass().getMethods()]
    accessor = next(name for name in names if name.endswith("parentModel"))
    return getattr(java, accessor)().root()


def _append(nodes: list[TreeNode], java: JavaObject, offset: float) -> int:
    position = len(nodes)
    centre = tuple(float(value) - offset for value in java.center().toArray())
    is_leaf = java.isLeaf()
    nodes.append(TreeNode(centre))
    children = () if is_leaf else tuple(_append(nodes, child, offset) for child in java.children())
    nodes[position] = TreeNode(centre, children, java.index() if is_leaf else None)
    return position
