"""Identity: new clusters are matched to the published segments by the customers they share."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from scipy.optimize import linear_sum_assignment

_LEAST_OVERLAP = 1 / 3
"""Jaccard overlap from which a cluster is the old segment; from 1/2 on, at most one can be."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a cluster is called.

    Attributes:
        segment_id: Lasting id.
        shared_customer_ratio: Jaccard overlap with the segment it comes from; None for a new one.
    """

    segment_id: str
    shared_customer_ratio: float | None


def count_shared(scored: DataFrame, published: DataFrame) -> dict[tuple[int, str], int]:
    """Count the customers that a cluster and a published segment share.

    Args:
        scored: `customer_id`, `cluster_index`.
        published: `customer_id`, `segment_id`; the run published before.

    Returns:
        (cluster index, segment id) → customers in both; only customers known to both runs count.
    """
    joined = scored.join(published.select("customer_id", "segment_id"), "customer_id", how="inner")
    counted = joined.groupBy("cluster_index", "segment_id").agg(F.count("*").alias("customers"))
    return {
        (row["cluster_index"], row["segment_id"]): row["customers"] for row in counted.collect()
    }


def match_identities(
    clusters_by_value: Sequence[int],
    *,
    shared: Mapping[tuple[int, str], int],
    used: Sequence[str],
) -> dict[int, Identity]:
    """Carry ids over where customers are the same, give new ones where they are not.

    The assignment of clusters to segments that keeps most customers in place (Hungarian method)
    is taken; a pair whose Jaccard overlap is below one third is not kept.

    Args:
        clusters_by_value: Cluster indices, the most valuable first: new ids follow this order.
        shared: From `count_shared`; empty when nothing was published.
        used: Ids ever used by this segmentation; none of them is given to another segment.

    Returns:
        Cluster index → identity; ids are unique.
    """
    kept = _carried_over(clusters_by_value, shared)
    number = max((int(re.sub(r"\D", "", segment_id) or 0) for segment_id in used), default=0)
    identities: dict[int, Identity] = {}
    for cluster in clusters_by_value:
        if cluster in kept:
            identities[cluster] = kept[cluster]
        else:
            number += 1
            identities[cluster] = Identity(f"S{number}", None)
    return identities


def _carried_over(
    clusters: Sequence[int], shared: Mapping[tuple[int, str], int]
) -> dict[int, Identity]:
    segments = sorted({segment for _, segment in shared})
    if not segments:
        return {}
    overlap = np.array([[shared.get((c, s), 0) for s in segments] for c in clusters], dtype=float)
    rows, columns = linear_sum_assignment(overlap, maximize=True)
    union = overlap.sum(axis=1, keepdims=True) + overlap.sum(axis=0, keepdims=True) - overlap
    jaccard = np.divide(overlap, union, out=np.zeros_like(overlap), where=union > 0)
    return {
        clusters[row]: Identity(segments[column], float(jaccard[row, column]))
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
        if jaccard[row, column] >= _LEAST_OVERLAP
    }
