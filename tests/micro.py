"""Micro-clusters that tests are about, made without Spark."""

import numpy as np

from segspark.clustering.starts import starting_centres
from segspark.model.micro_clusters import MicroClusters
from segspark.model.scores import Floats, squared_distances


def each_its_own(points: Floats) -> MicroClusters:
    """Every point a micro-cluster."""
    return counted(points, np.ones(len(points)))


def counted(points: Floats, counts: Floats) -> MicroClusters:
    """Every point as many customers as its count."""
    return MicroClusters(points, counts.astype(np.float64), np.zeros(len(points)))


def finely(points: Floats, count: int = 400) -> MicroClusters:
    """Many points as few micro-clusters."""
    ((start,),) = starting_centres(points, [count], restarts=1, seed=1, most_steps=20)
    squared = squared_distances(points, start.centres)
    nearest, least = squared.argmin(axis=1), squared.min(axis=1)
    counts = np.bincount(nearest, minlength=len(start.centres)).astype(np.float64)
    squares = np.bincount(nearest, least, len(counts))
    is_filled = counts > 0
    radii = np.sqrt(squares[is_filled] / counts[is_filled])
    return MicroClusters(start.centres[is_filled], counts[is_filled], radii)
