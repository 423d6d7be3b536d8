"""Spark ML's own algorithms behind `SweepEngine`, their sharp edges turned into refusals."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.ml.clustering import BisectingKMeans, GaussianMixture, KMeans
from pyspark.ml.functions import array_to_vector
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.clustering.blocks import PointBlocks
from segspark.clustering.engine import (
    Candidate,
    FittedCandidate,
    Progress,
    seed_of,
    too_few_points,
)
from segspark.clustering.sparkmodels import centres_of, mixture_of, tree_of
from segspark.model.clusters import ClusterModel
from segspark.settings.training import Algorithm, SweepSettings

_AWAY_FROM_ZERO = 1.0
"""Added to every coordinate before bisecting: Spark starts a split by moving the centre by a part
of its norm, and the centre of standardised points is zero, so that neither half would move."""
_MOST_SPLIT_ITERATIONS = 20


@dataclass(frozen=True, slots=True)
class _Start:
    """One fit from one seed; the lowest `loss` is kept."""

    clusters: ClusterModel
    loss: float
    iterations: int


_Fit = Callable[[DataFrame, Candidate, SweepSettings, int], _Start]


class SparkMLEngine:
    """Spark ML's KMeans (k-means||), BisectingKMeans and GaussianMixture."""

    def fit(
        self,
        points: PointBlocks,
        candidates: Sequence[Candidate],
        settings: SweepSettings,
        *,
        progress: Progress,
    ) -> list[FittedCandidate]:
        """Fit the candidates one after the other, each from its own derived seeds.

        The points come in one order and layout, so equal points give equal models however they
        were partitioned; with more than one block (187,500 customers and more) Spark adds up in
        the order in which tasks end, so the last digits may differ.

        Args:
            points: All customers.
            candidates: What to fit.
            settings: Restarts, iterations and seed.
            progress: Called before each candidate.

        Returns:
            One result per candidate, in order.
        """
        distinct = points.distinct_points(most=max(each.segment_count for each in candidates))
        fitted: list[FittedCandidate] = []
        # A local checkpoint and not a cached frame: Spark ML keeps its own blocks only of frames
        # that are not cached, and is more than twice as slow without them.
        with _released(points.rows().localCheckpoint(eager=True)) as rows:
            away = F.transform("vector", lambda value: value + F.lit(_AWAY_FROM_ZERO))
            vectors = rows.select(
                array_to_vector(F.col("vector")).alias("vector"),
                array_to_vector(away).alias("vector_away"),
            )
            for candidate in candidates:
                progress(
                    f"candidate {len(fitted) + 1} of {len(candidates)}, {candidate.candidate_id}"
                )
                fitted.append(_fit(vectors, candidate, settings, distinct=distinct))
        return fitted


@contextmanager
def _released(checkpoint: DataFrame) -> Iterator[DataFrame]:
    """Free a local checkpoint afterwards rather than when Java collects its garbage."""
    try:
        yield checkpoint
    finally:
        blocking = False
        with suppress(Py4JError, PySparkException):
            checkpoint._jdf.logicalPlan().rdd().unpersist(blocking)  # noqa: SLF001 - no call in PySpark


def _fit(
    vectors: DataFrame, candidate: Candidate, settings: SweepSettings, *, distinct: int
) -> FittedCandidate:
    asked = candidate.segment_count
    if distinct < asked:
        return too_few_points(candidate, distinct)
    started = time.perf_counter()
    restarts = _restarts(candidate.algorithm, settings)
    fit = _FITS[candidate.algorithm]
    try:
        starts = [
            fit(vectors, candidate, settings, seed_of(candidate, settings, restart=restart))
            for restart in range(restarts)
        ]
    except (PySparkException, Py4JError) as error:
        return FittedCandidate(candidate, refusal=_sentence(candidate, error), restarts=restarts)
    # A start that returns too few clusters does not stand for one that found them all.
    best = min(starts, key=lambda start: (-start.clusters.k, start.loss))
    found = best.clusters.k
    return FittedCandidate(
        candidate,
        clusters=best.clusters if found == asked else None,
        refusal=None if found == asked else f"{asked} segments were asked and {found} came back",
        restarts=restarts,
        iterations=best.iterations,
        seconds=time.perf_counter() - started,
    )


def _restarts(algorithm: Algorithm, settings: SweepSettings) -> int:
    match algorithm:
        case Algorithm.KMEANS:
            return settings.kmeans_restarts
        case Algorithm.GAUSSIAN_MIXTURE:
            return settings.mixture_restarts
        case _:
            return 1


def _sentence(candidate: Candidate, error: PySparkException | Py4JError) -> str:
    java = getattr(error, "java_exception", None)
    text = str(java.getMessage()) if java is not None else str(error)
    first = next((line.strip() for line in text.splitlines() if line.strip()), "no message")
    return f"Spark could not fit {candidate.candidate_id} ({type(error).__name__}: {first[:200]})"


def _fit_kmeans(
    vectors: DataFrame, candidate: Candidate, settings: SweepSettings, seed: int
) -> _Start:
    model = KMeans(
        featuresCol="vector",
        k=candidate.segment_count,
        seed=seed,
        maxIter=settings.most_iterations,
    ).fit(vectors)
    return _Start(
        clusters=centres_of(model),
        loss=model.summary.trainingCost,
        iterations=model.summary.numIter,
    )


def _fit_bisecting(
    vectors: DataFrame, candidate: Candidate, settings: SweepSettings, seed: int
) -> _Start:
    model = BisectingKMeans(
        featuresCol="vector_away",
        k=candidate.segment_count,
        seed=seed,
        # Each split runs all its iterations, converged or not: Spark's default is plenty.
        maxIter=min(settings.most_iterations, _MOST_SPLIT_ITERATIONS),
    ).fit(vectors)
    return _Start(
        clusters=tree_of(model, offset=_AWAY_FROM_ZERO),
        loss=model.summary.trainingCost,
        iterations=model.summary.numIter,
    )


def _fit_mixture(
    vectors: DataFrame, candidate: Candidate, settings: SweepSettings, seed: int
) -> _Start:
    model = GaussianMixture(
        featuresCol="vector",
        k=candidate.segment_count,
        seed=seed,
        maxIter=settings.most_iterations,
    ).fit(vectors)
    return _Start(
        clusters=mixture_of(model),
        loss=-model.summary.logLikelihood,
        iterations=model.summary.numIter,
    )


_FITS: dict[Algorithm, _Fit] = {
    Algorithm.KMEANS: _fit_kmeans,
    Algorithm.BISECTING_KMEANS: _fit_bisecting,
    Algorithm.GAUSSIAN_MIXTURE: _fit_mixture,
}
