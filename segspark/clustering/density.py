"""Segments by density: DBSCAN on micro-clusters that weigh as many customers as they hold."""

from math import ceil, floor, log10

import numpy as np
from scipy.spatial.distance import pdist, squareform
from sklearn.cluster import DBSCAN

from segspark.model.micro_clusters import MicroClusterModel, MicroClusters
from segspark.model.scores import Floats

MOST_RADIUS_RATIO = 0.2
"""Of eps: a micro-cluster that is wider tells too little of where its customers are."""

_HEADROOM = 1.3
"""As many micro-clusters of more customers are wider than those of 8,000, by a sixth or so."""

NO_EPS = (
    "most customers lie where many others do, at no distance at all, so that the distances give no "
    "eps: name one in training.sweep.dbscan_eps"
)


def least_customers(micro: MicroClusters, *, ratio: float) -> int:
    """As many customers as are a share of all, two at least."""
    return max(2, ceil(ratio * float(micro.counts.sum())))


def eps_of(micro: MicroClusters, *, core_customers: int) -> float:
    """The distance to the k-th nearest customer where its curve bends upwards.

    Customers are ordered by that distance; the knee is where the curve, both axes from 0 to 1,
    is farthest below the diagonal (Satopää, Albrecht, Irwin and Raghavan, 2011). Distances are
    those of micro-clusters, and customers of the same one are at distance 0.

    Args:
        micro: The micro-clusters.
        core_customers: Which nearest customer is meant, the customer included.

    Returns:
        Eps, three digits; no less than what the micro-clusters are fine enough for; 0 where
        nearly all customers lie where others do.
    """
    heights = _distances_to_core(micro, core_customers)
    least = micro.usual_radius / MOST_RADIUS_RATIO
    return _rounded_up(max(_knee(heights, micro.counts), least))


def eps_steps(micro: MicroClusters, *, core_customers: int, most: int) -> tuple[float, ...]:
    """Distances worth trying: those to the k-th nearest customer, by even ratios.

    From the shortest, or what the micro-clusters are fine enough for where that is more, to the
    longest, with which all customers are neighbours of enough others. The micro-clusters may be
    those of a sample: the distances are wide enough for all customers, too.

    Args:
        micro: The micro-clusters.
        core_customers: Which nearest customer is meant, the customer included.
        most: Number of distances, at least two.

    Returns:
        Eps, three digits, rising; one where they are all the same; none where they are 0.
    """
    heights = _distances_to_core(micro, core_customers)
    longest = float(heights.max())
    shortest = float(heights[heights > 0].min(initial=longest))
    lowest = max(shortest, _HEADROOM * micro.usual_radius / MOST_RADIUS_RATIO)
    if lowest == 0:
        return ()
    steps = np.geomspace(lowest, max(lowest, longest), most)
    return tuple(sorted({_rounded_up(float(step)) for step in steps}))


def _distances_to_core(micro: MicroClusters, core_customers: int) -> Floats:
    """From each micro-cluster the distance within which there are so many customers."""
    distances = squareform(pdist(micro.centres))
    return core_distances(distances, micro.counts, core_customers=core_customers)


def core_distances(distances: Floats, counts: Floats, *, core_customers: int) -> Floats:
    """Distance of each micro-cluster's customers to their k-th nearest customer, shape (m,).

    Args:
        distances: Of the micro-clusters, shape (m, m); customers of the same one are at 0.
        counts: Customers of each, shape (m,).
        core_customers: Which nearest customer is meant, the customer included; the farthest where
            there are fewer.
    """
    order = np.argsort(distances, axis=1, kind="stable")
    reached = np.cumsum(counts[order], axis=1)
    places = (reached >= min(core_customers, counts.sum())).argmax(axis=1)
    rows = np.arange(len(order))
    found: Floats = distances[rows, order[rows, places]]
    return found


def _knee(heights: Floats, counts: Floats) -> float:
    order = np.argsort(heights, kind="stable")
    curve, along = heights[order], np.cumsum(counts[order])
    rise = float(np.ptp(curve)) or 1.0
    return float(curve[np.argmax(along / along[-1] - (curve - curve[0]) / rise)])


def _rounded_up(value: float) -> float:
    if value == 0:
        return 0.0
    unit = 10.0 ** (floor(log10(value)) - 2)
    return float(f"{ceil(value / unit) * unit:.3g}")


def density_model(
    micro: MicroClusters, *, eps: float, core_customers: int
) -> MicroClusterModel | None:
    """Join micro-clusters with enough customers around them where they are near to each other.

    The model keeps those in the middle of a segment. What lies within eps of one belongs to the
    nearest one's segment; what lies farther from all is noise, which goes to the nearest one's
    segment too and is out of range.

    Args:
        micro: The micro-clusters.
        eps: Distance of neighbours, above 0.
        core_customers: Customers within eps that make a micro-cluster the middle of a segment.

    Returns:
        None where nothing is dense enough.
    """
    found = DBSCAN(eps=eps, min_samples=core_customers).fit(
        micro.centres, sample_weight=micro.counts
    )
    core = found.core_sample_indices_
    if not len(core):
        return None
    segments = found.labels_[core].astype(np.int32)
    # The means are of all that belong, the rim as well, and not of noise.
    members = np.flatnonzero(found.labels_ >= 0)
    return MicroClusterModel(
        micro=micro.of(core),
        segments=segments,
        centres=micro.of(members).means_of(found.labels_[members]),
        reach=np.full(segments.max() + 1, eps),
    )


def too_coarse(micro: MicroClusters, *, eps: float) -> str | None:
    """Say why micro-clusters are no ground for DBSCAN with this eps; None where they are."""
    radius = micro.usual_radius
    if radius <= MOST_RADIUS_RATIO * eps:
        return None
    least = _rounded_up(radius / MOST_RADIUS_RATIO)
    return (
        f"nine customers in ten lie in micro-clusters with a radius of up to {radius:.3g}, above "
        f"{MOST_RADIUS_RATIO:g} of eps {eps:g}: raise training.sweep.micro_cluster_count, or give "
        f"an eps of at least {least:g} in training.sweep.dbscan_eps"
    )
