"""What clusterings agree on: micro-clusters that most of them put together belong together."""

from collections.abc import Sequence

import numpy as np

from segspark.clustering.linkage import average_tree, segments_of
from segspark.model.clusters import ClusterModel
from segspark.model.micro_clusters import MicroClusterModel, MicroClusters
from segspark.model.scores import Floats


def co_association(micro: MicroClusters, clusterings: Sequence[ClusterModel]) -> Floats:
    """Share of clusterings that put two micro-clusters together (Fred and Jain, 2005).

    Args:
        micro: The micro-clusters.
        clusterings: At least one.

    Returns:
        Shape (m, m), 0 to 1.
    """
    together = np.zeros((len(micro.counts),) * 2)
    for each in clusterings:
        labels = each.assign(micro.centres)
        together += labels[:, None] == labels
    return together / len(clusterings)


def consensus_models(
    micro: MicroClusters, together: Floats, segment_counts: Sequence[int]
) -> list[MicroClusterModel]:
    """Join what is together most often, by average linkage where every customer counts.

    Args:
        micro: The micro-clusters.
        together: Their co-association.
        segment_counts: Numbers of segments, each at most m.

    Returns:
        A model for each number, all cut from the same tree.
    """
    merges = average_tree(1.0 - together, micro.counts)
    models = []
    for count in segment_counts:
        segments = segments_of(merges, count)
        customers = np.where(segments[:, None] == np.arange(count), micro.counts[:, None], 0.0)
        models.append(
            MicroClusterModel(
                micro=micro,
                segments=segments,
                centres=micro.means_of(segments),
                merges=merges,
                agreement=together @ customers / customers.sum(axis=0),
            )
        )
    return models
