"""Segments of unlike densities: HDBSCAN on micro-clusters that weigh what they hold."""

from dataclasses import dataclass, field
from math import fsum, inf

import numpy as np
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import pdist, squareform

from segspark.clustering.density import core_distances
from segspark.model.micro_clusters import MicroClusterModel, MicroClusters
from segspark.model.scores import Floats, Indices

NOISE = -1


@dataclass(frozen=True, slots=True, eq=False)
class DenseClusters:
    """What is denser than its surroundings.

    Attributes:
        labels: The cluster of each micro-cluster, 0 to k - 1 in the order of their first ones; -1
            for noise, shape (m,).
        births: The distance at which each comes apart from others; within it, it hangs together,
            shape (k,).
    """

    labels: Indices
    births: Floats


def hierarchical_density_model(
    micro: MicroClusters, *, smallest_customers: int
) -> MicroClusterModel | None:
    """Join micro-clusters that stay together while neighbours must be ever nearer.

    A segment is one of DBSCAN's with an eps of its own, the distance at which it comes apart from
    others. The model keeps the segments' micro-clusters; what lies farther than its eps from the
    nearest of them is noise, which goes to that one's segment too and is out of range.

    Args:
        micro: The micro-clusters.
        smallest_customers: Customers that make a segment, two at least. The core distance is the
            one to the customer of this number, by the reference's default.

    Returns:
        None where nothing is denser than its surroundings.
    """
    found = dense_clusters(
        micro, core_customers=smallest_customers, smallest_customers=smallest_customers
    )
    members = np.flatnonzero(found.labels != NOISE)
    if not len(members):
        return None
    own, segments = micro.of(members), found.labels[members]
    return MicroClusterModel(own, segments, own.means_of(segments), reach=found.births)


def dense_clusters(
    micro: MicroClusters, *, core_customers: int, smallest_customers: int
) -> DenseClusters:
    """Find the most stable clusters among those of DBSCAN with every eps.

    HDBSCAN (Campello, Moulavi and Sander, 2013; McInnes and Healy, 2017), as if each customer were
    at its micro-cluster's centre, with clusters selected by excess of mass; all customers together
    are none. What is joined at the same distance comes apart at once, as in the paper: an order
    of ties, such as scikit-learn's, would let clusters depend on the order of customers.

    Args:
        micro: The micro-clusters.
        core_customers: Which nearest customer gives the core distance, the customer included.
        smallest_customers: What falls off a cluster and is smaller is no cluster, two at least.
    """
    tree = _density_tree(micro, core_customers=core_customers)
    chosen = _most_stable(_condensed(tree, smallest_customers))
    members = sorted((tree.leaves(each.node), each.birth) for each in chosen)
    labels = np.full(len(micro.counts), NOISE, dtype=np.int32)
    for place, (leaves, _) in enumerate(members):
        labels[leaves] = place
    return DenseClusters(labels, np.array([birth for _, birth in members]))


@dataclass(frozen=True, slots=True, eq=False)
class _DensityTree:
    """The single-linkage tree of mutual reachability.

    Attributes:
        heights: The distance at which each node comes apart: first the m micro-clusters, into
            single customers, then the unions, each after its parts, the last of all.
        customers: Of each node.
        unions: The two parts of each union.
    """

    heights: list[float]
    customers: list[float]
    unions: list[list[int]]

    def parts(self, node: int) -> list[int]:
        """What is left of a node where it comes apart, single customers aside."""
        parts, waiting = [], [node]
        while waiting:
            each = waiting.pop()
            if self.heights[each] < self.heights[node]:
                parts.append(each)
            else:
                waiting += self._joined(each)
        return parts

    def leaves(self, node: int) -> list[int]:
        """The micro-clusters of a node, in order."""
        leaves, waiting = [], [node]
        while waiting:
            each = waiting.pop()
            joined = self._joined(each)
            waiting += joined
            if not joined:
                leaves.append(each)
        return sorted(leaves)

    def _joined(self, node: int) -> list[int]:
        union = node - len(self.unions) - 1
        return self.unions[union] if union >= 0 else []


def _density_tree(micro: MicroClusters, *, core_customers: int) -> _DensityTree:
    """Join micro-clusters by mutual reachability, at most as dense as their radii tell."""
    distances = squareform(pdist(micro.centres))
    cores = core_distances(distances, micro.counts, core_customers=core_customers)
    # Its own customers are not all at the centre: many of them alone are no infinite density.
    cores = np.maximum(cores, micro.radii)
    reachable = np.maximum(distances, np.maximum(cores[:, None], cores))
    above = reachable[np.triu_indices(len(reachable), 1)]
    merges = linkage(above, "single") if len(above) else np.empty((0, 4))
    unions = merges[:, :2].astype(np.intp).tolist()
    customers = micro.counts.tolist()
    for first, second in unions:
        customers.append(customers[first] + customers[second])
    return _DensityTree([*cores.tolist(), *merges[:, 2].tolist()], customers, unions)


@dataclass(slots=True, eq=False)
class _Cluster:
    """What stays together for a while as neighbours must be ever nearer.

    Attributes:
        node: Where it begins in the tree.
        birth: The distance at which it came apart from others.
        masses: Customers lost at once, times the density at which they were less that of birth.
        parts: Clusters that it comes apart into; none where it fades.
    """

    node: int
    birth: float
    masses: list[float] = field(default_factory=list)
    parts: list["_Cluster"] = field(default_factory=list)

    @property
    def stability(self) -> float:
        """Excess of mass; exact, so that the order of customers does not matter."""
        return fsum(self.masses)


def _condensed(tree: _DensityTree, smallest: int) -> list[_Cluster]:
    """Follow every cluster until it comes apart or fades; all customers first, parts after theirs.

    What falls off and is smaller is not followed.
    """
    clusters = [_Cluster(len(tree.heights) - 1, inf)]
    waiting = [(clusters[0].node, clusters[0])]
    while waiting:
        node, cluster = waiting.pop()
        parts = [part for part in tree.parts(node) if tree.customers[part] >= smallest]
        height, stays = tree.heights[node], len(parts) == 1
        lost = tree.customers[node] - (tree.customers[parts[0]] if stays else 0)
        cluster.masses.append(lost * (_density(height) - _density(cluster.birth)))
        if not stays:
            cluster.parts = [_Cluster(part, height) for part in parts]
            clusters += cluster.parts
        waiting += zip(parts, [cluster] if stays else cluster.parts, strict=True)
    return clusters


def _density(distance: float) -> float:
    return 1 / distance if distance > 0 else inf


def _most_stable(clusters: list[_Cluster]) -> list[_Cluster]:
    """Of each cluster and its parts take whichever is more stable in sum; never all customers."""
    chosen: dict[int, list[_Cluster]] = {}
    for each in reversed(clusters):
        below = [one for part in each.parts for one in chosen[part.node]]
        is_less = fsum(one.stability for one in below) > each.stability
        chosen[each.node] = below if is_less or each is clusters[0] else [each]
    return chosen[clusters[0].node]
