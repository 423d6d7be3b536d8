"""From points to a chosen model: fit, judge, compare with structureless data, choose."""

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.clustering.engine import Progress, SweepEngine, candidates_of
from segspark.clustering.evaluation import evaluate
from segspark.clustering.layout import fixed_layout, points_of, sample_points
from segspark.clustering.selection import Selection, select
from segspark.clustering.structureless import best_of_all_algorithms, structureless_silhouettes
from segspark.errors import ClusteringError
from segspark.model.clusters import ClusterModel
from segspark.settings.training import TrainingSettings

_FAR_OUT = 3.0


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
    with fixed_layout(points) as ordered:
        fitted = engine.fit(ordered, candidates, settings.sweep, progress=progress)
        models = {each.candidate: each.clusters for each in fitted if each.clusters is not None}
        judged = evaluate(ordered, list(models.values()))
        structureless = structureless_silhouettes(
            sample_points(ordered, rows=settings.selection.structureless_customers),
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
        return Sweep(selection, clusters, far_out_distance(ordered, clusters))


def far_out_distance(points: DataFrame, clusters: ClusterModel) -> float:
    """Tukey's outer fence of the distances to the own centre: Q3 + 3 (Q3 - Q1).

    Args:
        points: customer_id, vector (array<double>), one row per customer.
        clusters: What assigns the points.

    Raises:
        ClusteringError: There are no points.
    """

    def distances(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            if batch.num_rows:
                scores = clusters.score(points_of(batch))
                yield pa.RecordBatch.from_pydict({"distance": pa.array(scores.centre_distance)})

    far = points.select("vector").mapInArrow(distances, "distance double")
    quartiles = far.agg(F.percentile("distance", [0.25, 0.75])).collect()[0][0]
    if quartiles is None:
        raise ClusteringError(
            "there are no customers to measure distances by: build features that keep some"
        )
    lower, upper = quartiles
    return float(upper + _FAR_OUT * (upper - lower))
