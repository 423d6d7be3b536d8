"""Hundreds of small clusters with their counts, for what looks at all pairs of customers."""

import numpy as np

from segspark.clustering.centre_steps import CentreSet, nearest_sums
from segspark.clustering.points import Points
from segspark.clustering.starts import SAMPLE_ROWS, starting_centres
from segspark.clustering.stepping import SetSteps, settle
from segspark.clustering.sums import ClusterSums
from segspark.model.clusters import Centres
from segspark.model.micro_clusters import MicroClusters
from segspark.model.scores import Floats
from segspark.settings.training import SweepSettings

_SAMPLE_STEPS = 20
_PASSES = 3
"""More would move centres by little: the sample has put them where the customers are."""


def micro_clusters(points: Points, settings: SweepSettings) -> MicroClusters:
    """Cluster all customers finely by KMeans, from a sample and in four passes over all.

    Args:
        points: All customers.
        settings: Number of micro-clusters and seed.

    Returns:
        As many micro-clusters as asked, or as a sample has distinct points if these are fewer;
        none is empty.
    """
    ((start,),) = starting_centres(
        points.sample(SAMPLE_ROWS),
        [settings.micro_cluster_count],
        restarts=1,
        seed=settings.seed,
        most_steps=_SAMPLE_STEPS,
    )
    moving = SetSteps((CentreSet(start.centres),), nearest_sums)
    (reached,) = settle([moving], points.add_up, most_steps=_PASSES)
    centres = reached.sets[0].centres

    def sums_of(block: Floats) -> ClusterSums:
        return ClusterSums.of(block, Centres(centres).assign(block), origins=centres)

    (sums,) = points.add_up([sums_of])
    is_filled = sums.counts > 0
    counts, squares = sums.counts[is_filled], sums.squares[is_filled]
    return MicroClusters(centres[is_filled], counts, np.sqrt(squares / counts))
