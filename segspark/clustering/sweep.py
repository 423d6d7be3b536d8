"""From points to a chosen model: fit, judge, compare with structureless data, choose."""

from dataclasses import dataclass

import numpy as np
from pyspark.sql import DataFrame

from segspark.clustering.blocks import point_blocks
from segspark.clustering.engine import Progress, SweepEngine, candidates_of
from segspark.clustering.evaluation import evaluate
from segspark.clustering.selection import Selection, select
from segspark.clustering.structureless import best_of_all_algorithms, structureless_silhouettes
from segspark.model.clusters import ClusterModel
from segspark.model.scores import Floats
from segspark.settings.training import TrainingSettings

_FAR_OUT = 3.0
_DISTANCE_ROWS = 50_000
"""Customers whose distances tell what is far out: quartiles to about half a percent of them."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """A finished sweep.

    Attributes:
        selection: Every candidate with its figures and reason, and the chosen one.
        clusters: Model of the chosen one.
        outlier_distance: Distance to the own centre above which a customer is an outlier, in
            units of the vector.
    """

    selection: Selection
    clusters: ClusterModel
    outlier_distance: float


def run_sweep(
    points: DataFrame, settings: TrainingSettings, *, engine: SweepEngine, progress: Progress
) -> Sweep:
    """Try every candidate on the points and choose one.

    Args:
        points: customer_id (unique), vector (array<double>), one row per customer; read several
            times, once from its source.
        settings: What is tried and by which rule one is chosen.
        engine: What fits the candidates.
        progress: Passed on to the engine.

    Raises:
        ClusteringError: There are no points, or no candidate can be chosen.
    """
    candidates = candidates_of(settings.sweep)
    with point_blocks(points) as blocks:
        fitted = engine.fit(blocks, candidates, settings.sweep, progress=progress)
        models = {each.candidate: each.clusters for each in fitted if each.clusters is not None}
        progress(f"judging {len(models)} candidates")
        judged = evaluate(blocks, list(models.values()))
        sample = blocks.sample(_DISTANCE_ROWS)
    progress("comparing with data without structure")
    structureless = structureless_silhouettes(
        sample[: settings.selection.structureless_customers],
        list(models),
        draws=settings.selection.structureless_draws,
        seed=settings.sweep.seed,
    )
    selection = select(
        fitted,
        evidence=dict(zip(models, judged, strict=True)),
        structureless=best_of_all_algorithms(structureless),
        settings=settings.selection,
    )
    clusters = models[selection.chosen.candidate]
    return Sweep(selection, clusters, far_out_distance(sample, clusters))


def far_out_distance(sample: Floats, clusters: ClusterModel) -> float:
    """Tukey's outer fence of the distances to the own centre: Q3 + 3 (Q3 - Q1).

    Args:
        sample: Shape (n, d), at least one point.
        clusters: What assigns the points.
    """
    lower, upper = np.quantile(clusters.score(sample).centre_distance, [0.25, 0.75])
    return float(upper + _FAR_OUT * (upper - lower))
